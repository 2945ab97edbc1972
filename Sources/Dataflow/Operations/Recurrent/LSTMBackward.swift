internal import CKernels

/// The gradient of an LSTM, step by step from the last to the first. The gradients of the weights are products over as many
/// steps at once as stay in the cache.
struct LSTMBackward<Scalar: CellScalar> {
    let geometry: LSTMGeometry
    private let binding: KernelBinding
    private let hasTime: Bool
    /// Steps whose gradients are multiplied at once.
    private let chunk: Int
    /// The gradient by what arrives at the gates of a chunk's steps, [chunk · batch, 4 · cells].
    private let gates: Workspace<Scalar>
    /// The weights of the output of the step before, transposed, [4 · cells, cells]: packed, or as they are, which oneDNN
    /// reads about four times as fast for a matrix of few rows.
    private let packed: PackedProduct<Scalar>?
    private let stateWeights: Workspace<Scalar>
    /// Of a whole chunk of steps: the gates, packed, and what they are multiplied with for the gradients of the weights, the
    /// inputs and the outputs before, transposed, [inputs + cells, chunk · batch]. oneDNN reads a transposed factor at half
    /// the speed.
    private let packedGates: PackedProduct<Scalar>?
    private let transposed: Workspace<Scalar>
    /// h_prev and the outputs of the first chunk, one after the other.
    private let firstOutputs: Workspace<Scalar>
    /// What a single step passes to the output before it, which the caller's graph computes.
    private let passed: Workspace<Scalar>

    init(_ binding: KernelBinding, _ order: GateOrder, hasTime: Bool) throws {
        geometry = try LSTMGeometry(binding, order, hasTime: hasTime)
        self.binding = binding
        self.hasTime = hasTime
        chunk = geometry.chunk
        var scratch = ScratchLayout(binding)
        gates = scratch.room(Scalar.self, count: hasTime ? chunk * geometry.gates : 0)
        packed = geometry.time > 1 ? PackedProduct(k: 4 * geometry.cells, n: geometry.cells, &scratch) : nil
        stateWeights = scratch.room(
            Scalar.self, count: hasTime && packed == nil ? 4 * geometry.cells * geometry.cells : 0)
        let rows = chunk * geometry.batch
        packedGates = geometry.time > 1 ? PackedProduct(k: rows, n: 4 * geometry.cells, &scratch) : nil
        let isPacked = packedGates != nil
        transposed = scratch.room(Scalar.self, count: isPacked ? (geometry.inputs + geometry.cells) * rows : 0)
        firstOutputs = scratch.room(Scalar.self, count: isPacked ? chunk * geometry.state : 0)
        passed = scratch.room(Scalar.self, count: hasTime ? 0 : geometry.state)
    }

    /// The input that stands `i` after x.
    private func input(_ memory: RunMemory, _ i: Int) -> UnsafePointer<Scalar> {
        UnsafePointer(memory.pointer(binding.input(geometry.first + i), Scalar.self))
    }

    private func output(_ memory: RunMemory, _ i: Int) -> UnsafeMutablePointer<Scalar> {
        memory.pointer(binding.output(i), Scalar.self)
    }

    private func clear(_ memory: RunMemory, _ outputs: [Int]) {
        for i in outputs { output(memory, i).update(repeating: 0, count: binding.outputCount(i)) }
    }

    /// For a single step: cs_prev_grad, the gates' gradient, and the peepholes'.
    func runStep(_ memory: RunMemory) throws {
        clear(memory, [0, 2, 3, 4])
        passed.pointer.update(repeating: 0, count: geometry.state)
        try propagate(memory, 0..<1, csGrad: output(memory, 0), hGrad: passed.pointer, gates: output(memory, 1))
        addPeepholes(memory, 0..<1, gates: output(memory, 1), to: 2)
    }

    /// For a sequence: the gradients of all inputs.
    func runSequence(_ memory: RunMemory, steps: Int) throws {
        let g = geometry
        clear(memory, Array(1...7))
        let (x, hPrev, w, h) = (input(memory, 0), input(memory, 2), input(memory, 3), input(memory, 14))
        let (xGrad, wGrad) = (output(memory, 0), output(memory, 3))
        let (columns, row) = (4 * g.cells, g.batch * g.inputs)
        if let packed {
            packed.pack(w + g.inputs * columns, rowStep: 1, columnStep: columns, threads: binding.threads)
        } else {
            transpose(w + g.inputs * columns, rows: g.cells, columns: columns, to: stateWeights.pointer)
        }
        (xGrad + steps * row).update(repeating: 0, count: (g.time - steps) * row)
        for end in stride(from: steps, to: 0, by: -chunk) {
            let range = max(end - chunk, 0)..<end
            let (start, gates) = (range.lowerBound, gates.pointer)
            try propagate(memory, range, csGrad: output(memory, 1), hGrad: output(memory, 2), gates: gates)
            try MatMul.multiply(
                MatMul.Geometry(m: range.count * g.batch, n: g.inputs, k: columns, transposeB: true), gates, w,
                xGrad + start * row)
            try addWeightGradients(range, gates, x, hPrev: hPrev, h: h, to: wGrad)
            addPeepholes(memory, range, gates: gates, to: 4)
            addColumnSums(of: gates, rows: range.count * g.batch, columns: columns, to: output(memory, 7))
        }
    }

