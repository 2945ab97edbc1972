/// Slices of a Variable changed in place where the rows of an index matrix say: `ScatterNdUpdate`, `ScatterNdAdd`, … and
/// their `Resource…` twins.
///
/// indices: [n…, depth]; updates: [n…] + ref.shape[depth…]. Slices named twice are changed twice, in order. No index out of
/// range is written: the run throws before it changes anything.
protocol ScatterNdUpdateOperation: Operation {
    static var isOverResources: Bool { get }
    /// Whether the update takes the element's place, whatever its type.
    static var replaces: Bool { get }
    /// The new element.
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar
}

extension ScatterNdUpdateOperation {
    static var isOverResources: Bool { false }
    static var replaces: Bool { false }
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { isOverResources ? [:] : [0: 0] }
    public static var writes: [Int] { [0] }
    static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar { update }

    static func makeSignature() -> Signature {
        Signature(
            ["ref": isOverResources ? "resource" : "ref T", "indices": "Tindices", "updates": "T"],
            to: isOverResources ? [:] : ["output_ref": "ref T"],
            types: ["T": replaces ? DType.moved : DType.numbers, "Tindices": DType.indices],
            defaults: ["use_locking": .bool(replaces || isOverResources), "bad_indices_policy": .string("")])
    }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = try scatteredShape(node)
        return isOverResources ? [] : [shape]
    }

    /// None flows, as in TensorFlow: it is the Variable that is written.
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        replaces
            ? binding.keepingTexts(of: 2, try binding.moving(ReplacingNd.self, binding.inputs[2].dtype))
            : try binding.numeric(CombiningNd<Self>.self, binding.inputs[2].dtype)
    }
}

private enum ReplacingNd: MovingKernel {
    static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        scatterNdKernel(ScatterNdUpdate.self, binding) { (_: Element, update: Element) in update }
    }
}

private enum CombiningNd<Update: ScatterNdUpdateOperation>: NumericKernel {
    static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        scatterNdKernel(Update.self, binding) { (old: Scalar, update: Scalar) in Update.combine(old, update) }
    }
}

private func scatterNdKernel<Element: BitwiseCopyable>(
    _ operation: any Operation.Type, _ binding: KernelBinding, _ combine: @escaping (Element, Element) -> Element
) -> Kernel {
    let places = Places(binding, indices: 1, of: binding.inputs[0].shape)
    let (target, updates) = (binding.input(0), binding.input(2))
    // Where slices have no elements there may be more of them than can be counted, and nothing to do.
    let (width, count) = (places.inner, places.inner == 0 ? 0 : places.count)
    return { memory in
        for row in 0..<count { _ = try places.place(memory, row, operation) }
        let (to, from) = (memory.raw(target), memory.raw(updates).assumingMemoryBound(to: Element.self))
        for row in 0..<count {
            let slice = to.assumingMemoryBound(to: Element.self) + (try places.place(memory, row, operation)) * width
            for i in 0..<width { slice[i] = combine(slice[i], from[row * width + i]) }
        }
    }
}

/// `ScatterNdUpdate`: puts slices in the place of others of a Variable; TensorFlow's `tf.scatter_nd_update`.
public enum ScatterNdUpdate: ScatterNdUpdateOperation {
    static var replaces: Bool { true }
    public static let signature = makeSignature()
}

/// `ResourceScatterNdUpdate`: `ScatterNdUpdate` over a handle.
public enum ResourceScatterNdUpdate: ScatterNdUpdateOperation {
    static var isOverResources: Bool { true }
    static var replaces: Bool { true }
    public static let signature = makeSignature()
}

/// `ScatterNdAdd`: adds to slices of a Variable; TensorFlow's `tf.scatter_nd_add`.
public enum ScatterNdAdd: ScatterNdUpdateOperation {
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingAdd(old, update)
    }
}

/// `ResourceScatterNdAdd`: `ScatterNdAdd` over a handle.
public enum ResourceScatterNdAdd: ScatterNdUpdateOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingAdd(old, update)
    }
}

/// `ScatterNdSub`: subtracts from slices of a Variable; TensorFlow's `tf.scatter_nd_sub`.
public enum ScatterNdSub: ScatterNdUpdateOperation {
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingSubtract(old, update)
    }
}

/// `ResourceScatterNdSub`: `ScatterNdSub` over a handle.
public enum ResourceScatterNdSub: ScatterNdUpdateOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        Scalar.wrappingSubtract(old, update)
    }
}

/// `ScatterNdMin`: keeps the smaller element of a Variable.
public enum ScatterNdMin: ScatterNdUpdateOperation {
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update < old ? update : old
    }
}

/// `ResourceScatterNdMin`: `ScatterNdMin` over a handle.
public enum ResourceScatterNdMin: ScatterNdUpdateOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update < old ? update : old
    }
}

/// `ScatterNdMax`: keeps the larger element of a Variable.
public enum ScatterNdMax: ScatterNdUpdateOperation {
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update > old ? update : old
    }
}

/// `ResourceScatterNdMax`: `ScatterNdMax` over a handle.
public enum ResourceScatterNdMax: ScatterNdUpdateOperation {
    static var isOverResources: Bool { true }
    public static let signature = makeSignature()
    @inline(__always) static func combine<Scalar: NumericScalar>(_ old: Scalar, _ update: Scalar) -> Scalar {
        update > old ? update : old
    }
}
