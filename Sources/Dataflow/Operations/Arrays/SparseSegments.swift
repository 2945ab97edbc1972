private func sparseSegmentSignature(counted: Bool, _ types: [DType]) -> Signature {
    let kinds: [String: [DType]] = ["T": types, "Tidx": DType.indices, "Tsegmentids": DType.indices]
    let defaults: [String: AttributeValue] = ["sparse_gradient": .bool(false)]
    return counted
        ? Signature(
            ["data": "T", "indices": "Tidx", "segment_ids": "Tsegmentids", "num_segments": "Tnumsegments"],
            to: ["output": "T"], types: kinds.merging(["Tnumsegments": DType.indices]) { $1 },
            defaults: defaults)
        : Signature(
            ["data": "T", "indices": "Tidx", "segment_ids": "Tsegmentids"], to: ["output": "T"], types: kinds,
            defaults: defaults)
}

private let backward = Signature(
    ["grad": "T", "indices": "Tidx", "segment_ids": "Tsegmentids", "output_dim0": "int32"], to: ["output": "T"],
    types: ["T": DType.floats, "Tidx": DType.indices, "Tsegmentids": DType.indices])

/// `SparseSegmentSum`: row s is the sum of those rows data[indices[i]] for which the ascending segment_ids[i] is s.
public enum SparseSegmentSum: SparseSegmentOperation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = sparseSegmentSignature(counted: false, DType.numbers)
    static var combination: SegmentCombination { .sum }
    static var backwards: any Operation.Type { SparseSegmentSumGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentSumGradV2.self }
}

/// `SparseSegmentMean`: as `SparseSegmentSum`, of the mean.
public enum SparseSegmentMean: SparseSegmentOperation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = sparseSegmentSignature(counted: false, DType.floats)
    static var combination: SegmentCombination { .mean }
    static var backwards: any Operation.Type { SparseSegmentMeanGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentMeanGradV2.self }
}

/// `SparseSegmentSqrtN`: as `SparseSegmentSum`, of the sum over the square root of how many there are.
public enum SparseSegmentSqrtN: SparseSegmentOperation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = sparseSegmentSignature(counted: false, DType.floats)
    static var combination: SegmentCombination { .rootedMean }
    static var backwards: any Operation.Type { SparseSegmentSqrtNGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentSqrtNGradV2.self }
}

/// `SparseSegmentSumWithNumSegments`: as `SparseSegmentSum`, with as many rows as told.
public enum SparseSegmentSumWithNumSegments: SparseSegmentOperation {
    public static let signature = sparseSegmentSignature(counted: true, DType.numbers)
    static var combination: SegmentCombination { .sum }
    static var backwards: any Operation.Type { SparseSegmentSumGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentSumGradV2.self }
}

/// `SparseSegmentMeanWithNumSegments`: as `SparseSegmentMean`, with as many rows as told.
public enum SparseSegmentMeanWithNumSegments: SparseSegmentOperation {
    public static let signature = sparseSegmentSignature(counted: true, DType.floats)
    static var combination: SegmentCombination { .mean }
    static var backwards: any Operation.Type { SparseSegmentMeanGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentMeanGradV2.self }
}

/// `SparseSegmentSqrtNWithNumSegments`: as `SparseSegmentSqrtN`, with as many rows as told.
public enum SparseSegmentSqrtNWithNumSegments: SparseSegmentOperation {
    public static let signature = sparseSegmentSignature(counted: true, DType.floats)
    static var combination: SegmentCombination { .rootedMean }
    static var backwards: any Operation.Type { SparseSegmentSqrtNGrad.self }
    static var backwardRows: any Operation.Type { SparseSegmentSqrtNGradV2.self }
}

/// `SparseSegmentSumGrad`: the gradient of `SparseSegmentSum` by its data of `output_dim0` rows.
public enum SparseSegmentSumGrad: SparseSegmentGradient {
    public static let signature = backward
    static var forwards: any Operation.Type { SparseSegmentSumWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 }
}

/// `SparseSegmentMeanGrad`: the gradient of `SparseSegmentMean` by its data of `output_dim0` rows.
public enum SparseSegmentMeanGrad: SparseSegmentGradient {
    public static let signature = backward
    static var forwards: any Operation.Type { SparseSegmentMeanWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 / Double(count) }
}

/// `SparseSegmentSqrtNGrad`: the gradient of `SparseSegmentSqrtN` by its data of `output_dim0` rows.
public enum SparseSegmentSqrtNGrad: SparseSegmentGradient {
    public static let signature = backward
    static var forwards: any Operation.Type { SparseSegmentSqrtNWithNumSegments.self }
    static func weight(_ count: Int) -> Double { 1 / Double(count).squareRoot() }
}

/// An operation that gathers rows and combines neighbours of one segment, without the gathered rows ever lying in memory.
protocol SparseSegmentOperation: RowPicking {
    static var combination: SegmentCombination { get }
    static var backwards: any Operation.Type { get }
    /// The gradient as rows, which the attribute `sparse_gradient` asks for.
    static var backwardRows: any Operation.Type { get }
}

