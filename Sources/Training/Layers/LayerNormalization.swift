public import Dataflow

/// Each row of the last dimension brought to mean 0 and variance 1, then scaled and moved by what is learnt: Ba, Kiros and
/// Hinton, "Layer normalization" (2016); TensorFlow's `tf.keras.layers.LayerNormalization`.
///
/// gamma · (x − mean) / √(variance + epsilon) + beta, with the Variables "<name>/gamma" and "<name>/beta" [features]. Its
/// input is floating, of any rank from 1 on, whose last dimension is known; its output has that shape and dtype.
public struct LayerNormalization: Layer {
    public let epsilon: Double
    public let weights: LayerWeights

    /// - Parameter epsilon: above 0.
    public init(epsilon: Double = 1e-3, name: String = "layer_normalization") {
        self.epsilon = epsilon
        weights = LayerWeights(name: name)
    }

    /// [features].
    public var gamma: Variable { weights["gamma"] }
    /// [features].
    public var beta: Variable { weights["beta"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard let features = lastExtent(of: x), epsilon > 0 else {
            if x.vertex.error == nil {
                call.recordMistake(
                    epsilon > 0
                        ? "layer normalization needs a known last dimension, got \(x)"
                        : "epsilon must be above 0, got \(epsilon)")
            }
            return x
        }
        let gamma = call.variable("gamma", shape: [features], dtype: x.dtype, initializer: .constant(1))
        let beta = call.variable("beta", shape: [features], dtype: x.dtype, initializer: .zeros)
        let centred = x - mean(x, axes: [-1], keepDims: true)
        let variance = mean(square(centred), axes: [-1], keepDims: true)
        return centred * rsqrt(variance + epsilon) * gamma + beta
    }
}

/// Layer normalization of `x`; `LayerNormalization(epsilon: epsilon)(x)`.
///
/// - Parameters:
///   - x: floating, of any rank from 1 on, whose last dimension is known.
///   - epsilon: above 0.
/// - Returns: of the shape and dtype of `x`.
public func layerNormalization(
    _ x: any Operand, epsilon: Double = 1e-3, name: String = "layer_normalization", file: StaticString = #fileID,
    line: UInt = #line
) -> Node { LayerNormalization(epsilon: epsilon, name: name)(x, file: file, line: line) }

/// The extent of the last dimension, nil if it is unknown or there is none.
func lastExtent(of x: Node) -> Int? {
    guard let rank = x.shape.rank, rank > 0 else { return nil }
    return x.shape[-1]
}
