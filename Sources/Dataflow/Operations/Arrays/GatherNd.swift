/// `GatherNd`: slices of `params` at the places that the rows of `indices` name.
public enum GatherNd: Operation {
    public static let signature = Signature(
        ["params": "Tparams", "indices": "Tindices"], to: ["output": "Tparams"],
        types: ["Tparams": DType.moved, "Tindices": DType.indices], defaults: ["bad_indices_policy": .string("")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let params = node.shape(0).dimensions, let indices = node.shape(1).dimensions else { return [.unknown] }
        guard let last = indices.last else { throw GraphError("the indices must have at least rank 1") }
        guard let depth = last else { return [.unknown] }
        guard depth <= params.count else {
            throw GraphError("indices of \(depth) numbers are too long for params of shape \(node.shape(0))")
        }
        return [Shape(Array(indices.dropLast() + params[depth...]))]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (params, indices) = (node.input(0), node.input(1))
        return [apply(ScatterNd.self, [indices, node.upstream(), shape(params, as: indices.dtype)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let places = Places(binding, indices: 1, of: binding.inputs[0].shape)
        let (source, target) = (binding.input(0), binding.output())
        let bytes = places.inner * binding.inputs[0].dtype.size
        return { memory in
            for row in 0..<places.count {
                let place = try places.place(memory, row, Self.self)
                (memory.raw(target) + row * bytes)
                    .copyMemory(from: memory.raw(source) + place * bytes, byteCount: bytes)
            }
        }
    }
}

/// `ScatterNd`: zeros of the given shape with `updates` added at the places that the rows of `indices` name.
public enum ScatterNd: Operation, NumericKernel {
    public static let signature = Signature(
        ["indices": "Tindices", "updates": "T", "shape": "Tindices"], to: ["output": "T"],
        types: ["T": DType.numbers, "Tindices": DType.indices], defaults: ["bad_indices_policy": .string("")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.integers(2) else { return [.unknown] }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        if let indices = node.shape(0).dimensions {
            guard let last = indices.last, last ?? 0 <= extents.count else {
                throw GraphError("indices of shape \(node.shape(0)) do not fit the shape \(extents)")
            }
            if let depth = last {
                let wanted = Shape(Array(indices.dropLast() + extents[depth...].map { $0 }))
                guard node.shape(1).isCompatible(with: wanted) else {
                    throw GraphError("'updates' must have the shape \(wanted), got \(node.shape(1))")
                }
            }
        }
        return [Shape(extents)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [nil, apply(GatherNd.self, [node.upstream(), node.input(0)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let places = Places(binding, indices: 0, of: binding.outputs[0].shape)
        let (updates, out, count) = (binding.input(1), binding.output(), binding.outputCount())
        return { memory in
            let result = memory.pointer(out, Scalar.self)
            result.update(repeating: Scalar(0.0), count: count)
            for row in 0..<places.count {
                let target = result + (try places.place(memory, row, Self.self)) * places.inner
                let source = memory.pointer(updates, Scalar.self) + row * places.inner
                for i in 0..<places.inner { target[i] = Scalar.wrappingAdd(target[i], source[i]) }
            }
        }
    }
}

/// The slices of a tensor that the rows of an index matrix name.
struct Places {
    /// How many rows there are.
    let count: Int
    /// Elements of a slice.
    let inner: Int
    private let depth: Int
    private let shape: Shape
    private let index: IndexInput
    private let binding: KernelBinding

    init(_ binding: KernelBinding, indices: Int, of shape: Shape) {
        let own = binding.inputs[indices].shape.knownExtents
        depth = own.last ?? 0
        // Beyond an Int only where there are no elements.
        count = Shape.product(own.dropLast()) ?? 0
        inner = Shape.product(shape.knownExtents[depth...]) ?? 0
        self.shape = shape
        index = IndexInput(binding, indices)
        self.binding = binding
    }

    /// The number of the slice that row `row` names.
    func place(_ memory: RunMemory, _ row: Int, _ operation: any Operation.Type) throws -> Int {
        var place = 0
        for d in 0..<depth {
            let i = index.read(memory, row * depth + d)
            guard i >= 0, i < shape.extents[d] else {
                throw GraphError(
                    "indices[\(row), \(d)] = \(i) is not in [0, \(shape.extents[d])) of the shape \(shape)")
            }
            place = place * shape.extents[d] + i
        }
        return place
    }
}

/// The slices of `x` at the places that the rows of `indices` name; TensorFlow's `tf.gather_nd`.
public func gatherNd(
    _ x: any Operand, _ indices: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { apply(GatherNd.self, [x, indices], [:], name, file, line) }

/// Zeros of shape `shape` with `updates` added at the places that the rows of `indices` name; `tf.scatter_nd`.
public func scatterNd(
    _ indices: any Operand, _ updates: any Operand, shape: any Operand, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(ScatterNd.self, [indices, updates, shape], [:], name, file, line) }

/// As above, of a shape that is known.
public func scatterNd(
    _ indices: any Operand, _ updates: any Operand, shape: [Int], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    let extents = indices.node.dtype == .int64 ? Tensor(shape.map { Int64($0) }) : .small(shape)
    return apply(ScatterNd.self, [indices, updates, extents], [:], name, file, line)
}