extension SparseSegmentOperation {
    /// [segments] + the dimensions of `data` without the first.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (indices, ids) = (try node.shape(1, rank: 1, "'indices'"), try node.shape(2, rank: 1, "'segment_ids'"))
        guard indices.isCompatible(with: ids) else {
            throw GraphError("'indices' and 'segment_ids' must be of one length, got \(indices) and \(ids)")
        }
        guard let data = node.shape(0).dimensions else { return [.unknown] }
        guard !data.isEmpty else { throw GraphError("'data' must have at least one dimension, got a scalar") }
        var count = try node.integers(2).map(segmentCount)
        if node.inputs.count > 3 {
            let told = try node.integer(3)
            if let count, let told, count > told {
                throw GraphError("the last of 'segment_ids' is \(count - 1), of \(told) segments")
            }
            count = told
        }
        if let count, count < 0 { throw GraphError("'num_segments' must be at least 0, got \(count)") }
        return [Shape([count] + data.dropFirst())]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let rows = dimension(shape(node.input(0)), 0)
        let slope = apply(backwards, [node.upstream(), node.input(1), node.input(2), rows])
        return [slope] + node.inputs.dropFirst().map { _ in nil }
    }

    static func rowGradient(_ node: GradientContext) throws -> IndexedSlices? {
        guard try node.attributes.bool("sparse_gradient") else { return nil }
        let extents = shape(node.input(0))
        let vertex = apply(
            backwardRows, [node.upstream(), node.input(1), node.input(2), dimension(extents, 0)]
        ).vertex
        return IndexedSlices(
            values: vertex.output(0), indices: vertex.output(1), denseShape: cast(extents, to: vertex.output(1).dtype))
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try SparseSegmentKernel(operation: Self.self, combination: combination, binding: binding)
            .run(binding.outputs[0].dtype)
    }
}

/// One kernel for all of these operations.
private struct SparseSegmentKernel: NumberWork {
    let operation: any Operation.Type
    let combination: SegmentCombination
    let binding: KernelBinding

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> Kernel {
        let (data, out) = (binding.input(0), binding.output())
        let (indices, ids) = (IndexInput(binding, 1), IndexInput(binding, 2))
        let (segments, rows) = (binding.outputs[0].shape.knownExtents[0], binding.inputs[0].shape.knownExtents[0])
        let (count, inner) = (binding.count(1), binding.outputs[0].shape.knownExtents.dropFirst().reduce(1, *))
        return { memory in
            let x = memory.pointer(data, Scalar.self)
            try combination.reduce(
                rows: count, segments: segments, inner: inner, into: memory.pointer(out, Scalar.self),
                empty: Scalar(0.0),
                segment: { i in
                    let id = ids.read(memory, i)
                    guard id >= 0, id < segments else {
                        throw GraphError("segment_ids[\(i)] = \(id) is not in [0, \(segments))")
                    }
                    return id
                },
                source: { i in
                    let row = indices.read(memory, i)
                    guard row >= 0, row < rows else {
                        throw GraphError("indices[\(i)] = \(row) is not in [0, \(rows))")
                    }
                    return UnsafePointer(x + row * inner)
                })
        }
    }
}

/// The gradient of a `SparseSegmentOperation`: each segment's gradient, weighted, added to the rows that went into it.
protocol SparseSegmentGradient: Operation, FloatKernel {
    static var forwards: any Operation.Type { get }
    /// What each of `count` rows of a segment counts.
    static func weight(_ count: Int) -> Double
}

extension SparseSegmentGradient {
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (indices, ids) = (try node.shape(1, rank: 1, "'indices'"), try node.shape(2, rank: 1, "'segment_ids'"))
        guard indices.isCompatible(with: ids) else {
            throw GraphError("'indices' and 'segment_ids' must be of one length, got \(indices) and \(ids)")
        }
        guard let gradient = node.shape(0).dimensions else { return [.unknown] }
        guard !gradient.isEmpty else { throw GraphError("'grad' must have at least one dimension, got a scalar") }
        let rows = try node.integer(3)
        if let rows, rows < 0 { throw GraphError("'output_dim0' must be at least 0, got \(rows)") }
        return [Shape([rows] + gradient.dropFirst())]
    }

    /// It is linear, so that its gradient is the operation itself.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let segments = dimension(shape(node.input(0)), 0)
        return [apply(forwards, [node.upstream(), node.input(1), node.input(2), segments]), nil, nil, nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let (gradient, out) = (binding.input(0), binding.output())
        let (indices, ids) = (IndexInput(binding, 1), IndexInput(binding, 2))
        let (segments, rows) = (binding.inputs[0].shape.knownExtents[0], binding.outputs[0].shape.knownExtents[0])
        let (count, inner) = (binding.count(1), binding.outputs[0].shape.knownExtents.dropFirst().reduce(1, *))
        return { memory in
            let result = memory.pointer(out, Scalar.self)
            result.update(repeating: 0, count: rows * inner)
            var counts = [Int](repeating: 0, count: segments)
            for i in 0..<count {
                let (row, id) = (indices.read(memory, i), ids.read(memory, i))
                guard row >= 0, row < rows, id >= 0, id < segments else {
                    throw GraphError(
                        "indices[\(i)] = \(row) is not in [0, \(rows)), or segment_ids[\(i)] = \(id) not in [0, \(segments))"
                    )
                }
                counts[id] += 1
            }
            for i in 0..<count {
                let id = ids.read(memory, i)
                let scale = Scalar(weight(counts[id]))
                let target = result + indices.read(memory, i) * inner
                let source = memory.pointer(gradient, Scalar.self) + id * inner
                for k in 0..<inner { target[k] += source[k] * scale }
            }
        }
    }
}