    /// Adds to the gradient of the weights what comes from some steps, whose `gates` begin at the first of them.
    private func addWeightGradients(
        _ steps: Range<Int>, _ gates: UnsafePointer<Scalar>, _ x: UnsafePointer<Scalar>, hPrev: UnsafePointer<Scalar>,
        h: UnsafePointer<Scalar>, to wGrad: UnsafeMutablePointer<Scalar>
    ) throws {
        let (g, rows, threads, start) = (geometry, steps.count * geometry.batch, binding.threads, steps.lowerBound)
        let (columns, inputs) = (4 * g.cells, x + start * g.batch * g.inputs)
        guard let packedGates, steps.count == chunk else {
            let product = { (inputs: Int, steps: Int) in
                MatMul.Geometry(m: inputs, n: columns, k: steps * g.batch, transposeA: true)
            }
            try MatMul.multiply(product(g.inputs, steps.count), inputs, gates, wGrad, adding: true)
            // The outputs that the steps started from: h_prev for the first, for the others h of the step before.
            let stateGrad = wGrad + g.inputs * columns
            let first = start == 0 ? 1 : 0
            if start == 0 { try MatMul.multiply(product(g.cells, 1), hPrev, gates, stateGrad, adding: true) }
            return try MatMul.multiply(
                product(g.cells, steps.count - first), h + (start + first - 1) * g.state, gates + first * g.gates,
                stateGrad, adding: true)
        }
        var outputs = h + (start - 1) * g.state
        if start == 0 {
            firstOutputs.pointer.update(from: hPrev, count: g.state)
            (firstOutputs.pointer + g.state).update(from: h, count: (steps.count - 1) * g.state)
            outputs = UnsafePointer(firstOutputs.pointer)
        }
        parallel(2) { part in
            if part == 0 {
                transpose(inputs, rows: rows, columns: g.inputs, to: transposed.pointer)
            } else {
                transpose(outputs, rows: rows, columns: g.cells, to: transposed.pointer + g.inputs * rows)
            }
        }
        packedGates.pack(gates, rowStep: columns, columnStep: 1, threads: threads)
        let all = g.inputs + g.cells
        parallel(threads) { part in
            packedGates.multiply(
                rows: all * part / threads..<all * (part + 1) / threads, transposed.pointer, wGrad, adding: true)
        }
    }

    /// Fills `gates`, which begin at the first of `steps`; `csGrad` and `hGrad` hold what goes from a step to the one before
    /// it, and at the end what arrives at cs_prev and h_prev.
    private func propagate(
        _ memory: RunMemory, _ steps: Range<Int>, csGrad: UnsafeMutablePointer<Scalar>,
        hGrad: UnsafeMutablePointer<Scalar>, gates: UnsafeMutablePointer<Scalar>
    ) throws {
        let g = geometry
        // i, cs, f, o, ci, co, cs_grad, h_grad; of a sequence, h stands before the gradients.
        let positions = Array(8..<14) + (hasTime ? [15, 16] : [14, 15])
        let values: [UnsafePointer<Scalar>?] = positions.map { input(memory, $0) }
        let (csPrev, cs) = (input(memory, 1), input(memory, 9))
        let stateProduct = MatMul.Geometry(m: g.batch, n: g.cells, k: 4 * g.cells)
        let backward = Scalar.lstmBackward
        try g.withPeepholes(memory, binding, Scalar.self) { peepholes in
            try values.withUnsafeBufferPointer { values in
                func cells(_ t: Int, _ here: UnsafeMutablePointer<Scalar>, _ rows: Range<Int>) {
                    let stateBefore = t == 0 ? csPrev : cs + (t - 1) * g.state
                    withUnsafePointer(to: g.layout) { layout in
                        backward(
                            layout, peepholes, stateBefore, values.baseAddress, t * g.state, hGrad, csGrad, here,
                            rows.lowerBound, rows.upperBound)
                    }
                }
                let here = { (t: Int) in gates + (t - steps.lowerBound) * g.gates }
                if let packed {
                    parallel(g.threads) { part in
                        for t in steps.reversed() {
                            cells(t, here(t), g.rows(part))
                            packed.multiply(rows: g.rows(part), here(t), hGrad)
                        }
                    }
                } else {
                    for t in steps.reversed() {
                        parallel(g.threads) { part in cells(t, here(t), g.rows(part)) }
                        if hasTime { try MatMul.multiply(stateProduct, here(t), stateWeights.pointer, hGrad) }
                    }
                }
            }
        }
    }

    /// Adds the gradients of wci, wcf and wco to the outputs from number `first` on.
    private func addPeepholes(_ memory: RunMemory, _ steps: Range<Int>, gates: UnsafePointer<Scalar>, to first: Int) {
        let g = geometry
        guard g.usesPeepholes else { return }
        let (byInput, byForget, byOutput) = (
            output(memory, first), output(memory, first + 1), output(memory, first + 2)
        )
        let (csPrev, cs) = (input(memory, 1), input(memory, 9))
        for row in 0..<steps.count * g.batch {
            let gate = gates + row * 4 * g.cells
            let (forget, out) = (gate + g.layout.forget_gate, gate + 3 * g.cells)
            let place = row + steps.lowerBound * g.batch
            let state = cs + place * g.cells
            let before = place < g.batch ? csPrev + place * g.cells : cs + (place - g.batch) * g.cells
            for j in 0..<g.cells {
                byInput[j] += gate[j] * before[j]
                byForget[j] += forget[j] * before[j]
                byOutput[j] += out[j] * state[j]
            }
        }
    }
}
