/// `BlockLSTM`: an LSTM (Hochreiter and Schmidhuber, 1997; with peepholes, Gers and Schmidhuber, 2000) over a sequence.
/// The columns of `w` and `b` hold the gates in the order i, c, f, o.
///
/// For each step, with σ the sigmoid and · for peepholes element by element:
/// i = σ([x, h] w + b + cs·wci), f = σ([x, h] w + b + forget_bias + cs·wcf), ci = tanh([x, h] w + b),
/// cs′ = clip(ci·i + cs·f), o = σ([x, h] w + b + cs′·wco), co = tanh(cs′), h′ = co·o.
/// Steps from `seq_len_max` on are zeros.
public enum BlockLSTM: LSTMForwardOperation {
    public static let signature = sequenceSignature(
        defaults: ["forget_bias": .float(1), "cell_clip": .float(3), "use_peephole": .bool(false)])
    static let order = GateOrder.icfo
    static let hasTime = true
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try sequenceGradient(node, BlockLSTMGrad.self)
    }
}

/// `BlockLSTMV2`: as `BlockLSTM`, with the gates in the order i, f, c, o, no `forget_bias`, and no clipping by default.
public enum BlockLSTMV2: LSTMForwardOperation {
    public static let signature = sequenceSignature(
        defaults: ["cell_clip": .float(0), "use_peephole": .bool(false)])
    static let order = GateOrder.ifco
    static let hasTime = true
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try sequenceGradient(node, BlockLSTMGradV2.self)
    }
}

private func sequenceSignature(defaults: [String: AttributeValue]) -> Signature {
    Signature(
        [
            "seq_len_max": "int64", "x": "T", "cs_prev": "T", "h_prev": "T", "w": "T", "wci": "T", "wcf": "T",
            "wco": "T", "b": "T",
        ], to: ["i": "T", "cs": "T", "f": "T", "o": "T", "ci": "T", "co": "T", "h": "T"],
        types: ["T": DType.floats], defaults: defaults)
}

extension LSTMForwardOperation {
    /// Nodes of a sequence's gradient, which `operation` computes. Clipping counts as the identity, as in TensorFlow.
    fileprivate static func sequenceGradient(
        _ node: GradientContext, _ operation: any Operation.Type
    ) throws -> [Node?] {
        try checkUpstream(node)
        let outputs = (0..<7).map { node.output($0) }
        let vertex = node.graph.add(
            operation, node.inputs + outputs + [node.upstream(1), node.upstream(6)],
            node.attributes.only(["use_peephole"]))
        return [nil] + (0..<8).map { vertex.output($0) }
    }
}

/// `BlockLSTMGrad`: the gradients of the inputs of `BlockLSTM`, from what arrives at `cs` and `h`.
public enum BlockLSTMGrad: BlockLSTMGradientOperation {
    public static let signature = sequenceGradientSignature
    static let order = GateOrder.icfo
}

/// `BlockLSTMGradV2`: the gradients of the inputs of `BlockLSTMV2`.
public enum BlockLSTMGradV2: BlockLSTMGradientOperation {
    public static let signature = sequenceGradientSignature
    static let order = GateOrder.ifco
}

protocol BlockLSTMGradientOperation: GPUOperation, CellKernel {
    static var order: GateOrder { get }
}

private let sequenceGradientSignature = Signature(
    [
        "seq_len_max": "int64", "x": "T", "cs_prev": "T", "h_prev": "T", "w": "T", "wci": "T", "wcf": "T", "wco": "T",
        "b": "T", "i": "T", "cs": "T", "f": "T", "o": "T", "ci": "T", "co": "T", "h": "T", "cs_grad": "T",
        "h_grad": "T",
    ],
    to: [
        "x_grad": "T", "cs_prev_grad": "T", "h_prev_grad": "T", "w_grad": "T", "wci_grad": "T", "wcf_grad": "T",
        "wco_grad": "T", "b_grad": "T",
    ], types: ["T": DType.floats], required: ["use_peephole"])

extension BlockLSTMGradientOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try gpuGradient(binding) }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shapes = try LSTMShapes(node, hasTime: true)
        try shapes.check(node, shapes.inputs + [Shape](repeating: shapes.output, count: 9), from: 1, signature)
        return shapes.inputs
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.cell(Self.self, binding.outputs[0].dtype)
    }

    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let pass = try LSTMBackward<Scalar>(binding, order, hasTime: true)
        return { memory in try pass.runSequence(memory, steps: pass.geometry.steps(memory, binding, Self.self)) }
    }
}

/// What an LSTM computes, each [time, batch, cells] of a sequence or [batch, cells] of a single step.
public struct LSTMOutputs: Sendable {
    /// TensorFlow's `i`.
    public let inputGate: Node
    /// TensorFlow's `cs`: the state that goes from step to step beside the output.
    public let cellState: Node
    /// TensorFlow's `f`.
    public let forgetGate: Node
    /// TensorFlow's `o`.
    public let outputGate: Node
    /// TensorFlow's `ci`.
    public let cellInput: Node
    /// TensorFlow's `co`.
    public let cellOutput: Node
    /// TensorFlow's `h`.
    public let output: Node

    init(_ vertex: Vertex) {
        inputGate = Node(vertex: vertex, output: 0)
        cellState = Node(vertex: vertex, output: 1)
        forgetGate = Node(vertex: vertex, output: 2)
        outputGate = Node(vertex: vertex, output: 3)
        cellInput = Node(vertex: vertex, output: 4)
        cellOutput = Node(vertex: vertex, output: 5)
        output = Node(vertex: vertex, output: 6)
    }
}

/// The weights by which an LSTM's gates see its state, each [cells].
public struct Peepholes: Sendable {
    public let input: any Operand
    public let forget: any Operand
    public let output: any Operand

    public init(input: any Operand, forget: any Operand, output: any Operand) {
        self.input = input
        self.forget = forget
        self.output = output
    }
}

/// An LSTM over a sequence; TensorFlow's `BlockLSTMV2`. The gradient flows from `output` and `cellState`.
///
/// - Parameters:
///   - x: [time, batch, inputs], floating.
///   - steps: an int64 scalar, at most time: the outputs of later steps are zeros. All by default.
///   - cellState: [batch, cells], before the first step.
///   - output: [batch, cells], of the step before the first.
///   - weights: [inputs + cells, 4 · cells], whose columns belong to the input gate, the forget gate, the cell input and the
///     output gate.
///   - bias: [4 · cells].
///   - cellClip: the state is kept within ± this; 0 does not clip. The gradient passes as if it were not clipped.
public func blockLSTM(
    _ x: any Operand, steps: (any Operand)? = nil, cellState: any Operand, output: any Operand, weights: any Operand,
    bias: any Operand, peepholes: Peepholes? = nil, cellClip: Double = 0, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> LSTMOutputs {
    let graph = x.node.graph
    return graph.located(file, line) {
        // Without peepholes TensorFlow still wants three vectors of this size.
        let unused = { fill(stack([dimension(shape(cellState), 1)]), scalar(0, like: cellState)) }
        let all: [any Operand] =
            peepholes.map { [$0.input, $0.forget, $0.output] } ?? [any Operand](repeating: unused(), count: 3)
        let count = steps ?? cast(dimension(shape(x), 0), to: .int64)
        let inputs: [any Operand] = [count, x, cellState, output, weights] + all + [bias]
        return LSTMOutputs(
            graph.add(
                BlockLSTMV2.self, inputs.map(\.node),
                ["cell_clip": .float(Float(cellClip)), "use_peephole": .bool(peepholes != nil)], name: name))
    }
}
