internal import CKernels

/// Runs an `ElementwiseProgram` over whole tensors that broadcast to one shape.
final class ElementwiseLoop {
    /// The most elements of a tile.
    static let tile = 1024
    /// Bytes that the tiles of all registers take together: they stay in the first level's cache.
    private static let cache = 24 * 1024

    private let program: ElementwiseProgram
    private let layout: Broadcasting
    private let inputSlots: [Slot]
    private let outputSlots: [Slot]
    private let outputSizes: [Int]
    private let threads: Int
    /// For each register, its inner stride in bytes (0 for a repeated element).
    private let strides: [Int]
    /// Instructions over repeated elements alone, such as a scalar learning rate's: run once for each row, not tile.
    private let uniform: [ElementwiseProgram.Instruction]
    private let varying: [ElementwiseProgram.Instruction]
    private let sizes: [Int]
    /// Registers that repeat one element: inputs of inner stride 0.
    private let splats: [(register: Int, input: Int)]
    /// Registers that repeat a few elements over and over, such as a bias for the channels, and how many.
    private let patterns: [(register: Int, input: Int, period: Int)]
    /// Scratch tiles for each thread, with those of constants filled in.
    private let scratch: UnsafeMutableRawPointer
    private let scratchPerThread: Int
    private let tileElements: Int
    /// Where a register's tile is in a thread's scratch.
    private let offsets: [Int]

    convenience init(
        _ expressions: [Expression], inputs: [TensorSpec], inputSlots: [Slot], outputs: [TensorSpec],
        outputSlots: [Slot], threads: Int
    ) throws {
        let operands = inputs.indices.map { ElementwiseTerm.Operand.input($0) }
        let terms = expressions.enumerated().map { ElementwiseTerm(expression: $1, operands: operands, output: $0) }
        try self.init(
            terms, inputs: inputs, inputSlots: inputSlots, outputs: outputs, outputSlots: outputSlots, threads: threads)
    }

