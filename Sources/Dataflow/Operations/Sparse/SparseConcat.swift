private let splitSignature = Signature(
    ["split_dim": "int64", "indices": "int64", "values": "T", "shape": "int64"],
    to: ["output_indices": "num_split * int64", "output_values": "num_split * T", "output_shape": "num_split * int64"],
    types: ["T": DType.moved], required: ["num_split"])

/// `SparseConcat`: sparse tensors one after another along a dimension, the elements in the order of their places.
public enum SparseConcat: WholeTensorOperation {
    public static let signature = Signature(
        ["indices": "N * int64", "values": "N * T", "shapes": "N * int64"],
        to: ["output_indices": "int64", "output_values": "T", "output_shape": "int64"], types: ["T": DType.moved],
        required: ["concat_dim"])
    /// None, as in TensorFlow.
    public static func gradient(_ node: GradientContext) throws -> [Node?] { node.inputs.map { _ in nil } }

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let n = node.inputs.count / 3
        guard n > 0 else { throw GraphError("there is nothing to concatenate") }
        var (count, rank): (Int?, Int?) = (0, nil)
        for i in 0..<n {
            let indices = try node.shape(i, rank: 2, "the indices of a sparse tensor")
            let shape = try node.shape(2 * n + i, rank: 1, "the shape of a sparse tensor")
            count = count.flatMap { so in indices[0].map { so + $0 } }
            rank = rank ?? indices[1] ?? shape[0]
        }
        return [[count, rank], [count], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let n = call.inputs.count / 3
        guard n > 0 else { throw GraphError("there is nothing to concatenate") }
        let parts = try (0..<n).map {
            try SparseParts(indices: call.inputs[$0], values: call.inputs[n + $0], shape: call.inputs[2 * n + $0])
        }
        let axis = try normalize([try call.attributes.int("concat_dim")], rank: parts[0].rank)[0]
        var (indices, total): ([Int], Int) = ([], 0)
        for part in parts {
            var (own, first) = (part.shape, parts[0].shape)
            guard own.count == first.count else {
                throw GraphError("sparse tensors of the shapes \(first) and \(own) cannot be concatenated")
            }
            (own[axis], first[axis]) = (0, 0)
            let (sum, overflow) = total.addingReportingOverflow(part.shape[axis])
            guard own == first, !overflow else {
                throw GraphError(
                    "sparse tensors of the shapes \(parts[0].shape) and \(part.shape) cannot be concatenated along \(axis)"
                )
            }
            for i in 0..<part.count {
                for d in 0..<part.rank { indices.append(part[i, d] + (d == axis ? total : 0)) }
            }
            total = sum
        }
        var shape = parts[0].shape
        shape[axis] = total
        let all = SparseParts(indices: indices, values: .joining(parts.map(\.values)), shape: shape)
        let order = all.sorted()
        return SparseParts(indices: order.flatMap(all.place), values: all.values.picking(order), shape: shape).tensors
    }
}

/// `SparseSplit`: a sparse tensor cut along a dimension into `num_split` parts; the first ones are longer by 1 where that does
/// not come out even.
public enum SparseSplit: WholeTensorOperation {
    public static let signature = splitSignature

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.integer(0)
        let (_, rank) = try SparseParts.check(node, first: 1)
        let n = max(try node.attributes.int("num_split"), 0)
        return [Shape](repeating: [nil, rank], count: n) + [Shape](repeating: [nil], count: n)
            + [Shape](repeating: [rank], count: n)
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call, first: 1)
        let axis = try normalize([try call.integer(0, "split_dim")], rank: parts.rank)[0]
        let n = try call.attributes.int("num_split")
        guard n >= 1, n <= parts.shape[axis] else {
            throw GraphError("dimension \(axis) of the shape \(parts.shape) cannot be split into \(n) parts")
        }
        let (length, longer) = (parts.shape[axis] / n, parts.shape[axis] % n)
        var picked = [[Int]](repeating: [], count: n)
        var starts: [Int] = []
        for i in 0..<n { starts.append(i * length + min(i, longer)) }
        for i in 0..<parts.count {
            let at = parts[i, axis]
            let inLonger = longer * (length + 1)
            picked[at < inLonger ? at / (length + 1) : longer + (at - inLonger) / length].append(i)
        }
        let results = (0..<n).map { k in
            var shape = parts.shape
            shape[axis] = length + (k < longer ? 1 : 0)
            let indices = picked[k].flatMap { i in
                (0..<parts.rank).map { parts[i, $0] - ($0 == axis ? starts[k] : 0) }
            }
            return SparseParts(indices: indices, values: parts.values.picking(picked[k]), shape: shape).tensors
        }
        return (0..<3).flatMap { kind in results.map { $0[kind] } }
    }
}
