internal import Interchange

/// The values of a categorical column. Features hold a value's index in its place.
///
/// The empty text stands for missing cells: a category of its own where the training data has any.
public struct Vocabulary: Sendable, Equatable {
    /// Numbers from the least to the greatest; if any is none, all as text, by their bytes. Missing ones come last.
    public let values: [String]
    private let indices: [String: Int]

    /// What missing cells are taken for.
    public static let missing = ""

    public init(_ values: some Sequence<String>) {
        let distinct = Set(values)
        let present = Vocabulary.sorted(distinct.subtracting([Vocabulary.missing]))
        self.init(ordered: distinct.contains(Vocabulary.missing) ? present + [Vocabulary.missing] : present)
    }

    private init(ordered values: [String]) {
        self.values = values
        indices = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// How many indices there are: one for each value, and the last for whatever is not among them.
    public var size: Int { values.count + 1 }

    /// A value's index; `size` − 1 for one that is not among them.
    public subscript(value: String) -> Int { indices[value] ?? values.count }

    func contains(_ value: String) -> Bool { indices[value] != nil }

    /// More values than float32 features can number exactly are an error in the data.
    static let mostValues = (1 << 24) - 1

    /// The order of `values`.
    static func sorted(_ distinct: Set<String>) -> [String] {
        let numbers = distinct.compactMap { name in Double(name).map { (name, $0) } }
        return numbers.count == distinct.count
            ? numbers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
            : distinct.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension Vocabulary: Codable {
    /// A list of the values in their order.
    public init(from decoder: any Decoder) throws {
        self.init(ordered: try decoder.singleValueContainer().decode([String].self))
        guard indices.count == values.count, values.count <= Vocabulary.mostValues else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a vocabulary has a value twice, or too many"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

extension Vocabulary: CustomStringConvertible {
    public var description: String { "\(values.count) values: \(ShortList.text(values))" }
}
