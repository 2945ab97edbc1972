/// A step of a gated recurrent unit on a GPU: four products, and a kernel over the cells after each pair.
private struct GRUOnGPU {
    let batch: Int, inputs: Int, cells: Int

    init?(_ binding: KernelBinding) {
        let x = binding.inputs[0].shape.knownExtents
        (batch, inputs, cells) = (x[0], x[1], binding.inputs[1].shape.knownExtents[1])
        guard binding.outputs[0].dtype == .float32, batch * inputs * cells > 0 else { return nil }
    }

    var state: Int { batch * cells }

    /// [batch, from] · the rows of `weights` from row `row` on, [from, to]; or with its transpose.
    func product(
        _ a: GPUOperand, _ weights: GPUOperand, row: Int, columns: Int, to c: GPUOperand, from: Int, to: Int,
        transposed: Bool = false, adds: Bool = false
    ) -> GPUCommand {
        .multiply(
            GPUMultiplication(
                a: a, b: weights, c: c, m: batch, n: to, k: from, transposeB: transposed, adds: adds,
                offsets: (0, row * columns, 0)))
    }

    /// A work item for each element `i` of the state, of cell `j` and row `row`.
    func forEachCell(_ name: String, _ memory: [(name: String, operand: GPUOperand)], _ body: String) -> GPUCommand {
        let names = memory.map { "GLOBAL float *\($0.name)" }.joined(separator: ", ")
        let source = """
            KERNEL void \(name)(int n, \(names), int cells) {
                int i = INDEX;
                if (i >= n) return;
                int j = i % cells, row = i / cells;
                \(body)
            }

            """
        return .launch(
            GPULaunch(name, source, items: state, memory: memory.map(\.operand), integers: [cells]))
    }
}

extension GRUBlockCell: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard let g = GRUOnGPU(binding) else { return nil }
        let (x, hPrev, gateWeights, weights) = (
            GPUOperand.input(0), GPUOperand.input(1), GPUOperand.input(2), GPUOperand.input(3)
        )
        let (r, u, c, h) = (GPUOperand.output(0), GPUOperand.output(1), GPUOperand.output(2), GPUOperand.output(3))
        let gates = 2 * g.cells
        var program = GPUProgram()
        let sums = program.temporary(g.batch * gates * 4)
        let reset = program.temporary(g.state * 4)
        program.add(g.product(x, gateWeights, row: 0, columns: gates, to: sums, from: g.inputs, to: gates))
        program.add(
            g.product(hPrev, gateWeights, row: g.inputs, columns: gates, to: sums, from: g.cells, to: gates, adds: true)
        )
        program.add(
            g.forEachCell(
                "gru_gates",
                [("s", sums), ("b", .input(4)), ("before", hPrev), ("r", r), ("u", u), ("reset", reset)],
                """
                s += row * 2 * cells;
                r[i] = sigmoid(s[j] + b[j]);
                u[i] = sigmoid(s[cells + j] + b[cells + j]);
                reset[i] = r[i] * before[i];
                """))
        program.add(g.product(x, weights, row: 0, columns: g.cells, to: c, from: g.inputs, to: g.cells))
        program.add(
            g.product(reset, weights, row: g.inputs, columns: g.cells, to: c, from: g.cells, to: g.cells, adds: true))
        program.add(
            g.forEachCell(
                "gru_output", [("b", .input(5)), ("before", hPrev), ("u", u), ("c", c), ("h", h)],
                "float v = tanh(c[i] + b[j]); c[i] = v; h[i] = u[i] * before[i] + (1 - u[i]) * v;"))
        return program
    }
}

extension GRUBlockCellGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard let g = GRUOnGPU(binding) else { return nil }
        let (hPrev, gateWeights, weights) = (GPUOperand.input(1), GPUOperand.input(2), GPUOperand.input(3))
        let (r, u, c, dh) = (GPUOperand.input(6), GPUOperand.input(7), GPUOperand.input(8), GPUOperand.input(9))
        let (dx, dhPrev) = (GPUOperand.output(0), GPUOperand.output(1))
        let (byCandidate, byGates) = (GPUOperand.output(2), GPUOperand.output(3))
        let gates = 2 * g.cells
        var program = GPUProgram()
        let byReset = program.temporary(g.state * 4)
        program.add(
            g.forEachCell(
                "gru_candidate",
                [("u", u), ("c", c), ("dh", dh), ("before", hPrev), ("dc", byCandidate), ("dg", byGates)],
                """
                dc[i] = dh[i] * (1 - u[i]) * (1 - c[i] * c[i]);
                dg[row * 2 * cells + cells + j] = dh[i] * (before[i] - c[i]) * u[i] * (1 - u[i]);
                """))
        program.add(
            g.product(
                byCandidate, weights, row: g.inputs, columns: g.cells, to: byReset, from: g.cells, to: g.cells,
                transposed: true))
        program.add(
            g.forEachCell(
                "gru_reset",
                [
                    ("r", r), ("u", u), ("dh", dh), ("before", hPrev), ("reset", byReset), ("dg", byGates),
                    ("previous", dhPrev),
                ],
                """
                dg[row * 2 * cells + j] = reset[i] * before[i] * r[i] * (1 - r[i]);
                previous[i] = reset[i] * r[i] + dh[i] * u[i];
                """))
        program.add(
            g.product(
                byCandidate, weights, row: 0, columns: g.cells, to: dx, from: g.cells, to: g.inputs, transposed: true))
        program.add(
            g.product(
                byGates, gateWeights, row: 0, columns: gates, to: dx, from: gates, to: g.inputs, transposed: true,
                adds: true))
        program.add(
            g.product(
                byGates, gateWeights, row: g.inputs, columns: gates, to: dhPrev, from: gates, to: g.cells,
                transposed: true, adds: true))
        return program
    }
}
