internal import CKernels

/// An operation that computes an LSTM forward: over a sequence, or a single step.
protocol LSTMForwardOperation: GPUOperation, CellKernel {
    static var order: GateOrder { get }
    /// Whether it takes a sequence [time, batch, inputs] and, before it, the number of steps.
    static var hasTime: Bool { get }
}

extension LSTMForwardOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try gpuForward(binding) }

    /// i, cs, f, o, ci, co, h, each [(time,) batch, cells].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shapes = try LSTMShapes(node, hasTime: hasTime)
        try shapes.check(node, shapes.inputs, from: hasTime ? 1 : 0, signature)
        return [Shape](repeating: shapes.output, count: 7)
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.cell(Self.self, binding.outputs[0].dtype)
    }

    static func make<Scalar: CellScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let pass = try LSTMForward<Scalar>(binding, order, hasTime: hasTime)
        guard hasTime else { return { memory in try pass.run(memory, steps: 1) } }
        return { memory in try pass.run(memory, steps: pass.geometry.steps(memory, binding, Self.self)) }
    }

    /// TensorFlow's gradient flows from the cell states and the outputs alone.
    static func checkUpstream(_ node: GradientContext) throws {
        for i in [0, 2, 3, 4, 5] where node.hasUpstream(i) {
            throw GraphError(
                "has a gradient by its outputs 'cs' and 'h' alone, not by '\(signature.outputs[i].name)'")
        }
    }
}

/// The kernel of an LSTM: the product of the inputs and their weights for many steps at once, then step by step the product
/// of the last output and its weights, and the cells. With packed weights each thread takes rows of its own through many
/// steps.
struct LSTMForward<Scalar: CellScalar> {
    private(set) var geometry: LSTMGeometry
    private let binding: KernelBinding
    /// Steps whose inputs are multiplied at once.
    private let chunk: Int
    private let gates: Workspace<Scalar>
    /// The weights of the last output.
    private let packed: PackedProduct<Scalar>?

    init(_ binding: KernelBinding, _ order: GateOrder, hasTime: Bool) throws {
        geometry = try LSTMGeometry(binding, order, hasTime: hasTime)
        // BlockLSTMV2 has no forget_bias.
        let bias = binding.attributes["forget_bias"] == nil ? 0 : try binding.attributes.float("forget_bias")
        geometry.layout.forget_bias = Double(bias)
        geometry.layout.clip = Double(try binding.attributes.float("cell_clip"))
        self.binding = binding
        chunk = geometry.chunk
        var scratch = ScratchLayout(binding)
        gates = scratch.room(Scalar.self, count: chunk * geometry.gates)
        packed = geometry.time > 1 ? PackedProduct(k: geometry.cells, n: 4 * geometry.cells, &scratch) : nil
    }

    func run(_ memory: RunMemory, steps: Int) throws {
        let (g, first) = (geometry, geometry.first)
        let input = { (i: Int) in UnsafePointer(memory.pointer(binding.input(first + i), Scalar.self)) }
        let (x, csPrev, hPrev, w, bias) = (input(0), input(1), input(2), input(3), input(7))
        let stateWeights = w + g.inputs * 4 * g.cells
        let results: [UnsafeMutablePointer<Scalar>?] = (0..<7).map { memory.pointer(binding.output($0), Scalar.self) }
        let (cs, h) = (UnsafePointer(results[1]!), UnsafePointer(results[6]!))
        let forward = Scalar.lstmForward
        try g.withPeepholes(memory, binding, Scalar.self) { peepholes in
            try results.withUnsafeBufferPointer { results in
                func cells(_ t: Int, _ here: UnsafePointer<Scalar>, _ rows: Range<Int>) {
                    let stateBefore = t == 0 ? csPrev : cs + (t - 1) * g.state
                    withUnsafePointer(to: g.layout) { layout in
                        forward(
                            layout, here, bias, peepholes, stateBefore, results.baseAddress, t * g.state,
                            rows.lowerBound, rows.upperBound)
                    }
                }
                packed?.pack(stateWeights, rowStep: 4 * g.cells, columnStep: 1, threads: binding.threads)
                for start in stride(from: 0, to: steps, by: chunk) {
                    let range = start..<min(start + chunk, steps)
                    try MatMul.multiply(
                        g.inputProduct(rows: range.count * g.batch), x + start * g.batch * g.inputs, w, gates.pointer)
                    let here = { (t: Int) in gates.pointer + (t - start) * g.gates }
                    let before = { (t: Int) in t == 0 ? hPrev : h + (t - 1) * g.state }
                    if let packed {
                        parallel(g.threads) { part in
                            for t in range {
                                packed.multiply(rows: g.rows(part), before(t), here(t), adding: true)
                                cells(t, here(t), g.rows(part))
                            }
                        }
                    } else {
                        for t in range {
                            try MatMul.multiply(g.stateProduct, before(t), stateWeights, here(t), adding: true)
                            parallel(g.threads) { part in cells(t, here(t), g.rows(part)) }
                        }
                    }
                }
            }
        }
        for result in results {
            (result! + steps * g.state).update(repeating: 0, count: (g.time - steps) * g.state)
        }
    }
}