    init(
        _ terms: [ElementwiseTerm], inputs: [TensorSpec], inputSlots: [Slot], outputs: [TensorSpec],
        outputSlots: [Slot], threads: Int
    ) throws {
        // Texts are chosen and compared by their numbers.
        let type = { (spec: TensorSpec) in spec.dtype == .string ? DType.int64 : spec.dtype }
        program = try ElementwiseProgram(terms, inputs: inputs.map(type), outputs: outputs.map(type))
        let shape = outputs[0].shape
        var layout = Broadcasting(inputs.map(\.shape), to: shape)
        let periods = layout.flattenPatterns(atMost: ElementwiseLoop.tile / 2)
        self.layout = layout
        self.inputSlots = inputSlots
        self.outputSlots = outputSlots
        outputSizes = outputs.map(\.dtype.size)
        self.threads = usefulThreads(threads, work: shape.elementCount ?? 0)
        sizes = program.types.map(\.size)

        var strides: [Int] = []
        var splats: [(register: Int, input: Int)] = []
        var patterns: [(register: Int, input: Int, period: Int)] = []
        /// Registers whose tile holds for a whole row.
        var isUniform: [Bool] = []
        var hasOwnTile: [Bool] = []
        var streams = 0
        for (r, register) in program.registers.enumerated() {
            var (stride, uniform, own) = (0, false, false)
            switch register {
            case .input(let i):
                if let period = periods[i] {
                    patterns.append((r, i, period))
                    own = true
                } else if layout.innerStrides[i] == 0 {
                    splats.append((r, i))
                    (uniform, own) = (true, true)
                } else {
                    stride = sizes[r]
                    streams += 1
                }
            case .constant: (uniform, own) = (true, true)
            case .scratch: break
            case .output:
                stride = sizes[r]
                streams += 1
            }
            strides.append(stride)
            isUniform.append(uniform)
            hasOwnTile.append(own)
        }
        var (uniform, varying): ([ElementwiseProgram.Instruction], [ElementwiseProgram.Instruction]) = ([], [])
        for instruction in program.instructions {
            if case .scratch = program.registers[instruction.out], instruction.operands.allSatisfy({ isUniform[$0] }) {
                isUniform[instruction.out] = true
                hasOwnTile[instruction.out] = true
                uniform.append(instruction)
            } else {
                varying.append(instruction)
            }
        }
        self.uniform = uniform
        self.varying = varying
        self.strides = strides
        self.splats = splats
        self.patterns = patterns

        let places = ElementwiseLoop.places(program, varying, sizes: sizes, hasOwnTile: hasOwnTile)
        let tiles = (places.compactMap { $0 }.max() ?? -1) + 1
        let width = max(sizes.max() ?? 4, 4)
        var elements = ElementwiseLoop.cache / (max(tiles + streams, 1) * width) & ~63
        elements = min(max(elements, 128), ElementwiseLoop.tile)
        if let period = periods.compactMap({ $0 }).max() { elements = max(elements / period, 1) * period }
        tileElements = min(elements, max(layout.inner, 1))
        let tileBytes = (tileElements * width + 63) & ~63
        offsets = places.map { ($0 ?? 0) * tileBytes }
        scratchPerThread = max(tiles * tileBytes, 64)
        scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchPerThread * self.threads, alignment: 64)
        for thread in 0..<self.threads {
            for (r, register) in program.registers.enumerated() {
                if case .constant(let value, let type) = register {
                    Tensor.numbers([Double](repeating: value, count: tileElements), dtype: type, sized: [tileElements])
                        .withUnsafeBytes { bytes in
                            (scratch + thread * scratchPerThread + offsets[r])
                                .copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                        }
                }
            }
        }
    }

    deinit { scratch.deallocate() }

    /// Bytes that it keeps from run to run.
    var byteCount: Int { scratchPerThread * threads }

    /// A tile for each register that needs one. Scratch registers share tiles that are not in use at the same time, and an
    /// instruction may write where it reads.
    private static func places(
        _ program: ElementwiseProgram, _ varying: [ElementwiseProgram.Instruction], sizes: [Int], hasOwnTile: [Bool]
    ) -> [Int?] {
        var places = [Int?](repeating: nil, count: program.registers.count)
        var count = 0
        for r in places.indices where hasOwnTile[r] {
            places[r] = count
            count += 1
        }
        var lastUse: [Int: Int] = [:]
        for (i, instruction) in varying.enumerated() {
            for r in instruction.operands { lastUse[r] = i }
        }
        for copy in program.copies { lastUse[copy.register] = varying.count }
        var free: [Int] = []
        for (i, instruction) in varying.enumerated() {
            let dying = Set(instruction.operands).filter { r in
                if case .scratch = program.registers[r] { return !hasOwnTile[r] && lastUse[r] == i }
                return false
            }
            // In place only where elements are of one size: the loop runs over several at a time.
            let reused = dying.sorted().first { sizes[$0] == sizes[instruction.out] }
            if case .scratch = program.registers[instruction.out] {
                if let reused {
                    places[instruction.out] = places[reused]
                } else if let tile = free.popLast() {
                    places[instruction.out] = tile
                } else {
                    places[instruction.out] = count
                    count += 1
                }
                for r in dying where r != reused { if let tile = places[r] { free.append(tile) } }
            } else {
                for r in dying { if let tile = places[r] { free.append(tile) } }
            }
        }
        return places
    }

    func run(_ memory: RunMemory) {
        let outer = layout.outerCount
        guard outer * layout.inner > 0 else { return }
        guard threads > 1 else { return runPart(memory, 0, 0..<outer, 0..<layout.inner) }
        // Split the outer positions if there are enough, else the inner run at multiples of a tile.
        if outer >= threads * 4 {
            parallel(threads) { part in
                runPart(memory, part, outer * part / threads..<outer * (part + 1) / threads, 0..<layout.inner)
            }
        } else {
            let tiles = (layout.inner + tileElements - 1) / tileElements
            parallel(threads) { part in
                let start = tiles * part / threads * tileElements
                let end = min(tiles * (part + 1) / threads * tileElements, layout.inner)
                if start < end { runPart(memory, part, 0..<outer, start..<end) }
            }
        }
    }

    /// Runs over the first `count` elements alone, on the caller's thread; of operands that are vectors or scalars.
    func run(_ memory: RunMemory, first count: Int) {
        if count > 0 { runPart(memory, 0, 0..<1, 0..<count) }
    }

    private func runPart(_ memory: RunMemory, _ thread: Int, _ outer: Range<Int>, _ range: Range<Int>) {
        let tiles = scratch + thread * scratchPerThread
        let inner = layout.inner
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: strides.count) { pointers in
            for r in strides.indices { pointers[r] = tiles + offsets[r] }
            for pattern in patterns {
                let size = sizes[pattern.register]
                let count = pattern.period * size
                for start in stride(from: 0, to: tileElements * size, by: count) {
                    (pointers[pattern.register] + start).copyMemory(
                        from: memory.raw(inputSlots[pattern.input]), byteCount: count)
                }
            }
            for position in outer {
                // Operands' rows.
                for r in strides.indices {
                    switch program.registers[r] {
                    case .input(let i) where strides[r] != 0:
                        let offset = layout.offset(i, at: position) + range.lowerBound
                        pointers[r] = memory.raw(inputSlots[i]) + offset * sizes[r]
                    case .output(let o):
                        pointers[r] = memory.raw(outputSlots[o]) + (position * inner + range.lowerBound) * sizes[r]
                    default: break
                    }
                }
                let longest = min(tileElements, range.count)
                for splat in splats {
                    let size = sizes[splat.register]
                    fill(
                        pointers[splat.register],
                        from: memory.raw(inputSlots[splat.input]) + layout.offset(splat.input, at: position) * size,
                        size: size, count: longest)
                }
                for instruction in uniform {
                    instruction.tile(
                        pointers[instruction.a], pointers[instruction.b], pointers[instruction.c],
                        pointers[instruction.out], longest)
                }
                var start = range.lowerBound
                while start < range.upperBound {
                    let count = min(tileElements, range.upperBound - start)
                    for instruction in varying {
                        instruction.tile(
                            pointers[instruction.a], pointers[instruction.b], pointers[instruction.c],
                            pointers[instruction.out], count)
                    }
                    for copy in program.copies {
                        let size = outputSizes[copy.output]
                        let target = memory.raw(outputSlots[copy.output]) + (position * inner + start) * size
                        if target != pointers[copy.register] {
                            target.copyMemory(from: pointers[copy.register], byteCount: count * size)
                        }
                    }
                    for r in strides.indices { pointers[r] += count * strides[r] }
                    start += count
                }
            }
        }
    }

    private func fill(_ target: UnsafeMutableRawPointer, from source: UnsafeMutableRawPointer, size: Int, count: Int) {
        switch size {
        case 1: target.assumingMemoryBound(to: UInt8.self).update(repeating: source.load(as: UInt8.self), count: count)
        case 4:
            target.assumingMemoryBound(to: UInt32.self).update(repeating: source.load(as: UInt32.self), count: count)
        default:
            target.assumingMemoryBound(to: UInt64.self).update(repeating: source.load(as: UInt64.self), count: count)
        }
    }
}
