/// A copy between two memories that walk through the same extents, each in strides of its own (in elements).
///
/// Neighbouring dimensions that both sides walk evenly are merged; a run that is contiguous on both sides is one memory copy.
struct StridedCopy {
    private(set) var extents: [Int] = []
    private(set) var from: [Int] = []
    private(set) var to: [Int] = []
    let fromOffset: Int
    let toOffset: Int

    init(_ extents: [Int], from: [Int], to: [Int], fromOffset: Int = 0, toOffset: Int = 0) {
        self.fromOffset = fromOffset
        self.toOffset = toOffset
        for i in extents.indices where extents[i] != 1 {
            if let last = self.extents.indices.last, self.from[last] == from[i] * extents[i],
                self.to[last] == to[i] * extents[i]
            {
                self.extents[last] *= extents[i]
                self.from[last] = from[i]
                self.to[last] = to[i]
            } else {
                self.extents.append(extents[i])
                self.from.append(from[i])
                self.to.append(to[i])
            }
        }
    }

    /// A copy into memory that is written from end to end.
    init(_ extents: [Int], from: [Int], fromOffset: Int = 0) {
        self.init(extents, from: from, to: Shape(extents).strides, fromOffset: fromOffset)
    }

    /// Whether what is copied lies in one piece, in order.
    var isContiguous: Bool { extents.isEmpty || (extents.count == 1 && from == [1] && to == [1]) }

    func run<Element: BitwiseCopyable>(
        _ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer, as type: Element.Type, threads: Int
    ) {
        let rows = extents.dropLast().reduce(1, *)
        let work = rows * (extents.last ?? 1)
        guard work > 0 else { return }
        let x = source.assumingMemoryBound(to: Element.self) + fromOffset
        let y = target.assumingMemoryBound(to: Element.self) + toOffset
        let parts = min(usefulThreads(threads, work: work), rows)
        if parts <= 1 { return run(x, y, rows: 0..<rows) }
        parallel(parts) { part in run(x, y, rows: rows * part / parts..<rows * (part + 1) / parts) }
    }

    private func run<Element: BitwiseCopyable>(
        _ source: UnsafeMutablePointer<Element>, _ target: UnsafeMutablePointer<Element>, rows: Range<Int>
    ) {
        let outer = max(extents.count - 1, 0)
        let (count, stepFrom, stepTo) = (extents.last ?? 1, from.last ?? 1, to.last ?? 1)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: max(outer, 1)) { position in
            var (x, y) = (source, target)
            var rest = rows.lowerBound
            for d in stride(from: outer - 1, through: 0, by: -1) {
                position[d] = rest % extents[d]
                rest /= extents[d]
                x += position[d] * from[d]
                y += position[d] * to[d]
            }
            for _ in rows {
                if stepTo == 1, stepFrom == 1 {
                    y.update(from: x, count: count)
                } else if stepTo == 1, stepFrom == 0 {
                    y.update(repeating: x.pointee, count: count)
                } else {
                    for i in 0..<count { y[i * stepTo] = x[i * stepFrom] }
                }
                var d = outer - 1
                while d >= 0 {
                    position[d] += 1
                    x += from[d]
                    y += to[d]
                    if position[d] < extents[d] { break }
                    x -= extents[d] * from[d]
                    y -= extents[d] * to[d]
                    position[d] = 0
                    d -= 1
                }
            }
        }
    }

    /// The copy from `input` to `output` for elements of `size` bytes.
    func kernel(from input: Slot, to output: Slot, size: Int, threads: Int) -> Kernel {
        switch size {
        case 1: { run($0.raw(input), $0.raw(output), as: UInt8.self, threads: threads) }
        case 2: { run($0.raw(input), $0.raw(output), as: UInt16.self, threads: threads) }
        case 4: { run($0.raw(input), $0.raw(output), as: UInt32.self, threads: threads) }
        default: { run($0.raw(input), $0.raw(output), as: UInt64.self, threads: threads) }
        }
    }

    /// The copy from input `input` to output 0 of an operation.
    func kernel(_ binding: KernelBinding, from input: Int = 0) -> Kernel {
        kernel(
            from: binding.input(input), to: binding.output(), size: binding.outputs[0].dtype.size,
            threads: binding.threads)
    }
}

extension KernelBinding {
    /// A kernel that needs the values of `inputs`: made now where they are known, else anew in every run.
    func late(_ inputs: [Int], _ make: @escaping (KernelBinding) throws -> Kernel) throws -> Kernel {
        let unknown = inputs.filter { constants[$0] == nil }
        if unknown.isEmpty { return try make(self) }
        return { memory in
            var binding = self
            for i in unknown {
                let spec = self.inputs[i]
                binding.constants[i] = Tensor(dtype: spec.dtype, sized: spec.shape) { bytes in
                    bytes.copyMemory(
                        from: UnsafeRawBufferPointer(start: memory.raw(inputSlots[i]), count: bytes.count))
                }
            }
            try make(binding)(memory)
        }
    }

    /// Sets every byte of output 0 to zero.
    func clearing() -> Kernel {
        let (out, bytes) = (output(), outputCount() * outputs[0].dtype.size)
        return { memory in memory.raw(out).initializeMemory(as: UInt8.self, repeating: 0, count: bytes) }
    }
}

/// An integer input read element by element, whatever its width.
struct IndexInput {
    private let slot: Slot
    private let dtype: DType

    init(_ binding: KernelBinding, _ input: Int) {
        slot = binding.input(input)
        dtype = binding.inputs[input].dtype
    }

    @inline(__always) func read(_ memory: RunMemory, _ i: Int) -> Int {
        switch dtype {
        case .int64: Int(memory.pointer(slot, Int64.self)[i])
        case .uint8: Int(memory.pointer(slot, UInt8.self)[i])
        default: Int(memory.pointer(slot, Int32.self)[i])
        }
    }
}

/// The extents of `x` as a vector of `dtype`.
func shape(_ x: Node, as dtype: DType) -> Node { apply(ShapeOperation.self, [x], ["out_type": .type(dtype)]) }
