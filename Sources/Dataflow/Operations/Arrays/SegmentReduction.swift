/// How the rows of a segment become one.
enum SegmentCombination {
    case sum, mean, rootedMean, product, largest, smallest

    /// Combines rows of `inner` elements into `segments` rows of `result`: row i is read at `source(i)` and belongs to segment
    /// `segment(i)`; a negative one is dropped.
    ///
    /// - Parameter empty: what a segment without rows holds.
    @inline(__always)
    func reduce<Scalar: NumericScalar>(
        rows: Int, segments: Int, inner: Int, into result: UnsafeMutablePointer<Scalar>, empty: Scalar,
        segment: (Int) throws -> Int, source: (Int) throws -> UnsafePointer<Scalar>
    ) rethrows {
        guard inner > 0 else {
            // However many segments of nothing there are.
            for row in 0..<rows { _ = try segment(row) }
            return
        }
        var counts = [Int](repeating: 0, count: segments)
        result.update(repeating: empty, count: segments * inner)
        for row in 0..<rows {
            let place = try segment(row)
            if place < 0 { continue }
            let (target, x) = (result + place * inner, try source(row))
            counts[place] += 1
            if counts[place] == 1 {
                target.update(from: x, count: inner)
                continue
            }
            switch self {
            case .sum, .mean, .rootedMean:
                for i in 0..<inner { target[i] = Scalar.wrappingAdd(target[i], x[i]) }
            case .product: for i in 0..<inner { target[i] = Scalar.wrappingMultiply(target[i], x[i]) }
            case .largest: for i in 0..<inner where !(x[i] < target[i]) { target[i] = x[i] }
            case .smallest: for i in 0..<inner where !(x[i] > target[i]) { target[i] = x[i] }
            }
        }
        guard self == .mean || self == .rootedMean else { return }
        for (segment, count) in counts.enumerated() where count > 1 {
            let divisor = self == .mean ? Double(count) : Double(count).squareRoot()
            for i in segment * inner..<(segment + 1) * inner {
                result[i] = Scalar(result[i].asDouble / divisor)
            }
        }
    }
}

/// An operation that combines neighbouring rows of `data`: those of one number in the ascending `segment_ids`.
protocol SegmentOperation: Operation {
    static var combination: SegmentCombination { get }
}

extension SegmentOperation {
    /// [last segment + 1] + the dimensions of `data` without the first.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let ids = try node.shape(1, rank: 1, "'segment_ids'")
        guard let data = node.shape(0).dimensions else { return [.unknown] }
        guard let first = data.first, Shape([first]).isCompatible(with: ids) else {
            throw GraphError(
                "'segment_ids' must be a vector of a number for each row of 'data' \(node.shape(0)), got \(ids)")
        }
        return [Shape([try node.integers(1).map(segmentCount)] + data.dropFirst())]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try SegmentKernel(combination: combination, binding: binding).run(binding.outputs[0].dtype)
    }
}

/// One kernel for all of these operations.
private struct SegmentKernel: NumberWork {
    let combination: SegmentCombination
    let binding: KernelBinding

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> Kernel {
        let (data, ids, out) = (binding.input(0), IndexInput(binding, 1), binding.output())
        let extents = binding.outputs[0].shape.knownExtents
        let (rows, inner) = (binding.count(1), extents.dropFirst().reduce(1, *))
        let combination = combination
        let empty = combination == .product ? Scalar(1.0) : Scalar(0.0)
        return { memory in
            let x = memory.pointer(data, Scalar.self)
            combination.reduce(
                rows: rows, segments: extents[0], inner: inner, into: memory.pointer(out, Scalar.self), empty: empty,
                segment: { Swift.min(ids.read(memory, $0), extents[0] - 1) },
                source: { UnsafePointer(x + $0 * inner) })
        }
    }
}

/// One more than the last of ascending segment numbers.
func segmentCount(_ ids: [Int]) throws -> Int {
    var last = 0
    for (i, id) in ids.enumerated() {
        guard id >= last else {
            throw GraphError("segment_ids[\(i)] = \(id): they must be ascending numbers from 0 on")
        }
        last = id
    }
    return ids.isEmpty ? 0 : last + 1
}

/// An operation that combines those rows of `data` that have one number in `segment_ids`, wherever they are.
protocol UnsortedSegmentOperation: Operation, NumericKernel {
    static var combination: SegmentCombination { get }
    /// What a segment without rows holds.
    static func empty<Scalar: NumericScalar>(_ type: Scalar.Type) -> Scalar
}

extension UnsortedSegmentOperation {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try UnsortedSegmentSum.infer(node) }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (data, ids, out) = (binding.input(0), IndexInput(binding, 1), binding.output())
        let extents = binding.outputs[0].shape.knownExtents
        let (rows, inner) = (binding.count(1), extents.dropFirst().reduce(1, *))
        return { memory in
            let x = memory.pointer(data, Scalar.self)
            try combination.reduce(
                rows: rows, segments: extents[0], inner: inner, into: memory.pointer(out, Scalar.self),
                empty: empty(type),
                segment: { row in
                    let segment = ids.read(memory, row)
                    guard segment < extents[0] else {
                        throw GraphError("segment_ids[\(row)] = \(segment) is not in [0, \(extents[0]))")
                    }
                    return segment
                },
                source: { UnsafePointer(x + $0 * inner) })
        }
    }
}
