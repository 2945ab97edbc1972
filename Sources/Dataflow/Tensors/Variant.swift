/// What an element of a tensor of variants stands for: TensorFlow's `Variant`.
enum Variant: Sendable {
    case list(TensorList)
    /// The components of an optional value; nil if it has none.
    case optional([KeptTensor]?)

    /// What this is, for messages.
    var kind: String {
        switch self {
        case .list: "a list of tensors"
        case .optional: "an optional value"
        }
    }
}

/// The elements of a tensor of variants.
///
/// The tensor's bytes say nothing; its storage owns this. So a list lives for as long as a tensor stands for it, and a
/// variant whose bytes were copied or came from outside stands for nothing and is refused, whatever the bytes are.
///
/// `@unchecked Sendable`: the memory is cleared when made and never written again.
private final class VariantElements: @unchecked Sendable {
    let values: [Variant]
    let memory: UnsafeMutableRawPointer

    init(_ values: [Variant]) {
        self.values = values
        let bytes = max(values.count * DType.variant.size, 1)
        memory = .allocate(byteCount: bytes, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }

    deinit { memory.deallocate() }
}

extension Tensor {
    /// A scalar variant.
    init(_ value: Variant) { self.init(variants: [value], sized: []) }

    /// Variants in row-major order. Traps if their number is not the shape's.
    init(variants: [Variant], sized shape: Shape) {
        require(variants.count == shape.elementCount, "\(variants.count) variants do not fill the shape \(shape)")
        let elements = VariantElements(variants)
        self.init(
            dtype: .variant, shape: shape,
            storage: TensorStorage(
                pointer: elements.memory, byteCount: variants.count * DType.variant.size, owner: elements))
    }

    /// What the elements stand for.
    /// - Throws: `GraphError` for a tensor of another dtype, or whose elements stand for nothing.
    func variants() throws -> [Variant] {
        guard let elements = storage.owner as? VariantElements, dtype == .variant else {
            throw GraphError("its handle is that of no list of tensors, nor of another value that is known here")
        }
        return elements.values
    }

    /// The only element.
    /// - Throws: `GraphError` if there is not one.
    func variant() throws -> Variant {
        guard elementCount == 1, let value = try variants().first else {
            throw GraphError("the handle must be a scalar, got the shape \(shape)")
        }
        return value
    }

    /// The list that a handle stands for.
    func list() throws -> TensorList {
        guard case .list(let list) = try variant() else {
            throw GraphError("its handle is that of \(try variant().kind), not of a list of tensors")
        }
        return list
    }
}

extension Variant {
    /// The same with every number 0: what `ZerosLike` makes of it.
    func zeros() throws -> Variant {
        switch self {
        case .list(let list): .list(try list.zeros())
        case .optional(let components): .optional(try components?.map { KeptTensor(try $0.tensor.zeroed()) })
        }
    }

    /// Lists and optional values add up element by element.
    static func sum(_ a: Variant, _ b: Variant) throws -> Variant {
        switch (a, b) {
        case (.list(let a), .list(let b)): return .list(try TensorList.sum(a, b))
        case (.optional(let a?), .optional(let b?)):
            guard a.count == b.count else {
                throw GraphError("optional values of \(a.count) and \(b.count) components cannot be added")
            }
            return .optional(try zip(a, b).map { KeptTensor(try Tensor.sum($0.tensor, $1.tensor)) })
        case (.optional(nil), .optional(nil)): return a
        default: throw GraphError("\(a.kind) and \(b.kind), or an empty and a full one, cannot be added")
        }
    }
}

extension Tensor {
    /// The same shape and dtype with every number 0.
    func zeroed() throws -> Tensor {
        guard dtype == .variant else { return .zeros(dtype, sized: shape) }
        return Tensor(variants: try variants().map { try $0.zeros() }, sized: shape)
    }

    /// The sum of two tensors of one dtype and shape.
    static func sum(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        guard a.dtype == b.dtype, a.shape == b.shape else {
            throw GraphError("\(a.dtype)\(a.shape) and \(b.dtype)\(b.shape) cannot be added")
        }
        return switch a.dtype {
        case .float32: sum(a, b, Float.self)
        case .float64: sum(a, b, Double.self)
        case .int32: sum(a, b, Int32.self)
        case .int64: sum(a, b, Int64.self)
        case .uint8: sum(a, b, UInt8.self)
        case .bfloat16:
            Tensor(
                zip(a.elements(of: BFloat16.self), b.elements(of: BFloat16.self)).map { BFloat16($0.float + $1.float) },
                sized: a.shape)
        case .variant:
            Tensor(variants: try zip(a.variants(), b.variants()).map { try Variant.sum($0, $1) }, sized: a.shape)
        case .bool, .string, .resource: throw GraphError("tensors of \(a.dtype) cannot be added")
        }
    }

    private static func sum<Scalar: NumericScalar>(_ a: Tensor, _ b: Tensor, _ type: Scalar.Type) -> Tensor {
        Tensor(dtype: a.dtype, sized: a.shape) { bytes in
            let target = bytes.bindMemory(to: type)
            a.withUnsafeBytes { first in
                b.withUnsafeBytes { second in
                    let (x, y) = (first.bindMemory(to: type), second.bindMemory(to: type))
                    for i in target.indices { target[i] = Scalar.wrappingAdd(x[i], y[i]) }
                }
            }
        }
    }
}
