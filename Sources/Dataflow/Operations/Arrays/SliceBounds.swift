/// What the masks and bounds of a `StridedSlice` mean for an input of a given shape.
struct SliceBounds {
    /// For each dimension of the input: the first index, the step, and how many, nil where the extent is unknown.
    private(set) var starts: [Int] = []
    private(set) var steps: [Int] = []
    private(set) var counts: [Int?] = []
    /// The output's dimensions: of `counts` those that are kept, with 1 for each new axis.
    private(set) var result: [Int?] = []
    /// For each dimension of the input: which of the output's it is, nil where a single index took it away.
    private var kept: [Int?] = []

    private let shape: Shape

    init(_ shape: Shape, begin: [Int], end: [Int], strides: [Int], _ attributes: Attributes) throws {
        self.shape = shape
        let extents = shape.dimensions ?? []
        let mask = { (name: String, i: Int) throws -> Bool in try attributes.int(name) & (1 << i) != 0 }
        guard begin.count == end.count, end.count == strides.count else {
            throw GraphError("'begin' \(begin), 'end' \(end) and 'strides' \(strides) must be of one length")
        }
        let ellipses = try begin.indices.filter { try mask("ellipsis_mask", $0) }
        guard ellipses.count <= 1 else { throw GraphError("only one ellipsis may stand in a slice") }
        for i in begin.indices {
            if try mask("ellipsis_mask", i) {
                let newAxes = try begin.indices.count { try $0 > i && mask("new_axis_mask", $0) }
                let next = min(extents.count - (begin.count - i) + 1 + newAxes, extents.count)
                while starts.count < next { keepAll(extents[starts.count]) }
            } else if try mask("new_axis_mask", i) {
                result.append(1)
            } else {
                guard starts.count < extents.count else {
                    throw GraphError("\(begin.count) indices are too many for the shape \(shape)")
                }
                try add(
                    extents[starts.count], begin[i], end[i], strides[i], beginMasked: mask("begin_mask", i),
                    endMasked: mask("end_mask", i), shrinks: mask("shrink_axis_mask", i))
            }
        }
        while starts.count < extents.count { keepAll(extents[starts.count]) }
    }

    private mutating func keepAll(_ extent: Int?) {
        starts.append(0)
        steps.append(1)
        counts.append(extent)
        kept.append(result.count)
        result.append(extent)
    }

    private mutating func add(
        _ extent: Int?, _ begin: Int, _ end: Int, _ step: Int, beginMasked: Bool, endMasked: Bool, shrinks: Bool
    ) throws {
        guard step != 0, !shrinks || step > 0 else {
            throw GraphError("strides[\(starts.count)] is \(step); it must not be 0, and 1 for a single index")
        }
        steps.append(step)
        kept.append(shrinks ? nil : result.count)
        guard let extent else {
            starts.append(begin)
            counts.append(shrinks ? 1 : nil)
            if !shrinks { result.append(nil) }
            return
        }
        if shrinks {
            let index = begin < 0 ? begin + extent : begin
            guard index >= 0, index < extent else {
                throw GraphError("the index \(begin) is beyond dimension \(starts.count) of the shape \(shape)")
            }
            starts.append(index)
            counts.append(1)
            return
        }
        let (low, high) = step > 0 ? (0, extent) : (-1, extent - 1)
        let canonical = { (x: Int) in Swift.min(Swift.max(x < 0 ? x + extent : x, low), high) }
        let first = beginMasked ? (step > 0 ? low : high) : canonical(begin)
        let last = endMasked ? (step > 0 ? high : low) : canonical(end)
        let interval = last - first
        let isEmpty = interval == 0 || (interval < 0) != (step < 0)
        let count = isEmpty ? 0 : Int((interval.magnitude - 1) / step.magnitude) + 1
        starts.append(first)
        counts.append(count)
        result.append(count)
    }

    // A step too large for the product belongs to a dimension of one index at most, in which it is not used.

    /// The copy of the slice out of the input, or (`scatters`) back into its place.
    func copy(scatters: Bool) -> StridedCopy {
        let extents = counts.map { $0 ?? 0 }
        let strides = zip(shape.strides, steps).map { $0 &* $1 }
        let offset = extents.contains(0) ? 0 : zip(starts, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
        return scatters
            ? StridedCopy(extents, from: Shape(extents).strides, to: strides, toOffset: offset)
            : StridedCopy(extents, from: strides, fromOffset: offset)
    }

    /// The copy of a value that broadcasts to the slice into its place.
    func assignment(of value: Shape) -> StridedCopy {
        let extents = counts.map { $0 ?? 0 }
        let (own, ownStrides) = (value.knownExtents, value.strides)
        let missing = result.count - own.count
        let from = kept.map { position -> Int in
            guard let position, position >= missing, own[position - missing] != 1 else { return 0 }
            return ownStrides[position - missing]
        }
        let to = zip(shape.strides, steps).map { $0 &* $1 }
        let offset = extents.contains(0) ? 0 : zip(starts, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
        return StridedCopy(extents, from: from, to: to, toOffset: offset)
    }
}
