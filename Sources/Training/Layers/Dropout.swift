public import Dataflow

/// Sets elements to 0 with probability `rate` and scales the others by 1 / (1 − rate) while training, so that the mean
/// stays: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout" (2014); TensorFlow's `tf.layers.dropout`.
///
/// Its input is floating, of any shape, which is its output's too. Each call draws for itself, and must say whether it is
/// training: `drop(h, training: isTraining)`.
public struct Dropout: Layer {
    public let rate: Double
    public let seed: Int?
    public let weights: LayerWeights

    /// - Parameter rate: at least 0, less than 1.
    public init(rate: Double, seed: Int? = nil, name: String = "dropout") {
        self.rate = rate
        self.seed = seed
        weights = LayerWeights(name: name)
    }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard (0..<1).contains(rate) else {
            call.recordMistake("the rate must be in 0..<1, got \(rate)")
            return x
        }
        let graph = x.graph
        let constant = { graph.constant(.numbers([rate], dtype: x.dtype, sized: [])) }
        let dropped: Node
        switch call.trainingFlag() {
        case .constant(false): return x
        case .constant(true): dropped = constant()
        // A rate of 0 keeps all and scales by 1: no branch is needed when not training.
        case .node(let flag): dropped = constant() * cast(flag, to: x.dtype)
        }
        guard rate > 0 else { return x }
        let random =
            x.shape.isFullyDefined
            ? graph.randomUniform(shape: x.shape, min: 0, max: 1, dtype: x.dtype, seed: seed)
            : graph.randomUniform(shape: shape(x), min: 0, max: 1, dtype: x.dtype, seed: seed)
        let kept = cast(greaterEqual(random, dropped), to: x.dtype)
        return x * (1 / (1 - dropped)) * kept
    }
}

/// Sets elements to 0 with probability `rate` and scales the others by 1 / (1 − rate); TensorFlow's `tf.nn.dropout`.
/// `Dropout(rate: rate)(x, training: training)`.
///
/// - Parameters:
///   - x: floating, of any shape.
///   - rate: at least 0, less than 1.
///   - training: a bool scalar, often a placeholder: while it is false `x` passes unchanged. Always dropping by default.
/// - Returns: of the shape and dtype of `x`.
public func dropout(
    _ x: any Operand, rate: Double, training: Node? = nil, seed: Int? = nil, name: String = "dropout",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let layer = Dropout(rate: rate, seed: seed, name: name)
    if let training { return layer(x, training: training, file: file, line: line) }
    return layer(x, training: true, file: file, line: line)
}
