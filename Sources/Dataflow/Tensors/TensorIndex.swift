/// One index of a subscript of a `Tensor` or a `Node`, as in numpy's `x[0, 1:3, ..., None]`.
///
/// In Swift that is `x[0, 1..<3, ..., .newAxis]`: an Int takes one index and its dimension away, a range of Ints keeps a part
/// of the dimension, `...` stands for all dimensions that are not named, `.newAxis` puts a dimension of 1 in. Indices and
/// bounds below 0 count from the end. `.range(from:to:step:)` also skips, goes backwards (`.range(step: -1)`), and takes
/// bounds of both kinds (`.range(from: 1, to: -1)`).
public struct TensorIndex: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        case index(Int)
        /// Python's `from:to:step`; nil: from the one end, or to the other.
        case range(from: Int?, to: Int?, step: Int)
        case ellipsis
        case newAxis
    }

    package let kind: Kind

    package init(_ kind: Kind) { self.kind = kind }

    /// One index of a dimension, which is gone in the result.
    public init(_ index: Int) { kind = .index(index) }

    public init(integerLiteral value: Int) { self.init(value) }

    /// The indices of a subscript, in order.
    package static func list<each Index: TensorIndexConvertible>(_ indices: repeat each Index) -> [TensorIndex] {
        var list: [TensorIndex] = []
        for index in repeat each indices { list.append(index.tensorIndex) }
        return list
    }

    /// As Python writes it: "1:3", "...", "newaxis".
    public var description: String {
        switch kind {
        case .index(let index): return "\(index)"
        case .range(let from, let to, let step):
            let bounds = "\(from.map { "\($0)" } ?? ""):\(to.map { "\($0)" } ?? "")"
            return step == 1 ? bounds : "\(bounds):\(step)"
        case .ellipsis: return "..."
        case .newAxis: return "newaxis"
        }
    }
}

/// What may stand in a subscript of a `Tensor` or a `Node`: an Int, a range of Ints, a `TensorIndex`.
public protocol TensorIndexConvertible {
    var tensorIndex: TensorIndex { get }
}

extension TensorIndex: TensorIndexConvertible {
    public var tensorIndex: TensorIndex { self }
}

extension TensorIndexConvertible where Self == TensorIndex {
    /// All dimensions that the other indices do not name: numpy's `...`, which may also be written `...`.
    public static var ellipsis: TensorIndex { TensorIndex(.ellipsis) }

    /// A new dimension of 1 here: numpy's `newaxis`.
    public static var newAxis: TensorIndex { TensorIndex(.newAxis) }

    /// Every `step`-th index from `from` up to, but not with, `to`: numpy's `from:to:step`.
    ///
    /// - Parameters:
    ///   - from: the first index; the first of the dimension by default, of a step below 0 the last.
    ///   - to: behind the last index; by default the rest of the dimension.
    ///   - step: not 0.
    public static func range(from: Int? = nil, to: Int? = nil, step: Int = 1) -> TensorIndex {
        TensorIndex(.range(from: from, to: to, step: step))
    }
}

extension Int: TensorIndexConvertible {
    public var tensorIndex: TensorIndex { TensorIndex(self) }
}

extension Range: TensorIndexConvertible where Bound == Int {
    public var tensorIndex: TensorIndex { .range(from: lowerBound, to: upperBound) }
}

extension ClosedRange: TensorIndexConvertible where Bound == Int {
    public var tensorIndex: TensorIndex { .range(from: lowerBound, to: TensorIndex.end(behind: upperBound)) }
}

extension PartialRangeFrom: TensorIndexConvertible where Bound == Int {
    public var tensorIndex: TensorIndex { .range(from: lowerBound) }
}

extension PartialRangeUpTo: TensorIndexConvertible where Bound == Int {
    public var tensorIndex: TensorIndex { .range(to: upperBound) }
}

extension PartialRangeThrough: TensorIndexConvertible where Bound == Int {
    public var tensorIndex: TensorIndex { .range(to: TensorIndex.end(behind: upperBound)) }
}

extension TensorIndex {
    /// The bound behind an index: nil, which is the end, behind the last one.
    fileprivate static func end(behind index: Int) -> Int? { index == -1 || index == .max ? nil : index + 1 }
}

/// `x[-2...]`, which Swift reads as −(2...): from the second last on.
public prefix func - (range: PartialRangeFrom<Int>) -> TensorIndex { .range(from: 0 &- range.lowerBound) }
