/// `SparseFillEmptyRows`: a sparse tensor with `default_value` at the start of every row that has no element; which rows these
/// were; and where each element went. The elements come out in the order of their rows.
public enum SparseFillEmptyRows: WholeTensorOperation {
    public static let signature = Signature(
        ["indices": "int64", "values": "T", "dense_shape": "int64", "default_value": "T"],
        to: [
            "output_indices": "int64", "output_values": "T", "empty_row_indicator": "bool",
            "reverse_index_map": "int64",
        ], types: ["T": DType.moved])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (count, rank) = try SparseParts.check(node)
        _ = try node.shape(3, rank: 0, "'default_value'")
        if rank == 0 { throw GraphError("the sparse tensor must have at least rank 1") }
        return [[nil, rank], [nil], [node.integers(2)?.first.flatMap { $0 >= 0 ? $0 : nil }], [count]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call)
        guard parts.rank > 0 else { throw GraphError("the sparse tensor must have at least rank 1") }
        guard call.inputs[3].elementCount == 1 else {
            throw GraphError("'default_value' must be a scalar, got the shape \(call.inputs[3].shape)")
        }
        let rows = parts.shape[0]
        _ = try call.told([rows, parts.rank], .int64)
        let order = parts.sorted(along: [0])
        var isEmpty = [Bool](repeating: true, count: rows)
        for i in 0..<parts.count { isEmpty[parts[i, 0]] = false }
        // The default value lies behind the elements.
        let all = Tensor.joining([parts.values, call.inputs[3].viewed(as: [1])])
        var (indices, picked): ([Int], [Int]) = ([], [])
        var reverse = [Int](repeating: 0, count: parts.count)
        var next = 0
        for row in 0..<rows {
            if isEmpty[row] {
                indices += [row] + repeatElement(0, count: parts.rank - 1)
                picked.append(parts.count)
            }
            while next < order.count, parts[order[next], 0] == row {
                indices += parts.place(order[next])
                reverse[order[next]] = picked.count
                picked.append(order[next])
                next += 1
            }
        }
        return [
            Tensor(int64: indices, sized: [picked.count, parts.rank]), all.picking(picked), Tensor(isEmpty),
            Tensor(int64: reverse, sized: [parts.count]),
        ]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard node.hasUpstream(1) else { return [nil, nil, nil, nil] }
        let slopes = apply(SparseFillEmptyRowsGrad.self, [node.output(3), node.upstream(1)]).vertex
        return [nil, slopes.output(0), nil, slopes.output(1)]
    }
}

/// `SparseFillEmptyRowsGrad`: the gradient of `SparseFillEmptyRows` by its values and by its default value.
public enum SparseFillEmptyRowsGrad: WholeTensorOperation {
    public static let signature = Signature(
        ["reverse_index_map": "int64", "grad_values": "T"], to: ["d_values": "T", "d_default_value": "T"],
        types: ["T": DType.numbers])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let map = try node.shape(0, rank: 1, "'reverse_index_map'")
        _ = try node.shape(1, rank: 1, "'grad_values'")
        return [[map[0]], []]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let map = try call.vector(0, "reverse_index_map")
        guard call.inputs[1].shape.rank == 1 else {
            throw GraphError("'grad_values' must be a vector, got the shape \(call.inputs[1].shape)")
        }
        let count = call.inputs[1].elementCount
        if let odd = map.firstIndex(where: { $0 < 0 || $0 >= count }) {
            throw GraphError("reverse_index_map[\(odd)] = \(map[odd]) is not in [0, \(count))")
        }
        let rest = try Rest(values: call.inputs[1], taken: Set(map)).run(call.inputs[1].dtype)
        return [call.inputs[1].picking(map), rest]
    }

    /// The sum of the values that no element went to.
    private struct Rest: NumberWork {
        let values: Tensor
        let taken: Set<Int>
        func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
            var sum = Scalar(0.0)
            for (i, value) in values.elements(of: type).enumerated() where !taken.contains(i) {
                sum = Scalar.wrappingAdd(sum, value)
            }
            return Tensor(sum)
        }
    }

    /// Linear: what arrives at the elements goes back where they went, the rest to what was filled in.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (map, values) = (node.input(0), node.input(1))
        let own = apply(UnsortedSegmentSum.self, [node.upstream(0), map, size(values)])
        let isTaken = apply(UnsortedSegmentSum.self, [onesLike(node.upstream(0)), map, size(values)])
        return [nil, own + (onesLike(values) - isTaken) * node.upstream(1)]
    }
}
