/// What a GPU does for one operation: commands, run in order. Pure data; a queue makes kernels of it.
struct GPUProgram {
    private(set) var commands: [GPUCommand] = []
    /// Bytes of each temporary.
    private(set) var scratch: [Int] = []

    init(_ commands: [GPUCommand] = []) { self.commands = commands }

    init(_ command: GPUCommand) { commands = [command] }

    mutating func add(_ command: GPUCommand) { commands.append(command) }

    /// Memory for this operation alone.
    mutating func temporary(_ bytes: Int) -> GPUOperand {
        scratch.append(bytes)
        return .scratch(scratch.count - 1)
    }

    /// The inputs whose memory the commands touch. Others (axes, shapes) need not be on the device.
    var inputs: Set<Int> {
        Set(
            commands.flatMap(\.operands).compactMap { operand in
                if case .input(let i) = operand { return i }
                return nil
            })
    }
}

/// Memory that a command works on.
enum GPUOperand: Hashable, Sendable {
    case input(Int)
    case output(Int)
    case scratch(Int)
}

enum GPUCommand {
    case launch(GPULaunch)
    case multiply(GPUMultiplication)
    case copy(from: GPUOperand, to: GPUOperand, bytes: Int)
    /// Every byte the same.
    case fill(GPUOperand, byte: UInt8, bytes: Int)

    var operands: [GPUOperand] {
        switch self {
        case .launch(let launch):
            launch.arguments.compactMap { argument in
                if case .memory(let operand) = argument { return operand }
                return nil
            }
        case .multiply(let product): [product.a, product.b, product.c]
        case .copy(let from, let to, _): [from, to]
        case .fill(let operand, _, _): [operand]
        }
    }
}

/// Work items in one dimension running a kernel that is given as source text.
struct GPULaunch {
    enum Argument {
        case memory(GPUOperand)
        /// `int`
        case int(Int)
        /// `ulong`, asked for in each run.
        case perRun(() -> UInt64)
    }

    /// Work items of a group.
    static let width = 256

    /// The kernel's name in `source`.
    let entry: String
    /// OpenCL C or CUDA C++ without what `GPUSource` puts before it.
    let source: String
    let arguments: [Argument]
    let groups: Int

    /// At least `items` work items. The kernel's first argument tells their number, so that it can leave out those beyond;
    /// `memory`, `others` and `integers` follow.
    init(
        _ entry: String, _ source: String, items: Int, memory: [GPUOperand], others: [Argument] = [],
        integers: [Int] = []
    ) {
        let groups = (items + GPULaunch.width - 1) / GPULaunch.width
        self.init(entry, source, groups: groups, count: items, memory, others, integers)
    }

    /// `groups` groups of `width` work items each. The kernel's first argument is `count`; the others follow.
    init(_ entry: String, _ source: String, groups: Int, count: Int, memory: [GPUOperand], integers: [Int] = []) {
        self.init(entry, source, groups: groups, count: count, memory, [], integers)
    }

    private init(
        _ entry: String, _ source: String, groups: Int, count: Int, _ memory: [GPUOperand], _ others: [Argument],
        _ integers: [Int]
    ) {
        self.entry = entry
        self.source = source
        self.groups = groups
        var arguments: [Argument] = [.int(count)]
        for operand in memory { arguments.append(.memory(operand)) }
        arguments.append(contentsOf: others)
        for integer in integers { arguments.append(.int(integer)) }
        self.arguments = arguments
    }
}

/// c = a · b for float32 matrices in row-major order, `batch` times.
struct GPUMultiplication {
    let a: GPUOperand, b: GPUOperand, c: GPUOperand
    let m: Int, n: Int, k: Int
    var transposeA = false, transposeB = false
    /// c += a · b.
    var adds = false
    /// How exactly, where the device has a choice; others compute in float32.
    var precision = MatrixPrecision.float32
    var batch = 1
    /// Elements from one matrix of a batch to the next.
    var strides = (a: 0, b: 0, c: 0)
    /// Elements before the first matrix.
    var offsets = (a: 0, b: 0, c: 0)
}

/// An operation with a kernel for GPUs beside that for the CPU. Elementwise ones have theirs from their expressions.
protocol GPUOperation: Operation {
    /// What a GPU does for these exact shapes and dtypes; nil if this case is left to the CPU. `binding` tells values known
    /// before the run, but no memory.
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram?
}
