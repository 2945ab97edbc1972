/// `Split`: equal parts of a tensor along an axis.
public enum Split: Operation {
    public static let signature = Signature(
        ["split_dim": "int32", "value": "T"], to: ["output": "num_split * T"], types: ["T": DType.moved],
        required: ["num_split"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num_split")
        guard count > 0 else { throw GraphError("'num_split' must be at least 1, got \(count)") }
        guard var dimensions = node.shape(1).dimensions, let axis = try node.integer(0) else {
            return [Shape](repeating: node.shape(1).rank.map(Shape.unknown(rank:)) ?? .unknown, count: count)
        }
        let position = try normalize([axis], rank: dimensions.count)[0]
        if let extent = dimensions[position] {
            guard extent % count == 0 else {
                throw GraphError(
                    "dimension \(position) of the shape \(node.shape(1)) does not divide into \(count) equal parts")
            }
            dimensions[position] = extent / count
        }
        return [Shape](repeating: Shape(dimensions), count: count)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let parts = node.vertex.outputs.indices.map { node.upstream($0) }
        return [nil, apply(ConcatV2.self, parts + [node.input(0)])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([0]) { try joining($0, input: 1, axis: 0).split($0, input: 1) }
    }

    /// - Parameters:
    ///   - input: the tensor that is split.
    ///   - axis: the input that tells the axis.
    static func joining(_ binding: KernelBinding, input: Int, axis: Int) throws -> Joining {
        let extents = binding.inputs[input].shape.knownExtents
        let axis = try normalize([binding.integer(axis)], rank: extents.count)[0]
        return Joining(extents, axis: axis, parts: binding.outputs.map { $0.shape.knownExtents[axis] })
    }
}

extension Split: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try joining(binding, input: 1, axis: 0).gpuSplit(binding, input: 1)
    }
}

extension SplitV: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try Split.joining(binding, input: 0, axis: 2).gpuSplit(binding, input: 0)
    }
}

/// `SplitV`: parts of given sizes of a tensor along an axis; one size may be −1, what is left.
public enum SplitV: Operation {
    public static let signature = Signature(
        ["value": "T", "size_splits": "Tlen", "split_dim": "int32"], to: ["output": "num_split * T"],
        types: ["T": DType.moved, "Tlen": DType.indices], required: ["num_split"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num_split")
        guard count > 0 else { throw GraphError("'num_split' must be at least 1, got \(count)") }
        guard let dimensions = node.shape(0).dimensions, let axis = try node.integer(2),
            var sizes = node.integers(1)
        else { return [Shape](repeating: node.shape(0).rank.map(Shape.unknown(rank:)) ?? .unknown, count: count) }
        let position = try normalize([axis], rank: dimensions.count)[0]
        guard sizes.count == count, sizes.allSatisfy({ $0 >= -1 }), sizes.count(where: { $0 == -1 }) <= 1 else {
            throw GraphError("'size_splits' must hold \(count) sizes (one may be −1), got \(sizes)")
        }
        if let extent = dimensions[position] {
            let given = sizes.filter { $0 >= 0 }.reduce(0, +)
            if let hole = sizes.firstIndex(of: -1), given <= extent { sizes[hole] = extent - given }
            guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == extent else {
                throw GraphError(
                    "the sizes \(sizes) do not add up to dimension \(position) of the shape \(node.shape(0))")
            }
        }
        return sizes.map { size in
            var part = dimensions
            part[position] = size < 0 ? nil : size
            return Shape(part)
        }
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let parts = node.vertex.outputs.indices.map { node.upstream($0) }
        return [apply(ConcatV2.self, parts + [node.input(2)]), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try Split.joining(binding, input: 0, axis: 2).split(binding, input: 0)
    }
}

/// `count` equal parts of `x` along `axis`; TensorFlow's `tf.split`.
public func split(
    _ x: any Operand, count: Int, axis: Int = 0, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> [Node] {
    applyAll(
        Split.self, [Tensor.small(axis), x], ["num_split": .int(count)], name, file, line)
}

/// Parts of `x` of the given sizes along `axis` (one may be −1); TensorFlow's `tf.split`.
public func split(
    _ x: any Operand, sizes: [Int], axis: Int = 0, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> [Node] {
    applyAll(
        SplitV.self, [x, Tensor.small(sizes), Tensor.small(axis)], ["num_split": .int(sizes.count)], name, file, line)
}
