/// What lives for one run and is known by handles: stacks and arrays of tensors.
final class RunResources {
    private var stacks: [UInt64: [KeptTensor]] = [:]
    private var arrays: [UInt64: TensorArray] = [:]
    /// The array of gradients that belongs to an array and a source.
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
        guard stacks[id(handle)] != nil else { throw GraphError("its handle is that of no stack of this run") }
        stacks[id(handle)]?.append(KeptTensor(value))
    }

    func pop(_ handle: Tensor) throws -> Tensor {
        guard let value = stacks[id(handle)]?.popLast() else {
            throw GraphError("the stack is empty, or its handle is that of no stack of this run")
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

    /// Works on an array in place.
    func withArray<Result>(_ handle: Tensor, _ body: (inout TensorArray) throws -> Result) throws -> Result {
        guard var array = arrays.removeValue(forKey: id(handle)) else {
            throw GraphError("its handle is that of no TensorArray of this run")
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

/// A list of tensors of one dtype, each written once (or added up, where it holds gradients).
struct TensorArray {
    let dtype: DType
    private var elements: [KeptTensor?]
    let isDynamic: Bool
    let isCleared: Bool
    /// Writes to one place are added up.
    private let accumulates: Bool
    /// What is known of the shape that all elements have: those that were never written are zeros, if all of it is.
    private var elementShape: Shape
    /// Whether all elements have the shape of the first one written.
    private let isUniform: Bool
    /// The shapes of the elements written, also of those that were read since; of an array of gradients the forward array's.
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

/// An operation that works on values as such, not on their memory: stacks, arrays of tensors, messages.
protocol DynamicOperation: Operation {
    static func evaluate(_ call: DynamicCall) throws -> [Tensor]
}

/// An operation that works on values as such, but whose outputs' shapes may be known before: what follows it need not be
/// dynamic. Calls of functions, and lists of tensors.
protocol ValueOperation: Operation {
    static func evaluate(_ call: DynamicCall) throws -> [Tensor]
}

extension ValueOperation {
    public static var hostReason: String? { HostReason.values }
    /// Never computed when a plan is made.
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

/// What such an operation is evaluated on.
struct DynamicCall {
    let name: String
    let attributes: Attributes
    let inputs: [Tensor]
    let resources: RunResources
    let functions: FunctionRuntime
}
