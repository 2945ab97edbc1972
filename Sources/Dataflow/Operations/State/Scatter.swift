/// Slices of a Variable changed in place: `ScatterUpdate`, `ScatterAdd`, … and their `Resource…` twins.
///
/// `updates` has the shape indices.shape + ref.shape[1…], or is a scalar for every slice. Slices named twice are changed
/// twice, in order.
protocol ScatterOperation: Operation {
    static var isOverResources: Bool { get }
    /// The new element.
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar
    /// Whether the update takes the element's place, whatever its type.
    static var replaces: Bool { get }
    static var types: [DType] { get }
}

extension ScatterOperation {
    static var isOverResources: Bool { false }
    static var replaces: Bool { false }
    static var types: [DType] { replaces ? DType.moved : DType.numbers }
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { isOverResources ? [:] : [0: 0] }
    public static var writes: [Int] { [0] }

    static func makeSignature() -> Signature {
        return isOverResources
            ? Signature(
                ["resource": "resource", "indices": "Tindices", "updates": "dtype"], to: [:],
                types: ["dtype": types, "Tindices": DType.indices])
            : Signature(
                ["ref": "ref T", "indices": "Tindices", "updates": "T"], to: ["output_ref": "ref T"],
                types: ["T": types, "Tindices": DType.indices], defaults: ["use_locking": .bool(replaces)])
    }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (shape, indices, updates) = (node.shape(0), node.shape(1), node.shape(2))
        if let extents = shape.dimensions {
            guard !extents.isEmpty else { throw GraphError("a scalar Variable has no slices") }
            if let own = indices.dimensions, updates.rank != 0 {
                let wanted = Shape(own + extents.dropFirst())
                guard updates.isCompatible(with: wanted) else {
                    throw GraphError("'updates' must have the shape \(wanted) or be a scalar, got \(updates)")
                }
            }
        }
        return isOverResources ? [] : [shape]
    }

    /// None flows, as in TensorFlow: it is the Variable that is written.
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        if replaces {
            return binding.keepingTexts(of: 2, try binding.moving(ScatterMove.self, binding.inputs[2].dtype))
        }
        switch binding.inputs[2].dtype {
        case .float32: return kernel(Float.self, binding)
        case .float64: return kernel(Double.self, binding)
        case .int32: return kernel(Int32.self, binding)
        case .int64: return kernel(Int64.self, binding)
        case .uint8: return kernel(UInt8.self, binding)
        case let other: throw GraphError("no kernel for \(other)")
        }
    }

    private static func kernel<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) -> Kernel {
        scatterKernel(binding) { (old: Scalar, update: Scalar) in combine(old, update) }
    }
}

private func scatterKernel<Element: BitwiseCopyable>(
    _ binding: KernelBinding, _ combine: @escaping (Element, Element) -> Element
) -> Kernel {
    let shape = binding.inputs[0].shape.knownExtents
    let width = shape.dropFirst().reduce(1, *)
    let isScalar = binding.inputs[2].shape.rank == 0
    let (index, count) = (IndexInput(binding, 1), binding.count(1))
    let (target, source) = (binding.input(0), binding.input(2))
    return { memory in
        let to = memory.raw(target).assumingMemoryBound(to: Element.self)
        let from = memory.raw(source).assumingMemoryBound(to: Element.self)
        for k in 0..<count {
            let i = index.read(memory, k)
            guard i >= 0, i < shape[0] else {
                throw GraphError("indices[\(k)] = \(i) is not in [0, \(shape[0]))")
            }
            let row = to + i * width
            for j in 0..<width { row[j] = combine(row[j], from[isScalar ? 0 : k * width + j]) }
        }
    }
}

private enum ScatterMove: MovingKernel {
    static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        scatterKernel(binding) { (_: Element, update: Element) in update }
    }
}

/// `ScatterUpdate`: puts slices in the place of others of a Variable.
public enum ScatterUpdate: ScatterOperation {
    static var replaces: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar { update }
}

/// `ResourceScatterUpdate`: puts slices in the place of others of a Variable given by its handle.
public enum ResourceScatterUpdate: ScatterOperation {
    static var isOverResources: Bool { true }
    static var replaces: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar { update }
}

/// `ScatterAdd`: adds to slices of a Variable.
public enum ScatterAdd: ScatterOperation {
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingAdd(old, update)
    }
}

/// `ResourceScatterAdd`: adds to slices of a Variable given by its handle.
public enum ResourceScatterAdd: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingAdd(old, update)
    }
}

/// `ScatterSub`: subtracts from slices of a Variable.
public enum ScatterSub: ScatterOperation {
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingSubtract(old, update)
    }
}

/// `ResourceScatterSub`: subtracts from slices of a Variable given by its handle.
public enum ResourceScatterSub: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingSubtract(old, update)
    }
}

/// `ScatterMul`: multiplies slices of a Variable.
public enum ScatterMul: ScatterOperation {
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingMultiply(old, update)
    }
}

/// `ResourceScatterMul`: multiplies slices of a Variable given by its handle.
public enum ResourceScatterMul: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingMultiply(old, update)
    }
}

/// `ScatterMin`: keeps the smaller element of a Variable.
public enum ScatterMin: ScatterOperation {
    static var types: [DType] { DType.signed }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update < old ? update : old
    }
}

/// `ResourceScatterMin`: keeps the smaller element of a Variable given by its handle.
public enum ResourceScatterMin: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update < old ? update : old
    }
}

/// `ScatterMax`: keeps the larger element of a Variable.
public enum ScatterMax: ScatterOperation {
    static var types: [DType] { DType.signed }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update > old ? update : old
    }
}

/// `ResourceScatterMax`: keeps the larger element of a Variable given by its handle.
public enum ResourceScatterMax: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update > old ? update : old
    }
}

/// `ScatterDiv`: divides slices of a Variable. Integers round toward zero; division of one by 0 throws.
public enum ScatterDiv: ScatterOperation {
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar { old }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try dividingKernel(Self.self, binding) }
}

/// `ResourceScatterDiv`: `ScatterDiv` over a handle.
public enum ResourceScatterDiv: ScatterOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar { old }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try dividingKernel(Self.self, binding) }
}

private func dividingKernel(_ operation: any Operation.Type, _ binding: KernelBinding) throws -> Kernel {
    func whole<Scalar: NumericScalar & FixedWidthInteger>(_ type: Scalar.Type) -> Kernel {
        let divide = scatterKernel(binding) { (old: Scalar, update: Scalar) in
            old.dividedReportingOverflow(by: update).partialValue
        }
        let (updates, count) = (binding.input(2), binding.count(2))
        return { memory in
            let divisors = memory.pointer(updates, type)
            guard !(0..<count).contains(where: { divisors[$0] == 0 }) else {
                throw GraphError("an integer is divided by zero")
            }
            try divide(memory)
        }
    }
    switch binding.inputs[2].dtype {
    case .float32: return scatterKernel(binding) { (old: Float, update: Float) in old / update }
    case .float64: return scatterKernel(binding) { (old: Double, update: Double) in old / update }
    case .int32: return whole(Int32.self)
    case .int64: return whole(Int64.self)
    case .uint8: return whole(UInt8.self)
    case let other: throw GraphError("no kernel for \(other)")
    }
}
