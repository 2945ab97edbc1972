internal import CKernels

/// The twin of an update that touches rows alone: `grad` holds a row for each of `indices`, into the Variables' first
/// dimension. Rows that are named twice are updated twice, in order, as TensorFlow's kernels do.
///
/// `SparseApplyAdagrad` stands beside `ApplyAdagrad`, and is one line.
public protocol SparseUpdate: Operation {
    associatedtype Dense: ElementwiseUpdate
    /// Whether the Variables come as handles, `ResourceSparseApply…`.
    static var isOverResources: Bool { get }
}

extension SparseUpdate {
    public static var isOverResources: Bool { false }
    public static var signature: Signature {
        isOverResources ? Dense.signature.overRows.overResources : Dense.signature.overRows
    }
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { isOverResources ? [:] : [0: 0] }
    public static var writes: [Int] { Dense.writes }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = try sparseShape(Dense.signature.inputs, node)
        return isOverResources ? [] : [shape]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try sparseKernel(Dense.self, binding) }
}

extension Signature {
    /// With the rows' indices behind the gradient.
    fileprivate var overRows: Signature {
        var arguments = inputs
        // What `ApplyProximalGradientDescent` calls "delta".
        arguments[gradientPosition] = Argument("grad", arguments[gradientPosition].type)
        arguments.insert(Argument("indices", "Tindices"), at: gradientPosition + 1)
        return Signature(
            arguments: arguments, outputs: outputs, types: types.merging(["Tindices": DType.indices]) { $1 },
            defaults: defaults, required: required)
    }

    fileprivate var gradientPosition: Int { inputs.firstIndex { $0.name == "grad" } ?? inputs.count - 1 }
}

/// The Variables' shape: all of one, with a row of the gradient for each index.
private func sparseShape(_ arguments: [Signature.Argument], _ node: ShapeContext) throws -> Shape {
    let gradient = arguments.firstIndex { $0.name == "grad" } ?? arguments.count - 1
    var shape = node.shape(0)
    for (i, argument) in arguments.enumerated() where i != gradient {
        let own = node.shape(i < gradient ? i : i + 1)
        if argument.isReference {
            guard let merged = shape.merged(with: own) else {
                throw GraphError("'\(argument.name)' must have the Variable's shape \(shape), got \(own)")
            }
            shape = merged
        } else if own.rank != nil, own.rank != 0 {
            throw GraphError("'\(argument.name)' must be a scalar, got the shape \(own)")
        }
    }
    let indices = try node.shape(gradient + 1, rank: 1, "'indices'")
    if let extents = shape.dimensions {
        guard !extents.isEmpty else { throw GraphError("a scalar Variable has no rows to update") }
        let wanted = Shape([indices[0]] + extents.dropFirst())
        guard node.shape(gradient).isCompatible(with: wanted) else {
            throw GraphError(
                "'grad' must have a row for each index, \(wanted), got the shape \(node.shape(gradient))")
        }
    }
    return shape
}

/// Several rows at a time are brought together, updated by one pass of the elementwise loop, and put back: a pass for each
/// would cost more than the few numbers of a row. Threads divide the rows by their indices, so that the order of equal ones
/// stays.
private func sparseKernel(_ dense: any ElementwiseUpdate.Type, _ binding: KernelBinding) throws -> Kernel {
    let arguments = dense.signature.inputs
    let gradient = dense.signature.gradientPosition
    let places = arguments.indices.map { $0 <= gradient ? $0 : $0 + 1 }
    let shape = binding.inputs[0].shape.knownExtents
    let dtype = binding.inputs[0].dtype
    let width = shape.dropFirst().reduce(1, *)
    let (index, count) = (IndexInput(binding, gradient + 1), binding.count(gradient + 1))
    let threads = min(usefulThreads(binding.threads, work: count * width), max(count, 1))
    let slots = places.map(binding.input)
    let scalars = arguments.indices.filter { !arguments[$0].isReference && $0 != gradient }
    let passes = try (0..<threads).map { _ in
        try RowPass(
            dense.update(arguments.indices.map { .input($0) }, binding.attributes), dtype, width: width,
            operands: arguments.count, scalars: Set(scalars), gradient: gradient, writes: dense.writes)
    }
    binding.scratch.noteOwn(passes.reduce(0) { $0 + $1.byteCount })
    let types = places.map { binding.inputs[$0].dtype }
    return { memory in
        for k in 0..<count {
            let i = index.read(memory, k)
            guard i >= 0, i < shape[0] else {
                throw GraphError("indices[\(k)] = \(i) is not in [0, \(shape[0]))")
            }
        }
        let update = { (part: Int) in
            let pass = passes[part]
            for j in scalars { pass.setScalar(j, to: memory.raw(slots[j]), types[j]) }
            for k in 0..<count {
                let i = index.read(memory, k)
                if threads == 1 || i % threads == part { pass.take(row: i, gradientRow: k, memory, slots) }
            }
            pass.flush(memory, slots)
        }
        if threads == 1 { update(0) } else { parallel(threads, update) }
    }
}

