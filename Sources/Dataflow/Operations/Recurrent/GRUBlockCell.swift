internal import CKernels

/// `GRUBlockCell`: a step of a gated recurrent unit (Cho et al., 2014), with the reset gate before the product:
/// [r, u] = σ([x, h] w_ru + b_ru), c = tanh([x, r·h] w_c + b_c), h′ = u·h + (1 − u)·c.
public enum GRUBlockCell: Operation, CellKernel {
    public static let signature = Signature(
        ["x": "T", "h_prev": "T", "w_ru": "T", "w_c": "T", "b_ru": "T", "b_c": "T"],
        to: ["r": "T", "u": "T", "c": "T", "h": "T"], types: ["T": DType.floats])

    /// r, u, c, h, each [batch, cells].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shapes = try GRUShapes(node, signature)
        return [Shape](repeating: shapes.state, count: 4)
    }

    /// As TensorFlow 1's `contrib.rnn` registered it: from `h` alone.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        for i in 0..<3 where node.hasUpstream(i) {
            throw GraphError("has a gradient by its output 'h' alone, not by '\(signature.outputs[i].name)'")
        }
        let (x, hPrev, r) = (node.input(0), node.input(1), node.output(0))
        let grad = node.graph.add(
            GRUBlockCellGrad.self, node.inputs + (0..<3).map { node.output($0) } + [node.upstream(3)])
        let (byCandidate, byGates) = (grad.output(2), grad.output(3))
        return [
            grad.output(0), grad.output(1), matmul(concat([x, hPrev], axis: 1), byGates, transposeA: true),
            matmul(concat([x, hPrev * r], axis: 1), byCandidate, transposeA: true),
            apply(BiasAddGrad.self, [byGates]), apply(BiasAddGrad.self, [byCandidate]),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.cell(Self.self, binding.outputs[0].dtype)
    }

    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let g = GRUGeometry(binding)
        var scratch = ScratchLayout(binding)
        let sums = scratch.room(Scalar.self, count: g.batch * 2 * g.cells)
        let reset = scratch.room(Scalar.self, count: g.state)
        return { memory in
            let input = { (i: Int) in UnsafePointer(memory.pointer(binding.input(i), Scalar.self)) }
            let output = { (i: Int) in memory.pointer(binding.output(i), Scalar.self) }
            let (x, hPrev, gateWeights, weights) = (input(0), input(1), input(2), input(3))
            let (gateBias, bias) = (input(4), input(5))
            let (r, u, c, h) = (output(0), output(1), output(2), output(3))
            let (sums, reset) = (sums.pointer, reset.pointer)
            try MatMul.multiply(g.product(from: g.inputs, to: 2 * g.cells), x, gateWeights, sums)
            try MatMul.multiply(
                g.product(from: g.cells, to: 2 * g.cells), hPrev, gateWeights + g.inputs * 2 * g.cells, sums,
                adding: true)
            let (gates, candidate) = (Scalar.gruGates, Scalar.gruOutput)
            parallel(g.threads) { part in
                let rows = g.rows(part)
                gates(g.cells, sums, gateBias, hPrev, r, u, reset, rows.lowerBound, rows.upperBound)
            }
            try MatMul.multiply(g.product(from: g.inputs, to: g.cells), x, weights, c)
            try MatMul.multiply(
                g.product(from: g.cells, to: g.cells), reset, weights + g.inputs * g.cells, c, adding: true)
            parallel(g.threads) { part in
                let rows = g.rows(part)
                candidate(g.cells, bias, hPrev, u, c, h, rows.lowerBound, rows.upperBound)
            }
        }
    }
}

