/// The objects of one run that tensors name by handles: stacks and arrays of tensors.
final class RunResources {
    private var stacks: [UInt64: [KeptTensor]] = [:]
    private var arrays: [UInt64: TensorArray] = [:]
    /// The array of gradients of an array and a source.
    private var gradients: [String: UInt64] = [:]
    private var next: UInt64 = 1

    private func handle() -> (id: UInt64, tensor: Tensor) {
        defer { next += 1 }
        let id = next
        return (
            id,
            Tensor(dtype: .resource, sized: []) { $0.storeBytes(of: id, as: UInt64.self) }
        )
    }

    private func id(_ handle: Tensor) -> UInt64 {
        handle.byteCount == 8 ? handle.withUnsafeBytes { $0.load(as: UInt64.self) } : 0
    }

    // MARK: Stacks

    func makeStack() -> Tensor {
        let (id, tensor) = handle()
        stacks[id] = []
        return tensor
    }

    func push(_ value: Tensor, on handle: Tensor) throws {
        guard stacks[id(handle)] != nil else { throw GraphError("its handle names no stack of this run") }
        stacks[id(handle)]?.append(KeptTensor(value))
    }

    func pop(_ handle: Tensor) throws -> Tensor {
        guard let value = stacks[id(handle)]?.popLast() else {
            throw GraphError("the stack is empty, or its handle names no stack of this run")
        }
        return value.tensor
    }

    func closeStack(_ handle: Tensor) { stacks[id(handle)] = nil }

    // MARK: Arrays

    func makeArray(_ array: TensorArray) -> Tensor {
        let (id, tensor) = handle()
        arrays[id] = array
        return tensor
    }

    /// Changes an array in place.
    func withArray<Result>(_ handle: Tensor, _ body: (inout TensorArray) throws -> Result) throws -> Result {
        guard var array = arrays.removeValue(forKey: id(handle)) else {
            throw GraphError("its handle names no TensorArray of this run")
        }
        defer { arrays[id(handle)] = array }
        return try body(&array)
    }

    /// The array of gradients for `handle` and `source`, made when first asked for.
    func gradientArray(of handle: Tensor, source: String) throws -> Tensor {
        let key = "\(id(handle))/\(source)"
        if let known = gradients[key] {
            return Tensor(dtype: .resource, sized: []) { $0.storeBytes(of: known, as: UInt64.self) }
        }
        let made = try withArray(handle) { $0.gradients() }
        let tensor = makeArray(made)
        gradients[key] = id(tensor)
        return tensor
    }

    func closeArray(_ handle: Tensor) { arrays[id(handle)] = nil }
}

/// A list of tensors of one dtype. Each element is written once; in an array of gradients, writes are added up.
struct TensorArray {
    let dtype: DType
    private var elements: [KeptTensor?]
    let isDynamic: Bool
    let isCleared: Bool
    /// Whether writes to the same index are added up.
    private let accumulates: Bool
    /// What is known of the shape of all elements. If it is known fully, elements that were never written read as
    /// zeros.
    private var elementShape: Shape
    /// Whether all elements have the shape of the first one written.
    private let isUniform: Bool
    /// The shapes of the elements that were written, even if they have been read and cleared since. In an array of
    /// gradients, those of the forward array.
    private var shapes: [Shape?]
    /// Bytes that an element may take.
    private let limit: Int

    init(
        _ dtype: DType, size: Int, isDynamic: Bool, isCleared: Bool, accumulates: Bool = false,
        elementShape: Shape = .unknown, isUniform: Bool = false, shapes: [Shape?]? = nil, limit: Int
    ) {
        self.dtype = dtype
        elements = Array(repeating: nil, count: size)
        self.elementShape = elementShape
        self.isUniform = isUniform
        self.limit = limit
        let shapes = shapes ?? Array(repeating: nil, count: size)
        self.isDynamic = isDynamic
        self.isCleared = isCleared
        self.accumulates = accumulates
        self.shapes = shapes
    }

    var size: Int { elements.count }