/// Rows of Variables and of a gradient, brought together for one pass of the elementwise loop.
private final class RowPass {
    /// The most rows of a pass. Each new one is compared with those before it.
    private static let mostRows = 64

    private let loop: ElementwiseLoop
    private let dtype: DType
    private let width: Int
    private let rowBytes: Int
    private let capacity: Int
    private let rowOperands: [Int]
    private let gradient: Int
    private let writes: [Int]
    private let tiles: UnsafeMutableRawPointer
    private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// For each row taken which one it is, of the Variables and of the gradient.
    private let indices: UnsafeMutablePointer<Int>
    private let gradientRows: UnsafeMutablePointer<Int>
    private var filled = 0

    init(
        _ update: [Expression], _ dtype: DType, width: Int, operands: Int, scalars: Set<Int>, gradient: Int,
        writes: [Int]
    ) throws {
        self.dtype = dtype
        self.width = width
        self.gradient = gradient
        self.writes = writes
        rowBytes = width * dtype.size
        let capacity = max(1, min(RowPass.mostRows, ElementwiseLoop.tile / max(width, 1)))
        self.capacity = capacity
        rowOperands = (0..<operands).filter { !scalars.contains($0) && $0 != gradient }
        let specs = (0..<operands).map { TensorSpec(dtype, scalars.contains($0) ? [] : [capacity * width]) }
        loop = try ElementwiseLoop(
            update, inputs: specs, inputSlots: Array(0..<operands), outputs: writes.map { specs[$0] },
            outputSlots: writes, threads: 1)
        let stride = (max(capacity * rowBytes, 16) + 63) & ~63
        tiles = .allocate(byteCount: stride * operands, alignment: 64)
        tiles.initializeMemory(as: UInt8.self, repeating: 0, count: stride * operands)
        pointers = .allocate(capacity: operands)
        for i in 0..<operands { (pointers + i).initialize(to: tiles + i * stride) }
        indices = .allocate(capacity: capacity)
        gradientRows = .allocate(capacity: capacity)
    }

    /// Bytes that it keeps from run to run.
    var byteCount: Int { loop.byteCount + rowBytes * capacity * (rowOperands.count + 1) }

    deinit {
        tiles.deallocate()
        pointers.deallocate()
        indices.deallocate()
        gradientRows.deallocate()
    }

    /// A number of the rule, as the Variables' type: a step count comes as an integer.
    func setScalar(_ operand: Int, to source: UnsafeMutableRawPointer, _ type: DType) {
        if type == .int64, dtype != .int64 {
            let number = Double(source.load(as: Int64.self))
            if dtype == .float64 {
                pointers[operand].storeBytes(of: number, as: Double.self)
            } else {
                pointers[operand].storeBytes(of: Float(number), as: Float.self)
            }
        } else {
            pointers[operand].copyMemory(from: source, byteCount: dtype.size)
        }
    }

    func take(row: Int, gradientRow: Int, _ memory: RunMemory, _ slots: [Slot]) {
        // A row that is here already has to be updated first.
        var isHere = filled == capacity
        for i in 0..<filled { isHere = isHere || indices[i] == row }
        if isHere { flush(memory, slots) }
        for j in rowOperands { tributary_fetch_row(memory.raw(slots[j]) + row * rowBytes, rowBytes) }
        indices[filled] = row
        gradientRows[filled] = gradientRow
        filled += 1
    }

    func flush(_ memory: RunMemory, _ slots: [Slot]) {
        for j in rowOperands { tributary_gather_rows(memory.raw(slots[j]), indices, pointers[j], filled, rowBytes) }
        tributary_gather_rows(memory.raw(slots[gradient]), gradientRows, pointers[gradient], filled, rowBytes)
        loop.run(RunMemory(pointers: pointers), first: filled * width)
        for j in writes { tributary_scatter_rows(pointers[j], indices, memory.raw(slots[j]), filled, rowBytes) }
        filled = 0
    }
}
