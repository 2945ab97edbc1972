private let rowSignature = Signature(
    ["grad": "T", "indices": "Tidx", "segment_ids": "Tsegmentids", "dense_output_dim0": "int32"],
    to: ["output": "T", "sorted_unique_indices": "Tidx"],
    types: ["T": DType.floats, "Tidx": DType.indices, "Tsegmentids": DType.indices])

/// `SparseSegmentSumGradV2`: the gradient of `SparseSegmentSum` by those rows of its data that were used, and their numbers,
/// ascending.
public enum SparseSegmentSumGradV2: SparseSegmentRows {
    public static let signature = rowSignature
    static var forwards: any Operation.Type { SparseSegmentSumWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 }
}

/// `SparseSegmentMeanGradV2`: as `SparseSegmentSumGradV2`, of `SparseSegmentMean`.
public enum SparseSegmentMeanGradV2: SparseSegmentRows {
    public static let signature = rowSignature
    static var forwards: any Operation.Type { SparseSegmentMeanWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 / Double(count) }
}

/// `SparseSegmentSqrtNGradV2`: as `SparseSegmentSumGradV2`, of `SparseSegmentSqrtN`.
public enum SparseSegmentSqrtNGradV2: SparseSegmentRows {
    public static let signature = rowSignature
    static var forwards: any Operation.Type { SparseSegmentSqrtNWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 / Double(count).squareRoot() }
}

/// The gradient of a `SparseSegmentOperation` as rows.
protocol SparseSegmentRows: WholeTensorOperation {
    static var forwards: any Operation.Type { get }
    /// What each of `count` rows of a segment counts.
    static func weight(_ count: Int) -> Double
}

extension SparseSegmentRows {
    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (indices, ids) = (try node.shape(1, rank: 1, "'indices'"), try node.shape(2, rank: 1, "'segment_ids'"))
        guard indices.isCompatible(with: ids) else {
            throw GraphError("'indices' and 'segment_ids' must be of one length, got \(indices) and \(ids)")
        }
        guard let gradient = node.shape(0).dimensions else { return [.unknown, [nil]] }
        guard !gradient.isEmpty else { throw GraphError("'grad' must have at least one dimension, got a scalar") }
        return [Shape([nil] + gradient.dropFirst()), [nil]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (rows, ids) = (try call.vector(1, "indices"), try call.vector(2, "segment_ids"))
        guard rows.count == ids.count, let segments = call.inputs[0].shape.knownExtents.first else {
            throw GraphError(
                "'indices' and 'segment_ids' must be of one length and 'grad' have rows; got \(call.inputs[1].shape), "
                    + "\(call.inputs[2].shape) and \(call.inputs[0].shape)")
        }
        let limit = try call.integer(3, "dense_output_dim0")
        for (i, (row, id)) in zip(rows, ids).enumerated() where row < 0 || row >= limit || id < 0 || id >= segments {
            throw GraphError(
                "indices[\(i)] = \(row) is not in [0, \(limit)), or segment_ids[\(i)] = \(id) not in [0, \(segments))")
        }
        let distinct = Set(rows).sorted()
        let inner = call.inputs[0].shape.knownExtents.dropFirst()
        _ = try call.told([distinct.count] + inner, call.inputs[0].dtype)
        let output = try Rows<Self>(gradient: call.inputs[0], rows: rows, ids: ids, distinct: distinct)
            .run(call.inputs[0].dtype)
        return [output, indexTensor(distinct, call.inputs[1].dtype)]
    }

    /// It is linear: the rows are spread over the data, and go forward again.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let rows = cast(reshape(node.input(3), [1]), to: .int32)
        let extents = concat([rows, tail(shape(node.upstream()), from: 1)], axis: 0)
        let spread = apply(
            ScatterNd.self,
            [reshape(node.output(1), [-1, 1]), node.upstream(), cast(extents, to: node.output(1).dtype)])
        let segments = dimension(shape(node.input(0)), 0)
        return [apply(forwards, [spread, node.input(1), node.input(2), segments]), nil, nil, nil]
    }
}

private struct Rows<Operation: SparseSegmentRows>: NumberWork {
    let gradient: Tensor
    let rows: [Int]
    let ids: [Int]
    let distinct: [Int]

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
        let extents = gradient.shape.knownExtents
        let inner = extents.dropFirst().reduce(1, *)
        var counts = [Int](repeating: 0, count: extents[0])
        for id in ids { counts[id] += 1 }
        let places = Dictionary(uniqueKeysWithValues: zip(distinct, 0...))
        return Tensor(dtype: gradient.dtype, sized: Shape([distinct.count] + extents.dropFirst())) { bytes in
            guard inner > 0, !distinct.isEmpty else { return }
            let result = bytes.bindMemory(to: type)
            result.update(repeating: Scalar(0.0))
            gradient.withUnsafeBytes { source in
                let slopes = source.bindMemory(to: type)
                for (row, id) in zip(rows, ids) {
                    let (target, from) = ((places[row] ?? 0) * inner, id * inner)
                    let scale = Scalar(Operation.weight(counts[id]))
                    for k in 0..<inner { result[target + k] += slopes[from + k] * scale }
                }
            }
        }
    }
}
