/// An operation that computes whole tensors from whole tensors, most of them with shapes that only the values tell: sparse
/// tensors, sets, crosses.
protocol WholeTensorOperation: Operation {
    /// What is known of the outputs' shapes without the inputs' values.
    static func shapes(_ node: ShapeContext) throws -> [Shape]
    static func compute(_ call: WholeTensors) throws -> [Tensor]
}

/// What such an operation computes on.
struct WholeTensors {
    let attributes: Attributes
    let inputs: [Tensor]
    /// Bytes that a result may take; nil: only what may be computed while a graph is built.
    let memoryLimit: Int?

    /// Says that a result is not to be computed while the graph is built.
    struct TooLargeToFold: Error {}

    /// The shape of a result of `dtype` whose extents values told.
    /// - Throws: `GraphError` if an extent is negative or the tensor takes more memory than there may be.
    func told(_ extents: [Int], _ dtype: DType) throws -> Shape {
        guard let memoryLimit else {
            guard let count = Shape.product(extents), count <= Planner.foldLimit else { throw TooLargeToFold() }
            return try Shape.told(extents, dtype)
        }
        return try Shape.told(extents, dtype, limit: memoryLimit)
    }

    /// An int32 or int64 vector as Ints.
    func vector(_ i: Int, _ what: String) throws -> [Int] {
        guard inputs[i].shape.rank == 1 else {
            throw GraphError("'\(what)' must be a vector, got the shape \(inputs[i].shape)")
        }
        return inputs[i].knownIntegers
    }

    /// The one number of an int32 or int64 input.
    func integer(_ i: Int, _ what: String) throws -> Int {
        guard inputs[i].elementCount == 1 else {
            throw GraphError("'\(what)' must be one number, got the shape \(inputs[i].shape)")
        }
        return inputs[i].knownIntegers[0]
    }
}

extension WholeTensorOperation {
    public static var hostReason: String? { HostReason.search }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try WholeTensors.infer(Self.self, node) }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { try WholeTensors.fold(Self.self, node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { WholeTensors.kernel(Self.self, binding) }
}

/// Compiled once for all of these operations.
extension WholeTensors {
    fileprivate static func infer(_ operation: any WholeTensorOperation.Type, _ node: ShapeContext) throws -> [Shape] {
        let shapes = try operation.shapes(node)
        return try operation.fold(node).map { $0.map(\.shape) } ?? shapes
    }

    fileprivate static func fold(_ operation: any WholeTensorOperation.Type, _ node: ShapeContext) throws -> [Tensor]? {
        let known = node.inputs.indices.compactMap(node.constant)
        guard known.count == node.inputs.count else { return nil }
        if node.memoryLimit == nil, known.contains(where: { $0.elementCount > Planner.foldLimit }) { return nil }
        let call = WholeTensors(attributes: node.attributes, inputs: known, memoryLimit: node.memoryLimit)
        do { return try operation.compute(call) } catch is WholeTensors.TooLargeToFold { return nil }
    }

    fileprivate static func kernel(_ operation: any WholeTensorOperation.Type, _ binding: KernelBinding) -> Kernel {
        let specs = binding.inputs
        let (slots, random) = (specs.indices.map(binding.input), binding.random)
        return { memory in
            // Views of the run's memory, which outlives the call; any object may stand as their owner.
            let inputs = specs.indices.map { i in
                let bytes = binding.count(i) * specs[i].dtype.size
                let storage = TensorStorage(pointer: memory.raw(slots[i]), byteCount: bytes, owner: random)
                return Tensor(dtype: specs[i].dtype, shape: specs[i].shape, storage: storage)
            }
            let call = WholeTensors(attributes: binding.attributes, inputs: inputs, memoryLimit: CPUDevice.memory)
            for (i, value) in try operation.compute(call).enumerated() {
                guard value.shape == binding.outputs[i].shape else {
                    throw GraphError(
                        "output \(i) is of the shape \(value.shape), planned was \(binding.outputs[i].shape)"
                    )
                }
                value.withUnsafeBytes { bytes in
                    if let base = bytes.baseAddress {
                        memory.raw(binding.output(i)).copyMemory(from: base, byteCount: bytes.count)
                    }
                }
            }
        }
    }
}

extension Shape {
    /// The shape of a result of `dtype` whose extents values told.
    /// - Throws: `GraphError` if an extent is negative or the tensor takes more memory than there is.
    static func told(_ extents: [Int], _ dtype: DType, limit: Int = CPUDevice.memory) throws -> Shape {
        guard extents.count <= 254, isAddressable(extents) else {
            throw GraphError("a shape has at most 254 dimensions of at least 0, got \(extents)")
        }
        let shape = Shape(extents)
        try TensorSpec(dtype, shape).checkSize(limit: limit)
        return shape
    }
}

extension Tensor {
    /// The rows `places` of the first dimension, one after another. Traps beyond it.
    func picking(_ places: [Int]) -> Tensor {
        let extents = shape.knownExtents
        let row = extents.dropFirst().reduce(dtype.size, *)
        return Tensor(dtype: dtype, sized: Shape([places.count] + extents.dropFirst())) { target in
            withUnsafeBytes { source in
                guard row > 0, let to = target.baseAddress, let from = source.baseAddress else { return }
                for (i, place) in places.enumerated() {
                    (to + i * row).copyMemory(from: from + place * row, byteCount: row)
                }
            }
        }
    }

    /// The vectors `parts`, of one dtype, one after another.
    static func joining(_ parts: [Tensor]) -> Tensor {
        let count = parts.reduce(0) { $0 + $1.elementCount }
        return Tensor(dtype: parts[0].dtype, sized: [count]) { target in
            var at = 0
            for part in parts {
                part.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: target[at..<at + bytes.count]).copyMemory(from: bytes)
                    at += bytes.count
                }
            }
        }
    }

    /// int64 elements.
    init(int64 values: [Int], sized shape: Shape) { self.init(values.map { Int64($0) }, sized: shape) }
}

/// A computation written once for all number types.
protocol NumberWork {
    associatedtype Result
    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> Result
}

extension NumberWork {
    /// - Throws: `GraphError` for a dtype that arithmetic is not defined for.
    func run(_ dtype: DType) throws -> Result {
        switch dtype {
        case .float32: try run(Float.self)
        case .float64: try run(Double.self)
        case .int32: try run(Int32.self)
        case .int64: try run(Int64.self)
        case .uint8: try run(UInt8.self)
        default: throw GraphError("no kernel for \(dtype)")
        }
    }
}
