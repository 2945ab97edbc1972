internal import Dataflow
internal import Interchange

/// Reads examples from CSV (RFC 4180, gzipped too): a row each, numbers but for the label and categories.
///
/// Of a categorical column the file with the training part gives the vocabulary, held-out rows included.
///
/// Labels of a classification that are whole numbers from 0 on are class indices; any others (text, −1) become indices in
/// sorted order. Errors name file, line and cell, both counted from 1: `data.csv:3:7`.
public struct CSVReader: Sendable {
    public enum Column: Sendable, Equatable {
        case last
        /// From 0; negative from the end.
        case index(Int)
        /// As the first line names it.
        case name(String)
    }

    public enum Header: Sendable, Equatable {
        /// The first line is a header if none of its cells but the label's and those of categories is a number; where there
        /// are categories alone, if the target of a regression is none, or no cell is a number.
        case automatic
        case present, absent
    }

    public enum Task: Sendable, Equatable { case classification, regression }

    public var label: Column
    public var header: Header
    public var separator: UInt8
    public var task: Task
    /// Columns of any text, of which features hold the index in a vocabulary.
    public var categorical: [Column]
    /// Columns that are passed over.
    var skipped: [Column] = []

    public init(
        label: Column = .last, header: Header = .automatic, separator: UInt8 = UInt8(ascii: ","),
        task: Task = .classification, categorical: [Column] = []
    ) {
        self.label = label
        self.header = header
        self.separator = separator
        self.task = task
        self.categorical = categorical
    }

    /// Reads both parts.
    ///
    /// - Parameters:
    ///   - testPath: a file with the test part.
    ///   - testFraction: the share held out by `seed` if there is no `testPath`.
    /// - Throws: `FormatError`.
    public func split(
        path: String, testPath: String? = nil, testFraction: Double = 0.2, seed: UInt64 = 0
    ) throws -> DataSplit {
        let table = try CSVTable(path: path, reader: self)
        guard let testPath else {
            let classes = ClassNames(table.labels)
            return try DataSplit(table.dataset(task, classes), testFraction: testFraction, seed: seed)
        }
        let testTable = try CSVTable(path: testPath, reader: self, vocabularies: table.vocabularies)
        guard testTable.width == table.width else {
            throw FormatError(path: testPath, "has \(testTable.columns) columns, \(path) has \(table.columns)")
        }
        // Text that only the test part knows is an error; a whole number may be.
        let classes = ClassNames(table.labels, and: testTable.labels)
        return try DataSplit.checked(
            training: table.dataset(task, classes), test: testTable.dataset(task, classes), names: (path, testPath))
    }

    /// Reads one file. Throws `FormatError`.
    public func read(_ path: String) throws -> Dataset {
        let table = try CSVTable(path: path, reader: self)
        return try table.dataset(task, ClassNames(table.labels))
    }
}

/// Which class a label is.
struct ClassNames {
    private(set) var names: [String] = []
    private var indices: [String: Int32] = [:]
    private let areIndices: Bool

    /// - Parameter others: labels that count only if all of both are class indices themselves.
    init(_ labels: [String], and others: [String] = []) {
        areIndices = labels.allSatisfy { Self.index($0) != nil } && others.allSatisfy { Self.index($0) != nil }
        guard !areIndices else { return }
        names = Vocabulary.sorted(Set(labels))
        for (index, name) in names.enumerated() { indices[name] = Int32(index) }
    }

    private static func index(_ label: String) -> Int32? {
        guard let index = Int32(label), index >= 0, index < Dataset.mostClasses else { return nil }
        return index
    }

    subscript(label: String) -> Int32? { areIndices ? Self.index(label) : indices[label] }
}
