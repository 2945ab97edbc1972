/// The extents of a tensor; single dimensions, or all of them, may be unknown until values are fed.
///
/// `[nil, 784]` is a matrix with any number of rows; `Shape.unknown` says nothing at all; `[]` is a scalar.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The extents, −1 where unknown; empty when the rank is unknown too. A number n below 0 that was given as an extent, by
    /// mistake, is kept as n − 1.
    package let extents: [Int]
    package let hasRank: Bool

    /// A shape about which nothing is known.
    public static let unknown = Shape(extents: [], hasRank: false)
    /// The shape of a scalar.
    public static let scalar = Shape([])

    /// A shape whose unknown dimensions are `nil`. A negative extent is a mistake of whatever is given the shape.
    public init(_ dimensions: [Int?]) {
        self.init(extents: dimensions.map { $0.map { $0 < 0 ? max($0, .min + 1) - 1 : $0 } ?? -1 }, hasRank: true)
    }

    public init(arrayLiteral elements: Int?...) { self.init(elements) }

    /// A fully defined shape. A negative extent is a mistake of whatever is given the shape.
    public init(_ dimensions: [Int]) {
        let isRight = dimensions.allSatisfy { $0 >= 0 }
        self.init(extents: isRight ? dimensions : Shape(dimensions.map { Optional($0) }).extents, hasRank: true)
    }

    private init(extents: [Int], hasRank: Bool) {
        self.extents = extents
        self.hasRank = hasRank
    }

    /// A shape of the given rank with every dimension unknown.
    public static func unknown(rank: Int) -> Shape {
        require(rank >= 0, "a rank is at least 0, got \(rank)")
        return Shape([Int?](repeating: nil, count: rank))
    }

    /// The number of dimensions, or nil.
    public var rank: Int? { hasRank ? extents.count : nil }

    /// The dimensions with nil for unknown ones, or nil when the rank is unknown.
    public var dimensions: [Int?]? { hasRank ? extents.map { $0 < 0 ? nil : $0 } : nil }

    public var isFullyDefined: Bool {
        @inline(never) get { hasRank && extents.allSatisfy { $0 >= 0 } }
    }

    /// The number of elements, nil if any dimension is unknown or the product is beyond an Int.
    public var elementCount: Int? {
        guard hasRank else { return nil }
        var count = 1
        for extent in extents {
            guard extent >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return extents.contains(0) ? 0 : nil }
            count = product
        }
        return count
    }

    /// A dimension that becomes so many times as long.
    /// - Throws: `GraphError` where no memory holds it.
    static func extent(_ extent: Int, times factor: Int) throws -> Int {
        let (product, overflow) = extent.multipliedReportingOverflow(by: factor)
        guard !overflow, product <= 1 << 48 else {
            throw GraphError("a dimension of \(extent) times \(factor) is too large")
        }
        return product
    }

    /// The product of whole numbers of at least 0, nil if it is beyond an Int.
    static func product(_ factors: some Sequence<Int>) -> Int? { Shape(Array(factors)).elementCount }

    /// Dimension `index`, nil if unknown or if there is none of this index; negative indices count from the end.
    public subscript(index: Int) -> Int? {
        let own = index < 0 ? index + extents.count : index
        guard extents.indices.contains(own), extents[own] >= 0 else { return nil }
        return extents[own]
    }

    /// The extents of a fully defined shape.
    /// - Throws: `GraphError` for any other.
    public var concrete: [Int] {
        get throws {
            guard isFullyDefined else { throw mistake ?? GraphError("the shape \(self) is not fully defined") }
            return extents
        }
    }

    /// The extents of a shape that is known to be fully defined.
    package var knownExtents: [Int] {
        @inline(never) get {
            require(isFullyDefined, "the shape \(self) is not fully defined")
            return extents
        }
    }

    /// What is wrong with a shape that was given a negative extent; nil for all others.
    var mistake: GraphError? {
        extents.allSatisfy { $0 >= -1 }
            ? nil : GraphError("a dimension is at least 0, or nil where it is not known, got the shape \(self)")
    }

    /// Elements between neighbours along each dimension, row-major, of a shape that is known to be fully defined.
    package var strides: [Int] {
        var strides = [Int](repeating: 1, count: knownExtents.count)
        for i in stride(from: extents.count - 2, through: 0, by: -1) { strides[i] = strides[i + 1] * extents[i + 1] }
        return strides
    }

    /// True if no known dimension contradicts the other shape.
    public func isCompatible(with other: Shape) -> Bool { merged(with: other) != nil }

    /// What both shapes together say, nil if they contradict each other.
    public func merged(with other: Shape) -> Shape? {
        guard hasRank else { return other }
        guard other.hasRank else { return self }
        guard extents.count == other.extents.count else { return nil }
        var result: [Int] = []
        for (a, b) in zip(extents, other.extents) {
            guard a < 0 || b < 0 || a == b else { return nil }
            result.append(max(a, b))
        }
        return Shape(extents: result, hasRank: true)
    }

    /// The shape that NumPy's broadcasting gives the two, nil if they do not fit.
    public func broadcast(with other: Shape) -> Shape? {
        guard hasRank, other.hasRank else { return .unknown }
        var result = [Int](repeating: 1, count: max(extents.count, other.extents.count))
        for i in 1...max(result.count, 1) where i <= result.count {
            let a = i <= extents.count ? extents[extents.count - i] : 1
            let b = i <= other.extents.count ? other.extents[other.extents.count - i] : 1
            switch (a, b) {
            case (1, _): result[result.count - i] = b
            case (_, 1): result[result.count - i] = a
            case (-1, _): result[result.count - i] = b  // either 1 or b
            case (_, -1): result[result.count - i] = a
            default:
                guard a == b else { return nil }
                result[result.count - i] = a
            }
        }
        return Shape(extents: result, hasRank: true)
    }

    public var description: String {
        guard hasRank else { return "<unknown>" }
        return "[" + extents.map { $0 == -1 ? "?" : String($0 < 0 ? $0 + 1 : $0) }.joined(separator: ", ") + "]"
    }
}
