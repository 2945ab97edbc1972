public import Dataflow

/// Sets elements to 0 with probability `rate` and scales the others by 1 / (1 − rate), so that the mean stays: Srivastava,
/// Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout" (2014); TensorFlow's `tf.nn.dropout`.
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
    let input = x.node
    let graph = input.graph
    guard (0..<1).contains(rate) else {
        graph.recordMistake("the rate must be in 0..<1, got \(rate)", at: name, file: file, line: line)
        return input
    }
    guard rate > 0 else { return input }
    return graph.scope(name) {
        // A rate of 0 keeps all and scales by 1: no branch is needed when not training.
        let constant = graph.constant(.numbers([rate], dtype: input.dtype, sized: []))
        let dropped = training.map { constant * cast($0, to: input.dtype) } ?? constant
        let random =
            input.shape.isFullyDefined
            ? graph.randomUniform(shape: input.shape, min: 0, max: 1, dtype: input.dtype, seed: seed)
            : graph.randomUniform(shape: shape(input), min: 0, max: 1, dtype: input.dtype, seed: seed)
        let kept = cast(greaterEqual(random, dropped), to: input.dtype)
        return input * (1 / (1 - dropped)) * kept
    }
}
