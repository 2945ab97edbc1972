#if canImport(Glibc)
    import Glibc
#endif

/// `SparseSoftmax`: the softmax of each row of the last dimension over the elements that there are.
public enum SparseSoftmax: WholeTensorOperation {
    public static let signature = Signature(
        ["sp_indices": "int64", "sp_values": "T", "sp_shape": "int64"], to: ["output": "T"],
        types: ["T": DType.floats])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (count, rank) = try SparseParts.check(node)
        if let rank, rank < 2 { throw GraphError("the sparse tensor must have at least rank 2, got \(rank)") }
        return [[count]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call, name: "sp")
        guard parts.rank >= 2 else { throw GraphError("the sparse tensor must have at least rank 2") }
        return [try Rows(parts: parts).run(parts.values.dtype)]
    }

    private struct Rows: NumberWork {
        let parts: SparseParts
        func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
            let values = parts.values.elements(of: type).map(\.asDouble)
            var result = values
            for group in parts.groups(by: Array(0..<parts.rank - 1)) {
                let largest = group.map { values[$0] }.max() ?? 0
                var sum = 0.0
                for i in group {
                    result[i] = exp(values[i] - largest)
                    sum += result[i]
                }
                for i in group { result[i] /= sum }
            }
            return Tensor(result.map { Scalar($0) })
        }
    }

    /// (dy − Σ dy·y along the row) · y.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (indices, shape, y, dy) = (node.input(0), node.input(2), node.output(), node.upstream())
        let last = node.graph.constant([Int32(-1)])
        let sums = apply(SparseReduceSum.self, [indices, dy * y, shape, last], ["keep_dims": .bool(true)])
        let slope = apply(SparseDenseCwiseAdd.self, [indices, dy, shape, -sums]) * y
        return [nil, slope, nil]
    }
}

extension SparseParts {
    /// Elements whose places agree in `dimensions`, in the order of these; within a group in the order of their places.
    func groups(by dimensions: [Int]) -> [[Int]] {
        let others = (0..<rank).filter { !dimensions.contains($0) }
        var groups: [[Int]] = []
        for i in sorted(along: dimensions + others) {
            if let first = groups.last?.first, dimensions.allSatisfy({ self[first, $0] == self[i, $0] }) {
                groups[groups.count - 1].append(i)
            } else {
                groups.append([i])
            }
        }
        return groups
    }
}