    mutating func gradients() -> TensorArray {
        TensorArray(
            dtype, size: size, isDynamic: false, isCleared: false, accumulates: true, elementShape: elementShape,
            shapes: shapes, limit: limit)
    }

    /// The most elements that an array grows to by itself.
    private static let longest = 1 << 24

    mutating func write(_ value: Tensor, at index: Int) throws {
        guard value.dtype == dtype else { throw GraphError("a TensorArray of \(dtype) cannot hold \(value.dtype)") }
        guard index >= 0, index < size || (isDynamic && index < Self.longest) else {
            throw GraphError("index \(index) is not in [0, \(size)) of a TensorArray")
        }
        while elements.count <= index {
            elements.append(nil)
            shapes.append(nil)
        }
        if let old = elements[index]?.tensor {
            guard accumulates else { throw GraphError("element \(index) of a TensorArray is written a second time") }
            guard old.shape == value.shape else {
                throw GraphError("element \(index) of a TensorArray is \(old.shape), \(value.shape) cannot be added")
            }
            elements[index] = KeptTensor(try Self.sum(old, value))
        } else {
            guard accumulates || shapes[index] == nil else {
                throw GraphError("element \(index) of a TensorArray is written after it was read")
            }
            elements[index] = KeptTensor(value)
            if !accumulates { shapes[index] = value.shape }
            if isUniform { elementShape = elementShape.merged(with: value.shape) ?? elementShape }
        }
    }

    mutating func read(_ index: Int, as wanted: DType) throws -> Tensor {
        guard dtype == wanted else { throw GraphError("a TensorArray of \(dtype) holds no \(wanted)") }
        guard elements.indices.contains(index) else {
            throw GraphError("index \(index) is not in [0, \(size)) of a TensorArray")
        }
        if let value = elements[index] {
            if isCleared { elements[index] = nil }
            return value.tensor
        }
        guard accumulates || shapes[index] == nil else {
            throw GraphError(
                "element \(index) of a TensorArray is read a second time; build it with clear_after_read=False")
        }
        // Nothing arrived for this element.
        let shape = shapes[index] ?? elementShape
        guard shape.isFullyDefined, dtype != .resource, dtype != .variant else {
            throw GraphError(
                "element \(index) of a TensorArray is read before it is written, and its shape is \(shape)")
        }
        try TensorSpec(dtype, shape).checkSize(limit: limit)
        return .zeros(dtype, sized: shape)
    }

    private static func sum(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        switch a.dtype {
        case .float32: return sum(a, b, Float.self)
        case .float64: return sum(a, b, Double.self)
        case .int32: return sum(a, b, Int32.self)
        case .int64: return sum(a, b, Int64.self)
        default: throw GraphError("elements of \(a.dtype) cannot be added up")
        }
    }

    private static func sum<Scalar: NumericScalar>(_ a: Tensor, _ b: Tensor, _ type: Scalar.Type) -> Tensor {
        Tensor(zip(a.elements(of: type), b.elements(of: type)).map { Scalar.wrappingAdd($0, $1) }, sized: a.shape)
    }
}

/// An operation that is evaluated on tensors at run time instead of being bound to memory: stacks, arrays of tensors,
/// messages.
protocol DynamicOperation: Operation {
    static func evaluate(_ call: DynamicCall) throws -> [Tensor]
}

/// An operation that is evaluated on tensors at run time, but whose outputs' shapes may be known before. If so,
/// vertices that use them are bound as usual. Calls of functions, and lists of tensors.
protocol ValueOperation: Operation {
    static func evaluate(_ call: DynamicCall) throws -> [Tensor]
}

extension ValueOperation {
    public static var hostReason: String? { HostReason.values }
    /// The planner never computes it.
    public static var isStateful: Bool { true }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("\(name) is evaluated, not bound")
    }
}

extension DynamicOperation {
    public static var hostReason: String? { HostReason.values }
    public static var isStateful: Bool { true }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("\(name) is evaluated, not bound")
    }
}

/// The arguments of such an operation.
struct DynamicCall {
    let name: String
    let attributes: Attributes
    let inputs: [Tensor]
    let resources: RunResources
    let functions: FunctionRuntime
}
