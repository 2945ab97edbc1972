private func scatterSignature(_ types: [DType]) -> Signature {
    Signature(
        ["tensor": "T", "indices": "Tindices", "updates": "T"], to: ["output": "T"],
        types: ["T": types, "Tindices": DType.indices], defaults: ["bad_indices_policy": .string("")])
}

/// `TensorScatterUpdate`: the tensor with `updates` in place of the slices that the rows of `indices` name.
/// Of two updates of one place the later stays.
public enum TensorScatterUpdate: Operation {
    public static let signature = scatterSignature(DType.moved)
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try scatteredShape(node)] }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (indices, dy) = (node.input(1), node.upstream())
        return [
            apply(TensorScatterUpdate.self, [dy, indices, zerosLike(node.input(2))]), nil, gatherNd(dy, indices),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let places = Places(binding, indices: 1, of: binding.outputs[0].shape)
        let (copy, updates, out) = (Copy.kernel(binding), binding.input(2), binding.output())
        let bytes = places.inner * binding.outputs[0].dtype.size
        return { memory in
            try copy(memory)
            for row in 0..<places.count {
                let place = try places.place(memory, row, Self.self)
                (memory.raw(out) + place * bytes)
                    .copyMemory(from: memory.raw(updates) + row * bytes, byteCount: bytes)
            }
        }
    }
}

/// `TensorScatterAdd`: the tensor with `updates` added to the slices that the rows of `indices` name.
public enum TensorScatterAdd: TensorScatterOperation {
    public static let signature = scatterSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.upstream(), nil, gatherNd(node.upstream(), node.input(1))]
    }
    @inline(__always) static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar {
        Scalar.wrappingAdd(x, y)
    }
}

/// `TensorScatterSub`: the tensor with `updates` subtracted from the slices that the rows of `indices` name.
public enum TensorScatterSub: TensorScatterOperation {
    public static let signature = scatterSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.upstream(), nil, -gatherNd(node.upstream(), node.input(1))]
    }
    @inline(__always) static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar {
        Scalar.wrappingSubtract(x, y)
    }
}

/// `TensorScatterMax`: the tensor with the larger of it and `updates` in the slices that the rows of `indices` name.
/// Equal ones share the gradient.
public enum TensorScatterMax: TensorScatterOperation {
    public static let signature = scatterSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] { extremeGradient(node) }
    @inline(__always) static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar {
        y > x ? y : x
    }
}

/// `TensorScatterMin`: the tensor with the smaller of it and `updates` in the slices that the rows of `indices` name.
/// Equal ones share the gradient.
public enum TensorScatterMin: TensorScatterOperation {
    public static let signature = scatterSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] { extremeGradient(node) }
    @inline(__always) static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar {
        y < x ? y : x
    }
}

/// `ScatterNdNonAliasingAdd`: the input with `updates` added to the slices that the rows of `indices` name.
public enum ScatterNdNonAliasingAdd: TensorScatterOperation {
    public static let signature = Signature(
        ["input": "T", "indices": "Tindices", "updates": "T"], to: ["output": "T"],
        types: ["T": DType.numbers, "Tindices": DType.indices], defaults: ["bad_indices_policy": .string("")])
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try TensorScatterAdd.gradient(node) }
    @inline(__always) static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar {
        Scalar.wrappingAdd(x, y)
    }
}

/// An operation that combines slices of a tensor with updates.
protocol TensorScatterOperation: Operation, NumericKernel {
    static func combine<Scalar: NumericScalar>(_ x: Scalar, _ y: Scalar) -> Scalar
}

extension TensorScatterOperation {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try scatteredShape(node)] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let places = Places(binding, indices: 1, of: binding.outputs[0].shape)
        let (copy, updates, out) = (Copy.kernel(binding), binding.input(2), binding.output())
        return { memory in
            try copy(memory)
            for row in 0..<places.count {
                let target =
                    memory.pointer(out, Scalar.self) + (try places.place(memory, row, Self.self)) * places.inner
                let source = memory.pointer(updates, Scalar.self) + row * places.inner
                for i in 0..<places.inner { target[i] = combine(target[i], source[i]) }
            }
        }
    }
}

/// The shape of input 0, once the indices (input 1) and updates (input 2) fit it.
func scatteredShape(_ node: ShapeContext) throws -> Shape {
    let shape = node.shape(0)
    guard let extents = shape.dimensions, let indices = node.shape(1).dimensions else { return shape }
    guard let last = indices.last, last ?? 0 <= extents.count else {
        throw GraphError("indices of shape \(node.shape(1)) do not fit the shape \(shape)")
    }
    if let depth = last {
        let wanted = Shape(Array(indices.dropLast() + extents[depth...]))
        guard node.shape(2).isCompatible(with: wanted) else {
            throw GraphError("'updates' must have the shape \(wanted), got \(node.shape(2))")
        }
    }
    return shape
}

/// Equal shares for the tensor and all updates that are the extreme at their place.
private func extremeGradient(_ node: GradientContext) -> [Node?] {
    let (x, indices, updates, y) = (node.input(0), node.input(1), node.input(2), node.output())
    let isTensor = cast(equal(x, y), to: x.dtype)
    let isUpdate = cast(equal(updates, gatherNd(y, indices)), to: x.dtype)
    let count = apply(TensorScatterAdd.self, [isTensor, indices, isUpdate])
    let share = node.upstream() / count
    return [isTensor * share, nil, isUpdate * gatherNd(share, indices)]
}

/// `x` with `updates` in place of the slices that the rows of `indices` name; TensorFlow's `tf.tensor_scatter_nd_update`.
public func tensorScatter(
    _ x: any Operand, _ indices: any Operand, _ updates: any Operand, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(TensorScatterUpdate.self, [x, indices, updates], [:], name, file, line) }