/// `GRUBlockCellGrad`: the gradients of x and h_prev, and of what arrives at the functions of c ("d_c_bar") and of r and u
/// ("d_r_bar_u_bar", [batch, 2 · cells]).
public enum GRUBlockCellGrad: Operation, CellKernel {
    public static let signature = Signature(
        [
            "x": "T", "h_prev": "T", "w_ru": "T", "w_c": "T", "b_ru": "T", "b_c": "T", "r": "T", "u": "T", "c": "T",
            "d_h": "T",
        ], to: ["d_x": "T", "d_h_prev": "T", "d_c_bar": "T", "d_r_bar_u_bar": "T"], types: ["T": DType.floats])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shapes = try GRUShapes(node, signature)
        return [shapes.x, shapes.state, shapes.state, Shape([shapes.state[0], shapes.gates])]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.cell(Self.self, binding.outputs[0].dtype)
    }

    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let g = GRUGeometry(binding)
        var scratch = ScratchLayout(binding)
        let resetGrad = scratch.room(Scalar.self, count: g.state)
        let back = { (from: Int, to: Int) in MatMul.Geometry(m: g.batch, n: to, k: from, transposeB: true) }
        return { memory in
            let input = { (i: Int) in UnsafePointer(memory.pointer(binding.input(i), Scalar.self)) }
            let output = { (i: Int) in memory.pointer(binding.output(i), Scalar.self) }
            let (hPrev, gateWeights, weights) = (input(1), input(2), input(3))
            let (r, u, c, dh) = (input(6), input(7), input(8), input(9))
            let (dx, dhPrev, byCandidate, byGates) = (output(0), output(1), output(2), output(3))
            let byReset = resetGrad.pointer
            for row in 0..<g.batch {
                let gate = byGates + row * 2 * g.cells + g.cells
                for j in 0..<g.cells {
                    let i = row * g.cells + j
                    byCandidate[i] = dh[i] * (1 - u[i]) * (1 - c[i] * c[i])
                    gate[j] = dh[i] * (hPrev[i] - c[i]) * u[i] * (1 - u[i])
                }
            }
            try MatMul.multiply(back(g.cells, g.cells), byCandidate, weights + g.inputs * g.cells, byReset)
            for row in 0..<g.batch {
                let gate = byGates + row * 2 * g.cells
                for j in 0..<g.cells {
                    let i = row * g.cells + j
                    gate[j] = byReset[i] * hPrev[i] * r[i] * (1 - r[i])
                    dhPrev[i] = byReset[i] * r[i] + dh[i] * u[i]
                }
            }
            try MatMul.multiply(back(g.cells, g.inputs), byCandidate, weights, dx)
            try MatMul.multiply(back(2 * g.cells, g.inputs), byGates, gateWeights, dx, adding: true)
            try MatMul.multiply(
                back(2 * g.cells, g.cells), byGates, gateWeights + g.inputs * 2 * g.cells, dhPrev, adding: true)
        }
    }
}

/// The shapes of a GRU's inputs, checked as far as they are known.
private struct GRUShapes {
    /// [batch, inputs].
    let x: Shape
    /// [batch, cells].
    let state: Shape
    /// 2 · cells.
    let gates: Int?

    init(_ node: ShapeContext, _ signature: Signature) throws {
        let given = try node.shape(0, rank: 2, "'x'")
        let hPrev = try node.shape(1, rank: 2, "'h_prev'")
        let bias = try node.shape(5, rank: 1, "'b_c'")
        let cells = hPrev[1] ?? bias[0]
        x = Shape([given[0] ?? hPrev[0], given[1]])
        state = Shape([x[0], cells])
        gates = cells.map { 2 * $0 }
        let joined = given[1].flatMap { i in cells.map { i + $0 } }
        let expected = [
            x, state, Shape([joined, gates]), Shape([joined, cells]), Shape([gates]), Shape([cells]), state, state,
            state, state,
        ]
        for i in node.inputs.indices where !node.shape(i).isCompatible(with: expected[i]) {
            throw GraphError(
                "'\(signature.inputs[i].name)' must have the shape \(expected[i]), for an x of shape \(x) and"
                    + " \(cells.map(String.init) ?? "any") cells, got \(node.shape(i))")
        }
    }
}

/// The sizes of a GRU that a kernel is bound for.
private struct GRUGeometry {
    let batch: Int, inputs: Int, cells: Int
    let threads: Int

    init(_ binding: KernelBinding) {
        let x = binding.inputs[0].shape.knownExtents
        (batch, inputs, cells) = (x[0], x[1], binding.inputs[1].shape.knownExtents[1])
        threads = min(usefulThreads(binding.threads, work: batch * cells * 16), max(batch, 1))
    }

    var state: Int { batch * cells }
    func product(from: Int, to: Int) -> MatMul.Geometry { MatMul.Geometry(m: batch, n: to, k: from) }
    func rows(_ part: Int) -> Range<Int> { batch * part / threads..<batch * (part + 1) / threads }
}

/// What a GRU computes in a step, each [batch, cells].
public struct GRUOutputs: Sendable {
    /// TensorFlow's `r`.
    public let resetGate: Node
    /// TensorFlow's `u`.
    public let updateGate: Node
    /// TensorFlow's `c`.
    public let candidate: Node
    /// TensorFlow's `h`, through which the gradient flows.
    public let output: Node
}

/// A step of a gated recurrent unit; TensorFlow's `GRUBlockCell`.
///
/// - Parameters:
///   - x: [batch, inputs], floating.
///   - output: [batch, cells], of the step before.
///   - gateWeights: [inputs + cells, 2 · cells], whose columns belong to the reset gate and the update gate.
///   - weights: [inputs + cells, cells].
///   - gateBias: [2 · cells].
///   - bias: [cells].
public func gruBlockCell(
    _ x: any Operand, output: any Operand, gateWeights: any Operand, weights: any Operand, gateBias: any Operand,
    bias: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> GRUOutputs {
    let parts = applyAll(
        GRUBlockCell.self, [x, output, gateWeights, weights, gateBias, bias], [:], name, file, line)
    return GRUOutputs(resetGate: parts[0], updateGate: parts[1], candidate: parts[2], output: parts[3])
}
