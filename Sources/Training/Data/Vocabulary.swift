/// The values of a categorical column. Features hold a value's index in its place.
public struct Vocabulary: Sendable, Equatable {
    /// Numbers from the least to the greatest; if any is none, all as text, by their bytes.
    public let values: [String]
    private let indices: [String: Int]

    public init(_ values: some Sequence<String>) {
        self.values = Vocabulary.sorted(Set(values))
        indices = Dictionary(uniqueKeysWithValues: self.values.enumerated().map { ($1, $0) })
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
