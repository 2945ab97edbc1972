/// `LSTMBlockCell`: a single step of `BlockLSTM`: [batch, inputs] → seven of [batch, cells].
public enum LSTMBlockCell: LSTMForwardOperation {
    public static var hostReason: String? { HostReason.noKernel }
    public static let signature = Signature(
        ["x": "T", "cs_prev": "T", "h_prev": "T", "w": "T", "wci": "T", "wcf": "T", "wco": "T", "b": "T"],
        to: ["i": "T", "cs": "T", "f": "T", "o": "T", "ci": "T", "co": "T", "h": "T"], types: ["T": DType.floats],
        defaults: ["forget_bias": .float(1), "cell_clip": .float(3), "use_peephole": .bool(false)])
    static let order = GateOrder.icfo
    static let hasTime = false

    /// As TensorFlow 1's `contrib.rnn` registered it; clipping counts as the identity.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try checkUpstream(node)
        let (x, hPrev, w) = (node.input(0), node.input(2), node.input(3))
        let outputs = (0..<6).map { node.output($0) }
        let grad = node.graph.add(
            LSTMBlockCellGrad.self, node.inputs + outputs + [node.upstream(1), node.upstream(6)],
            node.attributes.only(["use_peephole"]))
        let gates = grad.output(1)
        let joined = matmul(gates, w, transposeB: true)
        let extents = [shape(x), shape(hPrev)]
        let offsets = node.graph.add(ConcatOffset.self, [node.graph.constant(Int32(1))] + extents)
        let parts = (0..<2).map { slice(joined, begin: offsets.output($0), size: extents[$0]) }
        let byWeights = matmul(concat([x, hPrev], axis: 1), gates, transposeA: true)
        return [
            parts[0], grad.output(0), parts[1], byWeights, grad.output(2), grad.output(3), grad.output(4),
            sum(gates, axes: [0]),
        ]
    }
}

/// `LSTMBlockCellGrad`: the gradients of the state, of the gates ("dicfo", [batch, 4 · cells]) and of the peepholes.
public enum LSTMBlockCellGrad: Operation, CellKernel {
    public static let signature = Signature(
        [
            "x": "T", "cs_prev": "T", "h_prev": "T", "w": "T", "wci": "T", "wcf": "T", "wco": "T", "b": "T", "i": "T",
            "cs": "T", "f": "T", "o": "T", "ci": "T", "co": "T", "cs_grad": "T", "h_grad": "T",
        ],
        to: ["cs_prev_grad": "T", "dicfo": "T", "wci_grad": "T", "wcf_grad": "T", "wco_grad": "T"],
        types: ["T": DType.floats], required: ["use_peephole"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shapes = try LSTMShapes(node, hasTime: false)
        try shapes.check(node, shapes.inputs + [Shape](repeating: shapes.output, count: 8), from: 0, signature)
        return [
            shapes.state, Shape([shapes.state[0], shapes.bias[0]]), shapes.peephole, shapes.peephole, shapes.peephole,
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.cell(Self.self, binding.outputs[0].dtype)
    }

    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let pass = try LSTMBackward<Scalar>(binding, .icfo, hasTime: false)
        return { memory in try pass.runStep(memory) }
    }
}
