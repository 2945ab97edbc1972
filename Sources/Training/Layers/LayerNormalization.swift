public import Dataflow

/// Each row of the last dimension brought to mean 0 and variance 1, then scaled and moved by what is learnt: Ba, Kiros and
/// Hinton, "Layer normalization" (2016); TensorFlow's `tf.keras.layers.LayerNormalization`.
///
/// gamma · (x − mean) / √(variance + epsilon) + beta, with the Variables "<name>/gamma" and "<name>/beta" [features].
///
/// - Parameters:
///   - x: floating, of any rank from 1 on, whose last dimension is known.
///   - epsilon: above 0.
/// - Returns: of the shape and dtype of `x`.
public func layerNormalization(
    _ x: any Operand, epsilon: Double = 1e-3, name: String = "layer_normalization", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        guard let features = lastExtent(of: input), epsilon > 0 else {
            graph.recordMistake(
                epsilon > 0
                    ? "layer normalization needs a known last dimension, got \(input)"
                    : "epsilon must be above 0, got \(epsilon)", at: name, file: file, line: line)
            return input
        }
        let gamma = graph.variable(
            Initializer.constant(1).node(in: graph, shape: [features], dtype: input.dtype), name: "gamma", file: file,
            line: line)
        let beta = graph.variable(
            Initializer.zeros.node(in: graph, shape: [features], dtype: input.dtype), name: "beta", file: file,
            line: line)
        let centred = input - mean(input, axes: [-1], keepDims: true)
        let variance = mean(square(centred), axes: [-1], keepDims: true)
        return centred * rsqrt(variance + epsilon) * gamma + beta
    }
}

/// The extent of the last dimension, nil if it is unknown or there is none.
func lastExtent(of x: Node) -> Int? {
    guard let rank = x.shape.rank, rank > 0 else { return nil }
    return x.shape[-1]
}
