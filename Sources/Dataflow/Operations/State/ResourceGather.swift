/// `ResourceGather`: slices of a Variable's first dimension, in the order of `indices`; with `batch_dims` for each batch its
/// own, of the dimension after the batches.
public enum ResourceGather: RowPicking {
    public static let signature = Signature(
        ["resource": "resource", "indices": "Tindices"], to: ["output": "dtype"],
        types: ["dtype": DType.moved, "Tindices": DType.indices],
        defaults: ["batch_dims": .int(0), "validate_indices": .bool(true)])
    public static var isStateful: Bool { true }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions, let indices = node.shape(1).dimensions else { return [.unknown] }
        let batch = try GatherV2.batchDimensions(node.attributes, rank: indices.count)
        guard batch < extents.count else {
            throw GraphError(
                batch == 0 ? "a scalar Variable has no slices" : "the Variable's rank must be larger than 'batch_dims'")
        }
        guard Shape(Array(extents[..<batch])).isCompatible(with: Shape(Array(indices[..<batch]))) else {
            throw GraphError(
                "the first \(batch) dimensions of the Variable \(node.shape(0)) and the indices \(node.shape(1)) must be "
                    + "the same")
        }
        return [Shape(Array(extents[..<batch] + indices[batch...] + extents[(batch + 1)...]))]
    }

    /// Rows that are added up, or with batches the gradient of `GatherV2` by the Variable's value.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard try node.attributes.int("batch_dims") != 0 else { return [pickedRows(node).dense, nil] }
        throw GraphError("the gradient of ResourceGather with 'batch_dims' is not there; gather the value that is read")
    }
    static func rowGradient(_ node: GradientContext) throws -> IndexedSlices? {
        try node.attributes.int("batch_dims") == 0 ? pickedRows(node) : nil
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let batch = try GatherV2.batchDimensions(binding.attributes, rank: binding.inputs[1].shape.knownExtents.count)
        return try gatheringKernel(Self.self, binding, axis: batch, batch: batch)
    }
}

/// `ResourceGatherNd`: slices of a Variable at the places that the rows of `indices` name.
public enum ResourceGatherNd: Operation {
    public static let signature = Signature(
        ["resource": "resource", "indices": "Tindices"], to: ["output": "dtype"],
        types: ["dtype": DType.moved, "Tindices": DType.indices])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try GatherNd.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (variable, indices) = (node.input(0), node.input(1))
        return [apply(ScatterNd.self, [indices, node.upstream(), extents(of: variable, as: indices.dtype)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try GatherNd.kernel(binding) }
}
