private func countSignature(_ inputs: KeyValuePairs<String, String>) -> Signature {
    Signature(
        inputs, to: ["output_indices": "int64", "output_values": "output_type", "output_dense_shape": "int64"],
        types: ["T": DType.indices, "output_type": DType.signed],
        defaults: ["minlength": .int(-1), "maxlength": .int(-1)], required: ["binary_output"])
}

/// `DenseCountSparseOutput`: how often each number occurs in a vector or in each row of a matrix, or the sum of their weights,
/// as a sparse tensor; with `binary_output` 1 where it occurs. Numbers from `maxlength` on are left out.
public enum DenseCountSparseOutput: WholeTensorOperation {
    public static let signature = countSignature(["values": "T", "weights": "output_type"])
    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        [[nil, node.shape(0).rank], [nil], [node.shape(0).rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let extents = call.inputs[0].shape.knownExtents
        guard extents.count == 1 || extents.count == 2 else {
            throw GraphError("'values' must be a vector or a matrix, got the shape \(extents)")
        }
        let numbers = call.inputs[0].knownIntegers
        let width = Swift.max(extents[extents.count - 1], 1)
        let rows = numbers.indices.map { extents.count == 1 ? 0 : $0 / width }
        return try RowCounts(call, numbers, rows, rowCount: extents.count == 1 ? nil : extents[0]).tensors()
    }
}

/// `SparseCountSparseOutput`: as `DenseCountSparseOutput`, of a sparse vector or matrix.
public enum SparseCountSparseOutput: WholeTensorOperation {
    public static let signature = countSignature([
        "indices": "int64", "values": "T", "dense_shape": "int64", "weights": "output_type",
    ])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (_, rank) = try SparseParts.check(node)
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call)
        guard parts.rank == 1 || parts.rank == 2 else {
            throw GraphError("the sparse tensor must be a vector or a matrix, got the shape \(parts.shape)")
        }
        let rows = (0..<parts.count).map { parts.rank == 1 ? 0 : parts[$0, 0] }
        let counts = try RowCounts(
            call, parts.values.knownIntegers, rows, rowCount: parts.rank == 1 ? nil : parts.shape[0])
        return try counts.tensors()
    }
}

/// `RaggedCountSparseOutput`: as `DenseCountSparseOutput`, of rows of different lengths that begin where `splits` says.
public enum RaggedCountSparseOutput: WholeTensorOperation {
    public static let signature = countSignature(["splits": "int64", "values": "T", "weights": "output_type"])
    static func shapes(_ node: ShapeContext) throws -> [Shape] { [[nil, 2], [nil], [2]] }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let numbers = try call.vector(1, "values")
        let rows = try raggedRows(try call.vector(0, "splits"), count: numbers.count)
        return try RowCounts(call, numbers, rows.numbers, rowCount: rows.count).tensors()
    }
}

/// The row of each of `count` elements of rows that begin where `splits` says.
func raggedRows(_ splits: [Int], count: Int) throws -> (numbers: [Int], count: Int) {
    guard splits.first == 0, splits.last == count, zip(splits, splits.dropFirst()).allSatisfy(<=) else {
        throw GraphError("'splits' must ascend from 0 to the number of values, \(count); got \(splits.prefix(12))")
    }
    let numbers = zip(splits, splits.dropFirst()).enumerated().flatMap { row, bounds in
        repeatElement(row, count: bounds.1 - bounds.0)
    }
    return (numbers, splits.count - 1)
}

private struct RowCounts: NumberWork {
    private let numbers: [Int]
    private let rows: [Int]
    private let rowCount: Int?
    private let weights: Tensor
    private let isBinary: Bool
    private let length: Int

    /// - Parameter rowCount: nil for a result that is a vector.
    init(_ call: WholeTensors, _ numbers: [Int], _ rows: [Int], rowCount: Int?) throws {
        let (shortest, longest) = (try call.attributes.int("minlength"), try call.attributes.int("maxlength"))
        weights = call.inputs[call.inputs.count - 1]
        isBinary = try call.attributes.bool("binary_output")
        guard weights.elementCount == 0 || weights.elementCount == numbers.count else {
            throw GraphError("'weights' must be empty or \(numbers.count) numbers, got the shape \(weights.shape)")
        }
        if let odd = numbers.first(where: { $0 < 0 }) {
            throw GraphError("the numbers to count must be at least 0, got \(odd)")
        }
        length = longest > 0 ? longest : Swift.max((numbers.max() ?? -1) &+ 1, shortest, 0)
        (self.numbers, self.rows, self.rowCount) = (numbers, rows, rowCount)
    }

    func tensors() throws -> [Tensor] { try run(weights.dtype) }

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> [Tensor] {
        let weights = weights.elements(of: type)
        var sums: [[Int]: Scalar] = [:]
        for (i, number) in numbers.enumerated() where number < length {
            let place = rowCount == nil ? [number] : [rows[i], number]
            let weight = isBinary || weights.isEmpty ? Scalar(1.0) : weights[i]
            sums[place] = isBinary ? weight : Scalar.wrappingAdd(sums[place] ?? Scalar(0.0), weight)
        }
        let places = sums.keys.sorted { $0.lexicographicallyPrecedes($1) }
        return SparseParts(
            indices: places.flatMap { $0 }, values: Tensor(places.map { sums[$0] ?? Scalar(0.0) }),
            shape: rowCount.map { [$0, length] } ?? [length]
        ).tensors
    }
}
