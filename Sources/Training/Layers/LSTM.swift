public import Dataflow

/// A layer of long short-term memory: Hochreiter and Schmidhuber (1997), with Gers, Schmidhuber and Cummins's forget gate
/// (2000); TensorFlow's `tf.keras.layers.LSTM` with sequences returned, over `BlockLSTMV2`.
///
/// Its input is floating, [batch, time, features], whose number of features is known; its output [batch, time, units], the
/// output of every step: `lastStep` takes the last. Its Variables are "<name>/kernel" [features + units, 4 · units] and
/// "<name>/bias" [4 · units], whose columns belong to the input gate, the forget gate, the cell input and the output gate.
/// State and output start at zero.
public struct LSTM: Layer {
    public let units: Int
    public let initializer: Initializer
    public let forgetBias: Double
    public let weights: LayerWeights

    /// - Parameter forgetBias: the first value of the forget gate's bias; above 0 the cells remember from the start
    ///   (Jozefowicz, Zaremba and Sutskever, 2015).
    public init(
        units: Int, initializer: Initializer = .glorotUniform, forgetBias: Double = 1, name: String = "lstm"
    ) {
        self.units = units
        self.initializer = initializer
        self.forgetBias = forgetBias
        weights = LayerWeights(name: name)
    }

    /// [features + units, 4 · units].
    public var kernel: Variable { weights["kernel"] }
    /// [4 · units].
    public var bias: Variable { weights["bias"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard let features = sequenceFeatures(x, units: units, call) else { return x }
        let kernel = call.variable(
            "kernel", shape: [features + units, 4 * units], dtype: x.dtype, initializer: initializer)
        let gates = [0, forgetBias, 0, 0].flatMap { [Double](repeating: $0, count: units) }
        let bias = call.variable("bias", initial: .numbers(gates, dtype: x.dtype, sized: [4 * units]))
        let steps = transpose(x, permutation: [1, 0, 2])
        let start = zeroState(like: x, units: units)
        let result = blockLSTM(steps, cellState: start, output: start, weights: kernel, bias: bias)
        return transpose(result.output, permutation: [1, 0, 2])
    }
}

/// A layer of long short-term memory over `x`; `LSTM(units: units)(x)`.
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
    LSTM(units: units, initializer: initializer, forgetBias: forgetBias, name: name)(x, file: file, line: line)
}

/// The last step of a sequence [batch, time, features]: [batch, features].
public func lastStep(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        stridedSlice(x, begin: [0, -1], end: [0, 0], beginMask: 1, endMask: 1, shrinkAxisMask: 2, name: name)
    }
}

/// The features of a sequence [batch, time, features], or nil once a mistake is recorded.
func sequenceFeatures(_ x: Node, units: Int, _ call: LayerCall) -> Int? {
    let isSize = (1...Int(Int32.max) / 4).contains(units)
    if x.shape.rank == 3, let features = x.shape[2], isSize { return features }
    if x.vertex.error == nil {
        call.recordMistake(
            isSize
                ? "a recurrent layer needs [batch, time, features] with a known number of features, got \(x)"
                : "a recurrent layer needs at least one unit, and less than 2²⁹, got \(units)")
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
