/// `SparseSlice`: the part of a sparse tensor that begins at `start` and has at most the extents `size`.
public enum SparseSlice: WholeTensorOperation {
    public static let signature = Signature(
        ["indices": "int64", "values": "T", "shape": "int64", "start": "int64", "size": "int64"],
        to: ["output_indices": "int64", "output_values": "T", "output_shape": "int64"], types: ["T": DType.moved])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (_, rank) = try SparseParts.check(node)
        for i in 3...4 { _ = try node.shape(i, rank: 1, "'\(signature.inputs[i].name)'") }
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call)
        let (start, size) = (try call.vector(3, "start"), try call.vector(4, "size"))
        guard start.count == parts.rank, size.count == parts.rank, (start + size).allSatisfy({ $0 >= 0 }) else {
            throw GraphError(
                "'start' and 'size' must hold \(parts.rank) numbers of at least 0, got \(start) and \(size)")
        }
        let shape = parts.shape.indices.map { min(size[$0], max(parts.shape[$0] - start[$0], 0)) }
        let picked = (0..<parts.count).filter { i in
            shape.indices.allSatisfy { parts[i, $0] >= start[$0] && parts[i, $0] - start[$0] < shape[$0] }
        }
        let indices = picked.flatMap { i in shape.indices.map { parts[i, $0] - start[$0] } }
        return SparseParts(indices: indices, values: parts.values.picking(picked), shape: shape).tensors
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard node.hasUpstream(1) else { return [nil, nil, nil, nil, nil] }
        let slope = apply(SparseSliceGrad.self, [node.upstream(1), node.input(0), node.input(3), node.output(0)])
        return [nil, slope, nil, nil, nil]
    }
}

/// `SparseSliceGrad`: the gradient of `SparseSlice` by its values; 0 for those outside of the slice.
public enum SparseSliceGrad: WholeTensorOperation {
    public static let signature = Signature(
        ["backprop_val_grad": "T", "input_indices": "int64", "input_start": "int64", "output_indices": "int64"],
        to: ["val_grad": "T"], types: ["T": DType.numbers])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 1, "'backprop_val_grad'")
        for i in [1, 3] { _ = try node.shape(i, rank: 2, "'\(signature.inputs[i].name)'") }
        _ = try node.shape(2, rank: 1, "'input_start'")
        return [[node.shape(1).rank == nil ? nil : node.shape(1)[0]]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let start = try call.vector(2, "input_start")
        let (all, taken, rank) = (call.inputs[1], call.inputs[3], start.count)
        guard all.shape.rank == 2, taken.shape.rank == 2, all.shape[1] == rank, taken.shape[1] == rank,
            call.inputs[0].shape == [taken.shape[0]]
        else {
            throw GraphError(
                "'backprop_val_grad' must have a number for each row of 'output_indices', and the rows \(rank) columns; "
                    + "got \(call.inputs[0].shape), \(taken.shape) and 'input_indices' \(all.shape)")
        }
        let (places, slices) = (all.knownIntegers, taken.knownIntegers)
        var rows: [[Int]: Int] = [:]
        for i in 0..<call.inputs[0].elementCount {
            rows[(0..<rank).map { slices[i * rank + $0] &+ start[$0] }] = i
        }
        // Behind the gradients lies the 0 of those outside.
        let dtype = call.inputs[0].dtype
        let padded = Tensor.joining([call.inputs[0], .zeros(dtype, sized: [1])])
        let count = all.shape[0] ?? 0
        return [
            padded.picking(
                (0..<count).map { rows[Array(places[$0 * rank..<($0 + 1) * rank])] ?? padded.elementCount - 1 })
        ]
    }

    /// Linear: what was taken is taken again.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}
