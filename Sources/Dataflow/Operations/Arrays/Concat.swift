/// `ConcatV2`: tensors joined along an axis.
public enum ConcatV2: Operation {
    public static let signature = Signature(
        ["values": "N * T", "axis": "Tidx"], to: ["output": "T"], types: ["T": DType.moved, "Tidx": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = node.inputs.count - 1
        guard count >= 1 else { throw GraphError("takes at least one tensor to join, and the axis") }
        guard let rank = (0..<count).lazy.compactMap({ node.shape($0).rank }).first else { return [.unknown] }
        guard let axis = try node.integer(count) else { return [.unknown(rank: rank)] }
        let position = try normalize([axis], rank: rank)[0]
        var result = Shape.unknown(rank: rank)
        var total: Int? = 0
        for i in 0..<count {
            let own = try node.shape(i, rank: rank, "input \(i)")
            total = if let sum = total, let extent = own[position] { sum + extent } else { nil }
            var others = own.dimensions ?? []
            others[position] = nil
            guard let merged = result.merged(with: Shape(others)) else {
                throw GraphError(
                    "input \(i) has the shape \(own), which differs from the inputs before it, \(result), elsewhere"
                        + " than along the axis \(axis)")
            }
            result = merged
        }
        var dimensions = result.dimensions ?? []
        dimensions[position] = total
        return [Shape(dimensions)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        gradients(Array(node.inputs.dropLast()), axis: node.inputs[node.inputs.count - 1], node) + [nil]
    }

    /// The slices of the upstream gradient that belong to each of `parts`.
    static func gradients(_ parts: [Node], axis: Node, _ node: GradientContext) -> [Node?] {
        if parts.count == 1 { return [node.upstream()] }
        let extents = parts.map { shape($0) }
        let offsets = node.graph.add(ConcatOffset.self, [cast(axis, to: .int32)] + extents)
        return parts.indices.map { slice(node.upstream(), begin: offsets.output($0), size: extents[$0]) }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let count = binding.inputs.count - 1
        return try binding.late([count]) { binding in
            try kernel(binding, axis: binding.integer(count), parts: Array(0..<count))
        }
    }

    static func kernel(_ binding: KernelBinding, axis: Int, parts: [Int]) throws -> Kernel {
        try joining(binding, axis: axis, parts: parts).join(binding, inputs: parts)
    }

    static func joining(_ binding: KernelBinding, axis: Int, parts: [Int]) throws -> Joining {
        let extents = binding.outputs[0].shape.knownExtents
        let position = try normalize([axis], rank: extents.count)[0]
        return Joining(extents, axis: position, parts: parts.map { binding.inputs[$0].shape.knownExtents[position] })
    }
}

extension ConcatV2: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        let parts = Array(0..<binding.inputs.count - 1)
        return try joining(binding, axis: binding.integer(parts.count), parts: parts).gpuJoin(binding, inputs: parts)
    }
}

extension Concat: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        let parts = Array(1..<binding.inputs.count)
        return try ConcatV2.joining(binding, axis: binding.integer(0), parts: parts).gpuJoin(binding, inputs: parts)
    }
}

/// `Concat`: as `ConcatV2`, with the axis as the first input; graphs of the first versions of TensorFlow have it.
public enum Concat: Operation {
    public static let signature = Signature(
        ["concat_dim": "int32", "values": "N * T"], to: ["output": "T"], types: ["T": DType.moved])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try ConcatV2.infer(
            ShapeContext(
                attributes: node.attributes, inputs: rotated(node.inputs),
                constants: rotated(node.inputs.indices.map(node.constant))))
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [nil] + ConcatV2.gradients(Array(node.inputs.dropFirst()), axis: node.input(0), node)
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([0]) { binding in
            try ConcatV2.kernel(binding, axis: binding.integer(0), parts: Array(1..<binding.inputs.count))
        }
    }

    /// The axis behind the tensors.
    private static func rotated<Element>(_ list: [Element]) -> [Element] { Array(list.dropFirst()) + list.prefix(1) }
}

/// `ConcatOffset`: where each of some tensors starts in what `ConcatV2` makes of them, from their shapes.
public enum ConcatOffset: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["concat_dim": "int32", "shape": "N * shape_type"], to: ["offset": "N * shape_type"],
        types: ["shape_type": DType.indices], defaults: ["shape_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.inputs.count > 1 else { throw GraphError("takes the axis and at least one shape") }
        return node.inputs.dropFirst().map(\.shape)
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard let axis = try node.integer(0) else { return nil }
        var offset = 0
        return try (1..<max(node.inputs.count, 1)).map { i -> Tensor? in
            guard let extents = node.integers(i) else { return nil }
            let position = try normalize([axis], rank: extents.count)[0]
            var start = [Double](repeating: 0, count: extents.count)
            start[position] = Double(offset)
            offset = offset.addingReportingOverflow(extents[position]).partialValue
            return .numbers(start, dtype: node.inputs[i].dtype, sized: [start.count])
        }.reduce([]) { all, one in
            if let all, let one { all + [one] } else { nil }
        }
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { node.inputs.map { _ in nil } }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late(Array(binding.inputs.indices)) { try foldedKernel(Self.self, $0) }
    }
}

/// Tensors joined along `axis`; TensorFlow's `tf.concat`. Traps on an empty list.
public func concat(
    _ values: [any Operand], axis: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(ConcatV2.self, values + [Tensor.small(axis)], [:], name, file, line) }
