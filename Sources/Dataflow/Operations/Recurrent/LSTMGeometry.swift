internal import CKernels

/// In which order a row of gates holds the input gate (i), the forget gate (f), the cell input (c) and the output gate (o).
enum GateOrder {
    /// TensorFlow 1's `BlockLSTM` and `LSTMBlockCell`.
    case icfo
    /// `BlockLSTMV2`'s, which is Keras's and cuDNN's.
    case ifco
}

/// The sizes of an LSTM that a kernel is bound for, and where its inputs are.
struct LSTMGeometry {
    /// 1 for a single step.
    let time: Int
    let batch: Int, inputs: Int, cells: Int
    /// Where input `x` is among the operation's inputs; cs_prev, h_prev, w, wci, wcf, wco, b follow.
    let first: Int
    let usesPeepholes: Bool
    /// Threads that divide the rows of a batch.
    let threads: Int
    var layout: tributary_lstm

    init(_ binding: KernelBinding, _ order: GateOrder, hasTime: Bool) throws {
        first = hasTime ? 1 : 0
        let x = binding.inputs[first].shape.knownExtents
        (time, batch, inputs) = (hasTime ? x[0] : 1, x[x.count - 2], x[x.count - 1])
        cells = binding.inputs[first + 2].shape.knownExtents[1]
        usesPeepholes = try binding.attributes.bool("use_peephole")
        let work = hasTime ? batch * cells * max(16, cells / 4) : batch * cells * 16
        threads = min(usefulThreads(binding.threads, work: work), max(batch, 1))
        layout = tributary_lstm(
            cells: cells, cell_input: order == .icfo ? cells : 2 * cells,
            forget_gate: order == .icfo ? 2 * cells : cells, forget_bias: 0, clip: 0)
    }

    /// Steps to multiply at once: as many as fill a matrix of some hundred rows, whose gates stay in the cache until they
    /// are used.
    var chunk: Int { max(1, min(time, 256 / max(batch, 1))) }
    /// Elements of a state [batch, cells].
    var state: Int { batch * cells }
    /// Elements of the gates of one step, [batch, 4 · cells].
    var gates: Int { batch * 4 * cells }

    /// [rows, inputs] · [inputs, 4 · cells].
    func inputProduct(rows: Int) -> MatMul.Geometry { MatMul.Geometry(m: rows, n: 4 * cells, k: inputs) }
    /// [batch, cells] · [cells, 4 · cells].
    var stateProduct: MatMul.Geometry { MatMul.Geometry(m: batch, n: 4 * cells, k: cells) }

    /// Runs `body` with the peephole weights, or with nil where there are none.
    func withPeepholes<Scalar>(
        _ memory: RunMemory, _ binding: KernelBinding, _ type: Scalar.Type,
        _ body: (UnsafePointer<UnsafePointer<Scalar>?>?) throws -> Void
    ) rethrows where Scalar: CellScalar {
        guard usesPeepholes else { return try body(nil) }
        let weights: [UnsafePointer<Scalar>?] = (4...6).map {
            UnsafePointer(memory.pointer(binding.input(first + $0), type))
        }
        try weights.withUnsafeBufferPointer { try body($0.baseAddress) }
    }

    /// The rows of a batch that part `part` of a loop takes.
    func rows(_ part: Int) -> Range<Int> { batch * part / threads..<batch * (part + 1) / threads }

    /// Reads how many steps to take.
    func steps(_ memory: RunMemory, _ binding: KernelBinding, _ operation: any Operation.Type) throws -> Int {
        let steps = Int(memory.pointer(binding.input(0), Int64.self).pointee)
        guard steps >= 0, steps <= time else {
            throw GraphError("'seq_len_max' is \(steps), but 'x' has \(time) steps")
        }
        return steps
    }
}
