/// `SparseBincount`: how often each number below `size` occurs among the elements of a sparse vector, or in each row of a
/// sparse matrix, or the sum of their weights; with `binary_output` 1 where it occurs.
public enum SparseBincount: WholeTensorOperation {
    public static let signature = Signature(
        ["indices": "int64", "values": "Tidx", "dense_shape": "int64", "size": "Tidx", "weights": "T"],
        to: ["output": "T"], types: ["Tidx": DType.indices, "T": DType.signed],
        defaults: ["binary_output": .bool(false)])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (_, rank) = try SparseParts.check(node)
        let size = try node.integer(3).flatMap { $0 >= 0 ? $0 : nil }
        guard let rank else { return [.unknown] }
        return [rank == 1 ? [size] : [node.integers(2)?.first.flatMap { $0 >= 0 ? $0 : nil }, size]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call)
        guard parts.rank == 1 || parts.rank == 2 else {
            throw GraphError("the sparse tensor must be a vector or a matrix, got the shape \(parts.shape)")
        }
        let rows = parts.rank == 1 ? nil : parts.shape[0]
        return [
            try Counts(
                call: call, numbers: parts.values.knownIntegers,
                rows: (0..<parts.count).map { rows == nil ? 0 : parts[$0, 0] },
                rowCount: rows, size: try call.integer(3, "size"), weights: call.inputs[4],
                isBinary: try call.attributes.bool("binary_output")
            ).run(call.inputs[4].dtype)
        ]
    }
}

/// `RaggedBincount`: as `SparseBincount`, for rows of different lengths that begin where `splits` says.
public enum RaggedBincount: WholeTensorOperation {
    public static let signature = Signature(
        ["splits": "int64", "values": "Tidx", "size": "Tidx", "weights": "T"], to: ["output": "T"],
        types: ["Tidx": DType.indices, "T": DType.signed], defaults: ["binary_output": .bool(false)])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let splits = try node.shape(0, rank: 1, "'splits'")
        _ = try node.shape(1, rank: 1, "'values'")
        return [[splits[0].map { max($0 - 1, 0) }, try node.integer(2).flatMap { $0 >= 0 ? $0 : nil }]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let numbers = try call.vector(1, "values")
        let rows = try raggedRows(try call.vector(0, "splits"), count: numbers.count)
        return [
            try Counts(
                call: call, numbers: numbers, rows: rows.numbers, rowCount: rows.count,
                size: try call.integer(2, "size"),
                weights: call.inputs[3], isBinary: try call.attributes.bool("binary_output")
            ).run(call.inputs[3].dtype)
        ]
    }
}

private struct Counts: NumberWork {
    let call: WholeTensors
    let numbers: [Int]
    let rows: [Int]
    /// nil for a result that is a vector.
    let rowCount: Int?
    let size: Int
    /// One for each number, or none.
    let weights: Tensor
    let isBinary: Bool

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> Tensor {
        guard size >= 0, weights.elementCount == 0 || weights.elementCount == numbers.count else {
            throw GraphError(
                "'size' must be at least 0 and 'weights' empty or \(numbers.count) numbers, got \(size) and the shape "
                    + "\(weights.shape)")
        }
        let shape = try call.told(rowCount.map { [$0, size] } ?? [size], weights.dtype)
        var result = [Scalar](repeating: Scalar(0.0), count: shape.elementCount ?? 0)
        let weights = weights.elements(of: type)
        for (i, number) in numbers.enumerated() {
            guard number >= 0 else { throw GraphError("the numbers to count must be at least 0, got \(number)") }
            guard number < size else { continue }
            let place = rows[i] * size + number
            if isBinary {
                result[place] = Scalar(1.0)
            } else {
                result[place] = Scalar.wrappingAdd(result[place], weights.isEmpty ? Scalar(1.0) : weights[i])
            }
        }
        return Tensor(result, sized: shape)
    }
}
