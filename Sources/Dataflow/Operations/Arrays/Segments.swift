private let sorted = Signature(
    ["data": "T", "segment_ids": "Tindices"], to: ["output": "T"],
    types: ["T": DType.numbers, "Tindices": DType.indices])
private let unsorted = UnsortedSegmentSum.signature

/// `SegmentSum`: row s is the sum of those rows of `data` whose number in the ascending `segment_ids` is s; 0 without any.
public enum SegmentSum: SegmentOperation {
    public static let signature = sorted
    static var combination: SegmentCombination { .sum }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [gather(node.upstream(), node.input(1)), nil]
    }
}

/// `SegmentMean`: as `SegmentSum`, of the mean.
public enum SegmentMean: SegmentOperation {
    public static let signature = sorted
    static var combination: SegmentCombination { .mean }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (ids, dy) = (node.input(1), node.upstream())
        let rows = apply(SegmentSum.self, [cast(onesLike(ids), to: dy.dtype), ids])
        return [gather(dy / asColumn(rows, like: dy), ids), nil]
    }
}

/// `SegmentProd`: as `SegmentSum`, of the product; 1 without any row.
public enum SegmentProd: SegmentOperation {
    public static let signature = sorted
    static var combination: SegmentCombination { .product }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let ids = node.input(1)
        return [
            productGradient(node, reduce: { apply($0 ? SegmentProd.self : SegmentSum.self, [$1, ids]) }) {
                gather($0, ids)
            }, nil,
        ]
    }
}

/// `SegmentMax`: as `SegmentSum`, of the largest; 0 without any row. Equal ones share the gradient.
public enum SegmentMax: SegmentOperation {
    public static let signature = sorted
    static var combination: SegmentCombination { .largest }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { sortedExtremeGradient(node) }
}

/// `SegmentMin`: as `SegmentSum`, of the smallest; 0 without any row. Equal ones share the gradient.
public enum SegmentMin: SegmentOperation {
    public static let signature = sorted
    static var combination: SegmentCombination { .smallest }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { sortedExtremeGradient(node) }
}

/// `UnsortedSegmentProd`: as `UnsortedSegmentSum`, of the product; 1 without any row.
public enum UnsortedSegmentProd: UnsortedSegmentOperation {
    public static let signature = unsorted
    static var combination: SegmentCombination { .product }
    static func empty<Scalar: NumericScalar>(_ type: Scalar.Type) -> Scalar { Scalar(1.0) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (ids, count) = (node.input(1), node.input(2))
        let product = productGradient(
            node,
            reduce: { apply($0 ? UnsortedSegmentProd.self : UnsortedSegmentSum.self, [$1, ids, count]) },
            spread: { gatherKept($0, ids) })
        return [product, nil, nil]
    }
}

/// `UnsortedSegmentMax`: as `UnsortedSegmentSum`, of the largest; the lowest finite number without any row.
public enum UnsortedSegmentMax: UnsortedSegmentOperation {
    public static let signature = unsorted
    static var combination: SegmentCombination { .largest }
    static func empty<Scalar: NumericScalar>(_ type: Scalar.Type) -> Scalar { Scalar.lowestFinite }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { unsortedExtremeGradient(node) }
}

/// `UnsortedSegmentMin`: as `UnsortedSegmentSum`, of the smallest; the highest finite number without any row.
public enum UnsortedSegmentMin: UnsortedSegmentOperation {
    public static let signature = unsorted
    static var combination: SegmentCombination { .smallest }
    static func empty<Scalar: NumericScalar>(_ type: Scalar.Type) -> Scalar { Scalar.highestFinite }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { unsortedExtremeGradient(node) }
}

private func sortedExtremeGradient(_ node: GradientContext) -> [Node?] {
    let ids = node.input(1)
    let slope = extremeGradient(node, sum: { apply(SegmentSum.self, [$0, ids]) }, spread: { gather($0, ids) })
    return [slope, nil]
}

private func unsortedExtremeGradient(_ node: GradientContext) -> [Node?] {
    let (ids, count) = (node.input(1), node.input(2))
    let slope = extremeGradient(
        node, sum: { apply(UnsortedSegmentSum.self, [$0, ids, count]) }, spread: { gatherKept($0, ids) })
    return [slope, nil, nil]
}

/// Equal shares for all rows' elements that are their segment's extreme.
private func extremeGradient(
    _ node: GradientContext, sum: (Node) -> Node, spread: (Node) -> Node
) -> Node {
    let data = node.input(0)
    let isExtreme = equal(data, spread(node.output()))
    let counts = sum(cast(isExtreme, to: data.dtype))
    // A segment without rows has nobody to share with, and a 0 to divide by.
    let shares = spread(divNoNan(node.upstream(), counts))
    return select(isExtreme, shares, scalar(0, like: data))
}

/// The product of the *other* rows of the segment, which division by the element gives unless it is 0.
private func productGradient(
    _ node: GradientContext, reduce: (_ multiplies: Bool, Node) -> Node, spread: (Node) -> Node
) -> Node {
    let data = node.input(0)
    let (zero, one) = (scalar(0, like: data), scalar(1, like: data))
    let isZero = equal(data, zero)
    let zeros = spread(reduce(false, cast(isZero, to: data.dtype)))
    let withoutZeros = spread(reduce(true, select(isZero, one, data)))
    let others = select(isZero, withoutZeros, spread(node.output()) / select(isZero, one, data))
    // With two zeros in a segment every product of others is 0.
    return select(greater(zeros, one), zero, spread(node.upstream()) * others)
}

/// The rows of `x` that `ids` name; zeros where an id is negative.
func gatherKept(_ x: Node, _ ids: Node) -> Node {
    let zero = ids.graph.constant(.numbers([0], dtype: ids.dtype, sized: []))
    let rows = gather(x, maximum(ids, zero))
    let ones = fill(reshape(rank(rows) - rank(ids), [1]), ids.graph.constant(Int32(1)))
    let isKept = reshape(greaterEqual(ids, zero), concat([shape(ids), ones], axis: 0))
    return select(isKept, rows, scalar(0, like: x))
}

/// A vector with as many dimensions of 1 after its own as `x` has beyond one, to broadcast along the rows of `x`.
private func asColumn(_ vector: Node, like x: Node) -> Node {
    let ones = fill(reshape(rank(x), [1]) - x.graph.constant([Int32(1)]), x.graph.constant(Int32(1)))
    return reshape(vector, concat([shape(vector), ones], axis: 0))
}

/// Row s is the sum of those rows of `data` whose number in the ascending `ids` is s; TensorFlow's `tf.math.segment_sum`.
public func segmentSum(
    _ data: any Operand, _ ids: any TensorOperand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(SegmentSum.self, [data, ids], [:], name, file, line) }

/// Row s is the mean of those rows of `data` whose number in the ascending `ids` is s; TensorFlow's `tf.math.segment_mean`.
public func segmentMean(
    _ data: any Operand, _ ids: any TensorOperand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(SegmentMean.self, [data, ids], [:], name, file, line) }
