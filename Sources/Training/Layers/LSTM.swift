public import Dataflow

/// A layer of long short-term memory: Hochreiter and Schmidhuber (1997), with Gers, Schmidhuber and Cummins's forget gate
/// (2000); TensorFlow's `tf.keras.layers.LSTM` with sequences returned, over `BlockLSTMV2`.
///
/// Makes the Variables "<name>/kernel" [features + units, 4 · units] and "<name>/bias" [4 · units], whose columns belong to
/// the input gate, the forget gate, the cell input and the output gate. State and output start at zero.
///
/// - Parameters:
///   - x: floating, [batch, time, features], whose number of features is known.
///   - forgetBias: the first value of the forget gate's bias; above 0 the cells remember from the start (Jozefowicz, Zaremba
///     and Sutskever, 2015).
/// - Returns: [batch, time, units], the output of every step; `lastStep` takes the last.
public func lstm(
    _ x: any Operand, units: Int, initializer: Initializer = .glorotUniform, forgetBias: Double = 1,
    name: String = "lstm", file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        guard let features = sequenceFeatures(input, units: units, name, file, line) else { return input }
        let kernel = graph.variable(
            initializer.node(in: graph, shape: [features + units, 4 * units], dtype: input.dtype), name: "kernel",
            file: file, line: line)
        let gates = [0, forgetBias, 0, 0].flatMap { [Double](repeating: $0, count: units) }
        let bias = graph.variable(
            .numbers(gates, dtype: input.dtype, sized: [4 * units]), name: "bias", file: file, line: line)
        let steps = transpose(input, permutation: [1, 0, 2])
        let start = zeroState(like: input, units: units)
        let result = blockLSTM(
            steps, cellState: start, output: start, weights: kernel, bias: bias, file: file, line: line)
        return transpose(result.output, permutation: [1, 0, 2])
    }
}

/// The last step of a sequence [batch, time, features]: [batch, features].
public func lastStep(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    stridedSlice(
        x, begin: [0, -1], end: [0, 0], beginMask: 1, endMask: 1, shrinkAxisMask: 2, name: name, file: file, line: line)
}

/// The features of a sequence [batch, time, features], or nil once a mistake is recorded.
func sequenceFeatures(_ x: Node, units: Int, _ name: String, _ file: StaticString, _ line: UInt) -> Int? {
    if x.shape.rank == 3, let features = x.shape[2], units > 0 { return features }
    if x.vertex.error == nil {
        x.graph.recordMistake(
            units > 0
                ? "a recurrent layer needs [batch, time, features] with a known number of features, got \(x)"
                : "a recurrent layer needs at least one unit, got \(units)", at: name, file: file, line: line)
    }
    return nil
}

/// Zeros [batch, units] for a sequence [batch, time, features].
func zeroState(like x: Node, units: Int) -> Node {
    let graph = x.graph
    if let batch = x.shape[0] { return graph.constant(Tensor.zeros(x.dtype, sized: [batch, units])) }
    let batch = stridedSlice(shape(x), begin: [0], end: [1], shrinkAxisMask: 1)
    return fill(stack([batch, graph.constant(Int32(units))]), graph.constant(Tensor.zeros(x.dtype, sized: [])))
}
