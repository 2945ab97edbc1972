/// `Pack`: tensors of one shape stacked along a new axis.
public enum Pack: Operation {
    public static let signature = Signature(
        ["values": "N * T"], to: ["output": "T"], types: ["T": DType.moved + [.variant]],
        defaults: ["axis": .int(0)])
    /// Lists are joined as values: they have no memory to copy.
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs.first?.dtype == .variant, let shape = try infer(node).first, shape.rank == 1 else {
            return nil
        }
        let parts = node.inputs.indices.compactMap { node.constant($0) }
        guard parts.count == node.inputs.count else { return nil }
        return [Tensor(variants: try parts.flatMap { try $0.variants() }, sized: [parts.count])]
    }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard !node.inputs.isEmpty else { throw GraphError("takes at least one tensor to stack") }
        var shape = Shape.unknown
        for i in node.inputs.indices {
            guard let merged = shape.merged(with: node.shape(i)) else {
                throw GraphError("its inputs must have one shape, got \(shape) and, as input \(i), \(node.shape(i))")
            }
            shape = merged
        }
        guard var dimensions = shape.dimensions else { return [.unknown] }
        let axis = try normalize([node.attributes.int("axis")], rank: dimensions.count + 1)[0]
        dimensions.insert(node.inputs.count, at: axis)
        return [Shape(dimensions)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let axis = try node.attributes.int("axis")
        return unstack(node.upstream(), count: node.inputs.count, axis: axis)
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try joining(binding).join(binding)
    }
    fileprivate static func joining(_ binding: KernelBinding) throws -> Joining {
        let extents = binding.outputs[0].shape.knownExtents
        let axis = try normalize([binding.attributes.int("axis")], rank: extents.count)[0]
        return Joining(extents, axis: axis, parts: binding.inputs.map { _ in 1 })
    }
}

extension Pack: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try joining(binding).gpuJoin(binding) }
}

/// `Unpack`: the slices of a tensor along an axis, which goes.
public enum Unpack: Operation {
    public static let signature = Signature(
        ["value": "T"], to: ["output": "num * T"], types: ["T": DType.moved + [.variant]],
        defaults: ["axis": .int(0)], required: ["num"])
    /// Lists are taken apart as values: they have no memory to copy.
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs[0].dtype == .variant, let value = node.constant(0), value.shape.rank == 1 else { return nil }
        _ = try infer(node)
        return try value.unstacked()
    }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num")
        guard var dimensions = node.shape(0).dimensions else {
            return [Shape](repeating: .unknown, count: max(count, 0))
        }
        let axis = try normalize([node.attributes.int("axis")], rank: dimensions.count)[0]
        if let extent = dimensions[axis], extent != count {
            throw GraphError("'num' is \(count), but dimension \(axis) of the shape \(node.shape(0)) is \(extent)")
        }
        dimensions.remove(at: axis)
        return [Shape](repeating: Shape(dimensions), count: max(count, 0))
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let parts = node.vertex.outputs.indices.map { node.upstream($0) }
        return [parts.isEmpty ? nil : stack(parts, axis: try node.attributes.int("axis"))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        guard !binding.outputs.isEmpty else { return { _ in } }
        return try joining(binding).split(binding, input: 0)
    }
    fileprivate static func joining(_ binding: KernelBinding) throws -> Joining {
        let extents = binding.inputs[0].shape.knownExtents
        let axis = try normalize([binding.attributes.int("axis")], rank: extents.count)[0]
        return Joining(extents, axis: axis, parts: binding.outputs.map { _ in 1 })
    }
}

extension Unpack: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        binding.outputs.isEmpty ? nil : try joining(binding).gpuSplit(binding, input: 0)
    }
}

/// Tensors of one shape stacked along a new axis; TensorFlow's `tf.stack`. Traps on an empty list.
public func stack(
    _ values: [any Operand], axis: Int = 0, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Pack.self, values, ["axis": .int(axis)], name, file, line) }

/// The slices of `x` along `axis`, without that axis; TensorFlow's `tf.unstack`.
/// - Parameter count: how many; by default the extent of the axis, which must then be known.
public func unstack(
    _ x: any Operand, count: Int? = nil, axis: Int = 0, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> [Node] {
    let shape = x.node.shape
    let inRange = shape.rank.map { axis >= -$0 && axis < $0 } ?? false
    var attributes: Attributes = ["axis": .int(axis)]
    if let count = count ?? (inRange ? shape[axis] : nil) { attributes.values["num"] = .int(count) }
    return applyAll(Unpack.self, [x], attributes, name, file, line)
}
