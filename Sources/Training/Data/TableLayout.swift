internal import Interchange

/// What the columns of a table are called, and where they stood in the file that a model was trained on.
public struct TableLayout: Sendable, Equatable, Codable {
    public struct Column: Sendable, Equatable, Codable {
        /// As the header calls it; nil where the file has no header.
        public var name: String?
        /// In the training file, from 0.
        public var place: Int
        /// Of a feature that is a number, what stands for a missing one; nil: a missing number is an error.
        public var fill: Double?

        public init(name: String? = nil, place: Int, fill: Double? = nil) {
            self.name = name
            self.place = place
            self.fill = fill
        }
    }

    /// In the order in which the model takes them.
    public var features: [Column]
    /// What is to be learnt; nil where the file holds features alone.
    public var label: Column?
    /// Columns that are passed over.
    public var ignored: [Column]
    /// All columns of the training file.
    public var width: Int

    public init(features: [Column], label: Column?, ignored: [Column] = [], width: Int) {
        self.features = features
        self.label = label
        self.ignored = ignored
        self.width = width
    }

    /// Columns without names, all of them features.
    init(ofFeatures count: Int) {
        self.init(features: (0..<count).map { Column(place: $0) }, label: nil, width: count)
    }

    /// Whether columns can be found by name.
    public var isNamed: Bool { !features.isEmpty && features.allSatisfy { $0.name != nil } }
}

extension TableLayout: CustomStringConvertible {
    public var description: String {
        func text(_ columns: [Column]) -> String { ShortList.text(columns.map(\.description)) }
        return "\(width) columns: features \(text(features))" + (label.map { "; label \($0)" } ?? "")
            + (ignored.isEmpty ? "" : "; ignored \(text(ignored))")
    }
}

extension TableLayout.Column: CustomStringConvertible {
    /// The name, or the place.
    public var description: String { name ?? "\(place)" }
}
