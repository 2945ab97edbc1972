internal import CKernels

/// The gradient of an LSTM, step by step from the last to the first.
struct LSTMBackward<Scalar: CellScalar> {
    let geometry: LSTMGeometry
    private let binding: KernelBinding
    /// The gradient by what arrives at the gates, [time, batch, 4 · cells], where it is no output.
    let gates: Workspace<Scalar>
    /// What a step passes to the output before it, where that is no output, [batch, cells].
    private let passed: Workspace<Scalar>

    init(_ binding: KernelBinding, _ order: GateOrder, hasTime: Bool) throws {
        geometry = try LSTMGeometry(binding, order, hasTime: hasTime)
        self.binding = binding
        gates = Workspace(count: hasTime ? geometry.time * geometry.gates : 0)
        passed = Workspace(count: hasTime ? 0 : geometry.state)
    }

    func input(_ frame: Frame, _ i: Int) -> UnsafePointer<Scalar> {
        UnsafePointer(frame.pointer(binding.input(geometry.first + i), Scalar.self))
    }

    func output(_ frame: Frame, _ i: Int) -> UnsafeMutablePointer<Scalar> {
        frame.pointer(binding.output(i), Scalar.self)
    }

    /// For a single step: cs_prev_grad, the gates' gradient, and the peepholes'.
    func runStep(_ frame: Frame) throws {
        passed.pointer.update(repeating: 0, count: geometry.state)
        try propagate(frame, steps: 1, csGrad: output(frame, 0), hGrad: passed.pointer, gates: output(frame, 1))
        sumPeepholes(frame, steps: 1, gates: output(frame, 1), to: 2)
    }

    /// For a sequence: the gradients of all inputs.
    func runSequence(_ frame: Frame, steps: Int) throws {
        let g = geometry
        try propagate(frame, steps: steps, csGrad: output(frame, 1), hGrad: output(frame, 2), gates: gates.pointer)
        let (x, hPrev, w, h) = (input(frame, 0), input(frame, 2), input(frame, 3), input(frame, 14))
        let (xGrad, wGrad) = (output(frame, 0), output(frame, 3))
        let (rows, columns) = (steps * g.batch, 4 * g.cells)
        try MatMul.multiply(
            MatMul.Geometry(m: rows, n: g.inputs, k: columns, transposeB: true), gates.pointer, w, xGrad)
        (xGrad + rows * g.inputs).update(repeating: 0, count: (g.time - steps) * g.batch * g.inputs)
        try MatMul.multiply(
            MatMul.Geometry(m: g.inputs, n: columns, k: rows, transposeA: true), x, gates.pointer, wGrad)
        // The outputs that the steps started from: h_prev for the first, h of the step before for the others.
        let stateGrad = wGrad + g.inputs * columns
        let before = { (count: Int) in
            MatMul.Geometry(m: g.cells, n: columns, k: count * g.batch, transposeA: true)
        }
        try MatMul.multiply(before(min(steps, 1)), hPrev, gates.pointer, stateGrad)
        try MatMul.multiply(before(max(steps - 1, 0)), h, gates.pointer + g.gates, stateGrad, adding: true)
        sumPeepholes(frame, steps: steps, gates: gates.pointer, to: 4)
        sumColumns(gates.pointer, rows: rows, columns: columns, to: output(frame, 7))
    }

    /// Fills `gates`; `csGrad` and `hGrad` hold what goes from a step to the one before it, and at the end what arrives at
    /// cs_prev and h_prev.
    private func propagate(
        _ frame: Frame, steps: Int, csGrad: UnsafeMutablePointer<Scalar>, hGrad: UnsafeMutablePointer<Scalar>,
        gates: UnsafeMutablePointer<Scalar>
    ) throws {
        let g = geometry
        let hasTime = g.first == 1
        // i, cs, f, o, ci, co; of a sequence, h stands before the gradients.
        let values: [UnsafePointer<Scalar>?] = (Array(8..<14) + (hasTime ? [15, 16] : [14, 15])).map {
            input(frame, $0)
        }
        let (csPrev, cs) = (input(frame, 1), input(frame, 9))
        let stateWeights = input(frame, 3) + g.inputs * 4 * g.cells
        let stateProduct = MatMul.Geometry(m: g.batch, n: g.cells, k: 4 * g.cells, transposeB: true)
        let backward = Scalar.lstmBackward
        csGrad.update(repeating: 0, count: g.state)
        hGrad.update(repeating: 0, count: g.state)
        try g.withPeepholes(frame, binding, Scalar.self) { peepholes in
            try values.withUnsafeBufferPointer { values in
                for t in stride(from: steps - 1, through: 0, by: -1) {
                    let here = gates + t * g.gates
                    let stateBefore = t == 0 ? csPrev : cs + (t - 1) * g.state
                    parallel(g.threads) { part in
                        let rows = g.rows(part)
                        withUnsafePointer(to: g.layout) { layout in
                            backward(
                                layout, peepholes, stateBefore, values.baseAddress, t * g.state, hGrad, csGrad, here,
                                rows.lowerBound, rows.upperBound)
                        }
                    }
                    // Of a single step the caller's graph multiplies.
                    if hasTime { try MatMul.multiply(stateProduct, here, stateWeights, hGrad) }
                }
            }
        }
    }

    /// The gradients of wci, wcf and wco into the outputs from `first` on: zeros without peepholes.
    private func sumPeepholes(_ frame: Frame, steps: Int, gates: UnsafePointer<Scalar>, to first: Int) {
        let g = geometry
        let targets = (0..<3).map { output(frame, first + $0) }
        for target in targets { target.update(repeating: 0, count: g.cells) }
        guard g.usesPeepholes else { return }
        let (csPrev, cs) = (input(frame, 1), input(frame, 9))
        for row in 0..<steps * g.batch {
            let gate = gates + row * 4 * g.cells
            let (forget, out) = (gate + g.layout.forget_gate, gate + 3 * g.cells)
            let state = cs + row * g.cells
            let before = row < g.batch ? csPrev + row * g.cells : cs + (row - g.batch) * g.cells
            for j in 0..<g.cells {
                targets[0][j] += gate[j] * before[j]
                targets[1][j] += forget[j] * before[j]
                targets[2][j] += out[j] * state[j]
            }
        }
    }
}
