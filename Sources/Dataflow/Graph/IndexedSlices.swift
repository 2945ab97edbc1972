/// Rows of a tensor that is 0 elsewhere: TensorFlow's `tf.IndexedSlices`. Rows named twice count twice, added up.
public struct IndexedSlices: Sendable {
    /// [n] + the tensor's dimensions without the first.
    public let values: Node
    /// [n], int32 or int64: which row of the tensor each of `values` belongs to.
    public let indices: Node
    /// The tensor's shape, a vector.
    public let denseShape: Node

    public init(values: Node, indices: Node, denseShape: Node) {
        self.values = values
        self.indices = indices
        self.denseShape = denseShape
    }

    /// The whole tensor.
    public var dense: Node {
        apply(UnsortedSegmentSum.self, [values, indices, dimension(denseShape, 0)])
    }

    /// The same with each row named once; TensorFlow's `_deduplicate_indexed_slices`.
    public func summingRepeated() -> IndexedSlices {
        let vertex = apply(Unique.self, [indices]).vertex
        let (distinct, which) = (vertex.output(0), vertex.output(1))
        return IndexedSlices(
            values: apply(UnsortedSegmentSum.self, [values, which, size(distinct)]), indices: distinct,
            denseShape: denseShape)
    }

    /// The sum of several of one tensor: their rows one after another.
    static func joined(_ slices: [IndexedSlices]) -> IndexedSlices {
        guard slices.count > 1 else { return slices[0] }
        let isMixed = Set(slices.map(\.indices.dtype)).count > 1
        let indices = slices.map { isMixed ? cast($0.indices, to: .int64) : $0.indices }
        return IndexedSlices(
            values: concat(slices.map(\.values), axis: 0), indices: concat(indices, axis: 0),
            denseShape: slices[0].denseShape)
    }
}

/// A derivative: a whole tensor, or the rows that are not 0.
public enum Gradient: Sendable {
    case dense(Node)
    case rows(IndexedSlices)

    /// The whole tensor.
    public var dense: Node {
        switch self {
        case .dense(let node): node
        case .rows(let rows): rows.dense
        }
    }

    /// What numbers it is made of: those of the tensor, or of the rows.
    public var values: Node {
        switch self {
        case .dense(let node): node
        case .rows(let rows): rows.values
        }
    }

    /// The same with every number replaced by `change`, which keeps 0.
    public func mapValues(_ change: (Node) -> Node) -> Gradient {
        switch self {
        case .dense(let node): .dense(change(node))
        case .rows(let rows):
            .rows(IndexedSlices(values: change(rows.values), indices: rows.indices, denseShape: rows.denseShape))
        }
    }

    /// Rows as long as all are rows; else a whole tensor.
    static func sum(_ terms: [Gradient]) -> Gradient? {
        guard terms.count > 1 else { return terms.first }
        let rows = terms.compactMap { if case .rows(let rows) = $0 { rows } else { nil } }
        return rows.count == terms.count ? .rows(.joined(rows)) : .dense(addN(terms.map(\.dense)))
    }
}

/// An operation that picks rows of its input 0, so that the gradient of that has few rows that are not 0.
protocol RowPicking: Operation {
    /// The gradient for input 0 as rows; nil where it is not rows of the first dimension that are picked.
    static func rowGradient(_ node: GradientContext) throws -> IndexedSlices?
}

extension IndexedSlices: CustomStringConvertible {
    public var description: String { "rows \(values) at \(indices), else 0" }
}

extension Gradient: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dense(let node): "\(node)"
        case .rows(let rows): "\(rows)"
        }
    }
}
