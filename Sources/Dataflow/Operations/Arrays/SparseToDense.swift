/// `SparseToDense`: a tensor of `default_value` with `sparse_values` (a value for each place, or one for all) at the places
/// that the rows of `sparse_indices` name; of a vector each element is a row, of a scalar it is the one.
public enum SparseToDense: Operation {
    public static let signature = Signature(
        ["sparse_indices": "Tindices", "output_shape": "Tindices", "sparse_values": "T", "default_value": "T"],
        to: ["dense": "T"], types: ["T": DType.moved, "Tindices": DType.indices],
        defaults: ["validate_indices": .bool(true)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let indices = node.shape(0)
        _ = try node.shape(1, rank: 1, "'output_shape'")
        _ = try node.shape(3, rank: 0, "'default_value'")
        guard let extents = node.integers(1) else {
            return [node.shape(1).elementCount.map(Shape.unknown(rank:)) ?? .unknown]
        }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        if let own = indices.dimensions {
            let depth = own.count == 2 ? own[1] : 1
            guard own.count <= 2, depth ?? extents.count == extents.count else {
                throw GraphError("indices of shape \(indices) do not fit the shape \(extents)")
            }
            let values = Shape([own.isEmpty ? 1 : own[0]])
            guard node.shape(2).rank == 0 || node.shape(2).isCompatible(with: values) else {
                throw GraphError(
                    "'sparse_values' must be a scalar or have the shape \(values), got \(node.shape(2))")
            }
        }
        return [Shape(extents)]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (indices, values, dy) = (node.input(0), node.input(2), node.upstream())
        guard let rank = indices.shape.rank, let isScalar = values.shape.rank.map({ $0 == 0 }) else {
            throw GraphError("its gradient needs the ranks of 'sparse_indices' and 'sparse_values'")
        }
        let rows = rank == 2 ? indices : reshape(indices, [-1, 1])
        let taken = gatherNd(dy, rows)
        let byDefault = sum(dy) - sum(taken)
        return [nil, nil, isScalar ? sum(taken) : taken, byDefault]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let indices = binding.inputs[0].shape.knownExtents
        let count = indices.first ?? 1
        let (background, out, shape) = (binding.filling(with: 3), binding.output(), binding.outputs[0].shape)
        let (index, values, size) = (IndexInput(binding, 0), binding.input(2), binding.outputs[0].dtype.size)
        let (extents, strides) = (shape.knownExtents, shape.strides)
        let step = binding.inputs[2].shape.rank == 0 ? 0 : size
        let isChecked = try binding.attributes.bool("validate_indices")
        return { memory in
            try background(memory)
            var last = -1
            for row in 0..<count {
                var place = 0
                for d in extents.indices {
                    let i = index.read(memory, row * extents.count + d)
                    guard i >= 0, i < extents[d] else {
                        throw GraphError(
                            "sparse_indices[\(row), \(d)] = \(i) is not in [0, \(extents[d])) of the shape \(shape)")
                    }
                    place += i * strides[d]
                }
                guard !isChecked || place > last else {
                    throw GraphError("sparse_indices[\(row)] does not come after the one before it")
                }
                last = place
                (memory.raw(out) + place * size)
                    .copyMemory(from: memory.raw(values) + row * step, byteCount: size)
            }
        }
    }
}
