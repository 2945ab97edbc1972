internal import CKernels

/// A program of tiles: expressions over operands, evaluated for some thousand elements at a time, so that what lies between
/// two primitives stays in the cache.
struct ElementwiseProgram {
    /// Where a register's elements are.
    enum Register {
        case input(Int)
        case constant(Double, DType)
        case scratch(Int)
        case output(Int)
    }

    struct Instruction {
        let tile: tributary_tile
        let a: Int, b: Int, c: Int, out: Int
    }

    private(set) var registers: [Register] = []
    private(set) var types: [DType] = []
    private(set) var instructions: [Instruction] = []
    private(set) var scratchCount = 0
    /// Results that are an operand as it is: output index, register.
    private(set) var copies: [(output: Int, register: Int)] = []

    /// Compiles `expressions`, one for each output, over inputs of the given types.
    init(_ expressions: [Expression], inputs: [DType], outputs: [DType]) throws {
        let number = inputs.first { $0 != .bool } ?? outputs.first ?? .float32
        for (i, type) in inputs.enumerated() {
            registers.append(.input(i))
            types.append(type)
        }
        for (i, expression) in expressions.enumerated() {
            let before = instructions.count
            let register = try compile(expression, number: number)
            if instructions.count > before, case .scratch = registers[register], instructions.last?.out == register {
                registers[register] = .output(i)
            } else {
                copies.append((i, register))
            }
        }
    }

    private mutating func add(_ register: Register, _ type: DType) -> Int {
        registers.append(register)
        types.append(type)
        return registers.count - 1
    }

    private mutating func scratch(_ type: DType) -> Int {
        defer { scratchCount += 1 }
        return add(.scratch(scratchCount), type)
    }

    private mutating func compile(_ expression: Expression, number: DType) throws -> Int {
        switch expression {
        case .input(let i): return i
        case .constant(let value): return add(.constant(value, number), number)
        case .unary(let primitive, let x):
            let a = try compile(x, number: number)
            return try emit(primitive.tile, on: types[a], primitive.isPredicate, a, a, a, "\(primitive)")
        case .binary(let primitive, let x, let y):
            let a = try compile(x, number: number)
            let b = try compile(y, number: number)
            return try emit(primitive.tile, on: types[a], primitive.isPredicate, a, b, b, "\(primitive)")
        case .select(let condition, let x, let y):
            let c = try compile(condition, number: number)
            let a = try compile(x, number: number)
            let b = try compile(y, number: number)
            return try emit(TRIBUTARY_SELECT, on: types[a], false, c, a, b, "select")
        }
    }

    private mutating func emit(
        _ primitive: tributary_primitive, on type: DType, _ predicate: Bool, _ a: Int, _ b: Int, _ c: Int,
        _ name: String
    ) throws -> Int {
        guard let index = type.tileType, let tile = tributary_tile_for(primitive, index) else {
            throw GraphError("there is no \(name) of \(type)")
        }
        let out = scratch(predicate ? .bool : type)
        instructions.append(Instruction(tile: tile, a: a, b: b, c: c, out: out))
        return out
    }
}

extension DType {
    var tileType: tributary_type? {
        switch self {
        case .float32: TRIBUTARY_F32
        case .float64: TRIBUTARY_F64
        case .int32: TRIBUTARY_I32
        case .int64: TRIBUTARY_I64
        case .uint8: TRIBUTARY_U8
        case .bool: TRIBUTARY_BOOL
        case .bfloat16, .string, .resource: nil
        }
    }
}

/// Runs an `ElementwiseProgram` over whole tensors that broadcast to one shape.
final class ElementwiseLoop {
    /// Elements of a tile: with three operands of 4 bytes and some scratch it stays within 32 KiB.
    static let tile = 1024

    private let program: ElementwiseProgram
    private let layout: Broadcasting
    private let inputSlots: [Slot]
    private let outputSlots: [Slot]
    private let outputSizes: [Int]
    private let threads: Int
    private let registerCount: Int
    /// For each register, its inner stride in bytes (0 for a repeated element).
    private let strides: [Int]
    /// Instructions over repeated elements alone, such as a scalar learning rate's: run once for each row, not tile.
    private let uniform: [ElementwiseProgram.Instruction]
    private let varying: [ElementwiseProgram.Instruction]
    private let sizes: [Int]
    /// Registers that are one element repeated: inputs of inner stride 0.
    private let splats: [(register: Int, input: Int)]
    /// Scratch tiles for each thread, with those of constants filled in.
    private let scratch: UnsafeMutableRawPointer
    private let scratchPerThread: Int
    private let tileElements: Int
    private let constantOffset: [Int]

