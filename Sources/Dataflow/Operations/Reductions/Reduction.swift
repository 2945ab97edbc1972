/// An operation that reduces some dimensions of its input: `Sum`, `Mean`, `Max`, ….
protocol ReductionOperation: Operation {}

extension ReductionOperation {
    /// The dimensions left; with `keep_dims`, 1 where one was reduced.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let keep = try node.attributes.bool("keep_dims")
        let shape = node.shape(0)
        guard let rank = shape.rank else { return [.unknown] }
        if let count = node.shape(1).elementCount, count > max(rank, 1) {
            throw GraphError("'\(signature.inputs[1].name)' names \(count) axes of a tensor of rank \(rank)")
        }
        guard let axes = node.integers(1) else { return [keep ? .unknown(rank: rank) : .unknown] }
        let reduced = Set(try normalize(axes, rank: rank))
        return [
            Shape(
                (0..<rank).compactMap { i -> Int?? in reduced.contains(i) ? (keep ? .some(1) : nil) : .some(shape[i]) })
        ]
    }
}

/// Axes counted from 0; negative ones count from the end.
/// - Throws: `GraphError` for an axis beyond the rank.
func normalize(_ axes: [Int], rank: Int) throws -> [Int] {
    try axes.map { axis in
        guard axis >= -rank, axis < rank else { throw GraphError("the axis \(axis) is beyond the rank \(rank)") }
        return axis < 0 ? axis + rank : axis
    }
}

/// The input of a reduction seen as outer × reduced × inner, repeated: dimensions kept and reduced in turn.
struct ReductionLayout {
    /// Extents of kept dimensions and their strides in the input; likewise of the reduced ones.
    private(set) var kept: [(extent: Int, stride: Int)] = []
    private(set) var reduced: [(extent: Int, stride: Int)] = []

    init(_ shape: Shape, axes: Set<Int>) {
        let (extents, strides) = (shape.knownExtents, shape.strides)
        for i in extents.indices where extents[i] != 1 {
            if axes.contains(i) {
                Self.add((extents[i], strides[i]), to: &reduced)
            } else {
                Self.add((extents[i], strides[i]), to: &kept)
            }
        }
    }

    private static func add(_ dimension: (extent: Int, stride: Int), to list: inout [(extent: Int, stride: Int)]) {
        if let last = list.last, last.stride == dimension.extent * dimension.stride {
            list[list.count - 1] = (last.extent * dimension.extent, dimension.stride)
        } else {
            list.append(dimension)
        }
    }

    var keptCount: Int { kept.reduce(1) { $0 * $1.extent } }
    var reducedCount: Int { reduced.reduce(1) { $0 * $1.extent } }

    static func offset(_ index: Int, _ dimensions: [(extent: Int, stride: Int)]) -> Int {
        var rest = index
        var offset = 0
        for dimension in dimensions.reversed() {
            offset += rest % dimension.extent * dimension.stride
            rest /= dimension.extent
        }
        return offset
    }

    /// Folds the input into `output` with `combine`, starting each element at `initial`.
    ///
    /// Rows are walked in memory order: along the reduced dimension where it is innermost (in four partial results, which
    /// vectorise and round less), else adding whole rows to the output.
    @inline(__always)
    func reduce<Scalar: NumericScalar>(
        _ input: UnsafePointer<Scalar>, _ output: UnsafeMutablePointer<Scalar>, initial: Scalar,
        _ combine: (Scalar, Scalar) -> Scalar
    ) {
        let count = keptCount
        if count == 0 { return }
        if reduced.isEmpty {
            output.update(from: input, count: count)
            return
        }
        if let last = kept.last, last.stride == 1 {
            // The innermost dimension is kept: combine row by row.
            let row = last.extent
            let rows = Array(kept.dropLast())
            for outer in 0..<(count / row) {
                let target = output + outer * row
                let base = input + Self.offset(outer, rows)
                target.update(repeating: initial, count: row)
                for r in 0..<reducedCount {
                    let source = base + Self.offset(r, reduced)
                    for i in 0..<row { target[i] = combine(target[i], source[i]) }
                }
            }
            return
        }
        let run = reduced.last.map { $0.stride == 1 ? $0.extent : 1 } ?? 1
        let rest = reduced.last.map { $0.stride == 1 } == true ? Array(reduced.dropLast()) : reduced
        let runs = rest.reduce(1) { $0 * $1.extent }
        for k in 0..<count {
            let base = input + Self.offset(k, kept)
            var result = initial
            for r in 0..<(run == 0 ? 0 : runs) {
                let source = base + Self.offset(r, rest)
                result = combine(result, Self.fold(source, run, initial, combine))
            }
            output[k] = result
        }
    }

    @inline(__always)
    private static func fold<Scalar: NumericScalar>(
        _ source: UnsafePointer<Scalar>, _ count: Int, _ initial: Scalar, _ combine: (Scalar, Scalar) -> Scalar
    ) -> Scalar {
        var (a, b, c, d) = (initial, initial, initial, initial)
        var i = 0
        while i + 4 <= count {
            a = combine(a, source[i])
            b = combine(b, source[i + 1])
            c = combine(c, source[i + 2])
            d = combine(d, source[i + 3])
            i += 4
        }
        while i < count {
            a = combine(a, source[i])
            i += 1
        }
        return combine(combine(a, b), combine(c, d))
    }
}