    init(
        _ expressions: [Expression], inputs: [TensorSpec], inputSlots: [Slot], outputs: [TensorSpec],
        outputSlots: [Slot], threads: Int
    ) throws {
        program = try ElementwiseProgram(expressions, inputs: inputs.map(\.dtype), outputs: outputs.map(\.dtype))
        let shape = outputs[0].shape
        layout = Broadcasting(inputs.map(\.shape), to: shape)
        self.inputSlots = inputSlots
        self.outputSlots = outputSlots
        outputSizes = outputs.map(\.dtype.size)
        self.threads = usefulThreads(threads, work: shape.elementCount ?? 0)
        registerCount = program.registers.count
        sizes = program.types.map(\.size)
        tileElements = min(ElementwiseLoop.tile, max(layout.inner, 1))
        let tileBytes = (tileElements * 8 + 63) & ~63
        var strides: [Int] = []
        var splats: [(register: Int, input: Int)] = []
        var offsets: [Int] = []
        var used = 0
        for (r, register) in program.registers.enumerated() {
            offsets.append(used)
            switch register {
            case .input(let i):
                if layout.innerStrides[i] == 0 {
                    strides.append(0)
                    splats.append((r, i))
                    used += tileBytes
                } else {
                    strides.append(program.types[r].size)
                }
            case .constant, .scratch:
                strides.append(0)
                used += tileBytes
            case .output: strides.append(program.types[r].size)
            }
        }
        var isUniform = zip(program.registers, strides).map { register, stride in
            switch register {
            case .input: stride == 0
            case .constant: true
            case .scratch, .output: false
            }
        }
        var (uniform, varying): ([ElementwiseProgram.Instruction], [ElementwiseProgram.Instruction]) = ([], [])
        for instruction in program.instructions {
            if case .scratch = program.registers[instruction.out],
                [instruction.a, instruction.b, instruction.c].allSatisfy({ isUniform[$0] })
            {
                isUniform[instruction.out] = true
                uniform.append(instruction)
            } else {
                varying.append(instruction)
            }
        }
        self.uniform = uniform
        self.varying = varying
        self.strides = strides
        self.splats = splats
        constantOffset = offsets
        scratchPerThread = max(used, 64)
        scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchPerThread * self.threads, alignment: 64)
        for thread in 0..<self.threads {
            for (r, register) in program.registers.enumerated() {
                if case .constant(let value, let type) = register {
                    Tensor.numbers([Double](repeating: value, count: tileElements), dtype: type, shape: [tileElements])
                        .withUnsafeBytes { bytes in
                            (scratch + thread * scratchPerThread + offsets[r])
                                .copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                        }
                }
            }
        }
    }

    deinit { scratch.deallocate() }

    func run(_ frame: Frame) {
        let outer = layout.outerCount
        guard outer * layout.inner > 0 else { return }
        guard threads > 1 else { return runPart(frame, 0, 0..<outer, 0..<layout.inner) }
        // Split the outer positions if there are enough, else the inner run at multiples of a tile.
        if outer >= threads * 4 {
            parallel(threads) { part in
                runPart(frame, part, outer * part / threads..<outer * (part + 1) / threads, 0..<layout.inner)
            }
        } else {
            let tiles = (layout.inner + tileElements - 1) / tileElements
            parallel(threads) { part in
                let start = tiles * part / threads * tileElements
                let end = min(tiles * (part + 1) / threads * tileElements, layout.inner)
                if start < end { runPart(frame, part, 0..<outer, start..<end) }
            }
        }
    }

    /// Runs over the first `count` elements alone, on the caller's thread; of operands that are vectors or scalars.
    func run(_ frame: Frame, first count: Int) {
        if count > 0 { runPart(frame, 0, 0..<1, 0..<count) }
    }

    private func runPart(_ frame: Frame, _ thread: Int, _ outer: Range<Int>, _ range: Range<Int>) {
        let memory = scratch + thread * scratchPerThread
        let inner = layout.inner
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: registerCount) { pointers in
            for r in 0..<registerCount { pointers[r] = memory + constantOffset[r] }
            for position in outer {
                // Operands' rows.
                for r in 0..<registerCount {
                    switch program.registers[r] {
                    case .input(let i) where strides[r] != 0:
                        let offset = layout.offset(i, at: position) + range.lowerBound
                        pointers[r] = frame.raw(inputSlots[i]) + offset * sizes[r]
                    case .output(let o):
                        pointers[r] = frame.raw(outputSlots[o]) + (position * inner + range.lowerBound) * sizes[r]
                    default: break
                    }
                }
                let longest = min(tileElements, range.count)
                for splat in splats {
                    let size = sizes[splat.register]
                    fill(
                        pointers[splat.register],
                        from: frame.raw(inputSlots[splat.input]) + layout.offset(splat.input, at: position) * size,
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
                        let target = frame.raw(outputSlots[copy.output]) + (position * inner + start) * size
                        if target != pointers[copy.register] {
                            target.copyMemory(from: pointers[copy.register], byteCount: count * size)
                        }
                    }
                    for r in 0..<registerCount { pointers[r] += count * strides[r] }
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

/// An operation that computes each element of its output from the elements of its inputs at the same place, broadcast.
public protocol ElementwiseOperation: Operation {
    /// One element of the output.
    static func expression(_ x: [Expression], _ attributes: Attributes) throws -> Expression
}

extension ElementwiseOperation {
    /// The broadcast shape of all inputs.
    public static func infer(_ node: Inference) throws -> [Shape] {
        var shape = node.shape(0)
        for i in node.inputs.indices.dropFirst() {
            guard let joined = shape.broadcast(with: node.shape(i)) else {
                throw GraphError(
                    "the shapes of its inputs do not broadcast: \(node.inputs.map { "\($0.shape)" }.joined(separator: " and "))"
                )
            }
            shape = joined
        }
        return [shape]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try elementwiseKernel(Self.self, binding)
    }
}

// Outside the protocols' extensions, and over metatypes, so that there is one of each and not one for each operation.

private func elementwiseKernel(
    _ operation: any ElementwiseOperation.Type, _ binding: KernelBinding
) throws -> Kernel {
    try elementwiseKernel(
        binding, outputs: binding.outputs, slots: [binding.output()],
        [operation.expression(binding.inputs.indices.map { .input($0) }, binding.attributes)])
}

private func elementwiseKernel(_ operation: any ElementwiseUpdate.Type, _ binding: KernelBinding) throws -> Kernel {
    let writes = operation.writes
    return try elementwiseKernel(
        binding, outputs: writes.map { binding.inputs[$0] }, slots: writes.map(binding.input),
        operation.update(binding.inputs.indices.map { .input($0) }, binding.attributes))
}

private func elementwiseKernel(
    _ binding: KernelBinding, outputs: [TensorSpec], slots: [Slot], _ expressions: [Expression]
) throws -> Kernel {
    let loop = try ElementwiseLoop(
        expressions, inputs: binding.inputs, inputSlots: binding.inputs.indices.map(binding.input), outputs: outputs,
        outputSlots: slots, threads: binding.threads)
    guard let check = IntegerDivision.check(expressions, binding) else { return { frame in loop.run(frame) } }
    return { frame in
        try check(frame)
        loop.run(frame)
    }
}

private func updatedShape(_ arguments: [Signature.Argument], _ node: Inference) throws -> [Shape] {
    var shape = node.shape(0)
    for (i, argument) in arguments.enumerated() {
        let own = node.shape(i)
        if argument.isReference || ["grad", "delta"].contains(argument.name) {
            guard let merged = shape.merged(with: own) else {
                throw GraphError("'\(argument.name)' must have the Variable's shape \(shape), got \(own)")
            }
            shape = merged
        } else if own.rank != nil, own.rank != 0 {
            throw GraphError("'\(argument.name)' must be a scalar, got the shape \(own)")
        }
    }
    return [shape]
}

/// An operation that updates Variables in place, element by element: an optimizer's step.
public protocol ElementwiseUpdate: Operation {
    /// The new values of the Variables among the inputs, one expression for each of `writes`, computed in that order:
    /// a Variable already written stands for its new value in the expressions that follow.
    static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression]
}

extension ElementwiseUpdate {
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { [0: 0] }

    /// All tensors have the Variable's shape; the others are scalars.
    public static func infer(_ node: Inference) throws -> [Shape] { try updatedShape(signature.inputs, node) }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try elementwiseKernel(Self.self, binding)
    }
}
