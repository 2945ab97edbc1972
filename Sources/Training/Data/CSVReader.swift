internal import Dataflow
internal import Interchange

/// Reads examples from CSV (RFC 4180, gzipped too): a row each, numbers but for the label and categories.
///
/// Of a categorical column the file with the training part gives the vocabulary, held-out rows included.
///
/// Labels of a classification that are whole numbers from 0 on are class indices; any others (text, −1) become indices in
/// sorted order. A cell is missing if it is empty, `?` or one of pandas's words for it: a number is then NaN, a category the
/// empty text, and a label an error. Errors name file, line and column, both counted from 1: `data.csv:3:7`; of many, the
/// first ten.
public struct CSVReader: Sendable {
    public enum Column: Sendable, Hashable {
        case last
        /// From 0; negative from the end.
        case index(Int)
        /// As the first line names it.
        case name(String)
    }

    /// Whether the first line names the columns. Raw values are the names that configurations use.
    public enum Header: String, Sendable, CaseIterable {
        /// The first line is a header if it differs in kind from those below: `HeaderGuess`.
        case automatic = "auto"
        case present = "true"
        case absent = "false"
    }

    public enum Task: String, Sendable, CaseIterable { case classification, regression }

    public var label: Column
    public var header: Header
    public var separator: UInt8
    public var task: Task
    /// Columns of any text; features hold the index in a vocabulary.
    public var categorical: [Column]
    /// Columns that are passed over. Those that are named may be missing from files read like the training file.
    public var skipped: [Column]
    /// Whether missing numbers will be filled, and how; the log says so. `error`: they are errors. Reading leaves them
    /// NaN.
    public var missing: FillRule
    /// Two separators stand between columns.
    var isDoubled = false
    /// The first so many features must not be missing: users and items of ratings.
    var identifiers = 0

    public init(
        label: Column = .last, header: Header = .automatic, separator: UInt8 = UInt8(ascii: ","),
        task: Task = .classification, categorical: [Column] = [], skipped: [Column] = [],
        missing: FillRule = .mean
    ) {
        self.label = label
        self.header = header
        self.separator = separator
        self.task = task
        self.categorical = categorical
        self.skipped = skipped
        self.missing = missing
    }

    /// Reads both parts.
    ///
    /// - Parameters:
    ///   - testPath: a file with the test part, its columns in any order where they have names.
    ///   - testFraction: the share held out by `seed` if there is no `testPath`.
    ///   - fitted: of a checkpoint that is gone on from; nil: vocabularies and classes are found.
    ///   - allowsNewCategories: otherwise a category of the training file that `fitted` lacks is an error.
    /// - Throws: `FormatError`; with `fitted` also where the training file has other columns, categories or classes.
    public func split(
        path: String, testPath: String? = nil, testFraction: Double = 0.2, seed: UInt64 = 0,
        fitted: Preprocessing? = nil, allowsNewCategories: Bool = false
    ) throws -> DataSplit {
        if let fitted {
            let table = try self.table(path, by: fitted, allowsNewCategories: allowsNewCategories)
            let training = try dataset(table, by: fitted)
            var split =
                try testPath.map { DataSplit(known: training, try read($0, by: fitted)) }
                ?? DataSplit(training, testFraction: testFraction, seed: seed)
            split.notes = table.notes(missing)
            return split
        }
        let table = try CSVTable(path: path, reader: self)
        guard let testPath else {
            let classes = ClassNames(table.labels)
            var split = try DataSplit(table.dataset(task, classes), testFraction: testFraction, seed: seed)
            split.notes = table.notes(missing)
            return split
        }
        let testTable = try CSVTable(
            path: testPath, reader: self, like: table.table, vocabularies: table.vocabularies, for: .labels,
            isFitted: false)
        // Text that only the test part knows is an error; a whole number may be.
        let classes = ClassNames(table.labels, and: testTable.labels)
        var split = try DataSplit.checked(
            training: table.dataset(task, classes), test: testTable.dataset(task, classes), names: (path, testPath))
        split.notes = table.notes(missing) + testTable.notes(missing)
        return split
    }

    /// Reads one file. Throws `FormatError`.
    public func read(_ path: String) throws -> Dataset {
        let table = try CSVTable(path: path, reader: self)
        return try table.dataset(task, ClassNames(table.labels))
    }

    /// Reads a file like the one that a model was trained on: columns by name, in any order, if both files have names.
    ///
    /// - Parameter allowsNewCategories: otherwise a category that `fitted` lacks is an error.
    /// - Throws: `FormatError` that lists what the file has and what the model takes, if columns are missing or unknown.
    public func read(_ path: String, by fitted: Preprocessing, allowsNewCategories: Bool = true) throws -> Dataset {
        try dataset(table(path, by: fitted, allowsNewCategories: allowsNewCategories), by: fitted)
    }

    private func dataset(_ table: CSVTable, by fitted: Preprocessing) throws -> Dataset {
        try table.dataset(fitted.classes > 0 ? .classification : .regression, ClassNames(fitted))
    }

    private func table(_ path: String, by fitted: Preprocessing, allowsNewCategories: Bool) throws -> CSVTable {
        let table = try CSVTable(path, self, by: fitted, for: allowsNewCategories ? .labels : .training)
        if !allowsNewCategories, let (place, values) = table.unknown.min(by: { $0.key < $1.key }) {
            let column = table.table.features[place].name ?? "\(table.table.features[place].place)"
            throw FormatError(
                path: path,
                "column \(column) has categories that the checkpoint does not know: "
                    + values.sorted().prefix(10).joined(separator: ", ") + (values.count > 10 ? ", …" : "")
                    + "; train anew, or leave these rows out")
        }
        return table
    }
}

extension CSVTable {
    /// Reads a file like the training file of a model.
    /// - Throws: `FormatError` also where the reader names other columns than the model has.
    init(_ path: String, _ reader: CSVReader, by fitted: Preprocessing, for purpose: Purpose) throws {
        try reader.checkNames(fitted)
        try self.init(
            path: path, reader: reader, like: fitted.table ?? TableLayout(ofFeatures: fitted.width),
            vocabularies: fitted.vocabularies, for: purpose)
    }
}

extension CSVReader {
    /// Throws if the reader names a label or categories that are none to the model.
    fileprivate func checkNames(_ fitted: Preprocessing) throws {
        guard let table = fitted.table, table.isNamed else { return }
        if case .name(let name) = label, let known = table.label?.name, name != known {
            throw FormatError(path: "data.labels", "is \(name), but the checkpoint's model learnt \(known)")
        }
        let names = categorical.compactMap { if case .name(let name) = $0 { name } else { nil } }
        let known = table.features.indices.filter { fitted.vocabularies[$0] != nil }.compactMap {
            table.features[$0].name
        }
        guard names.count == categorical.count, !names.isEmpty, Set(names) != Set(known) else { return }
        throw FormatError(
            path: "data.categorical",
            "is [\(names.joined(separator: ", "))], but the checkpoint's model takes "
                + (known.isEmpty ? "no categories" : "[\(known.joined(separator: ", "))]"))
    }
}

/// Which class a label is.
struct ClassNames {
    private(set) var names: [String] = []
    private var indices: [String: Int32] = [:]
    private let areIndices: Bool
    /// How many there are; nil where labels are the indices and nothing says how many.
    private(set) var count: Int?

    /// - Parameter others: labels that count only if all of both are class indices themselves.
    init(_ labels: [String], and others: [String] = []) {
        areIndices = labels.allSatisfy { Self.index($0) != nil } && others.allSatisfy { Self.index($0) != nil }
        guard !areIndices else { return }
        name(Vocabulary.sorted(Set(labels)))
    }

    /// The classes of a model.
    init(_ fitted: Preprocessing) {
        areIndices = fitted.classNames.isEmpty
        if areIndices { count = fitted.classes } else { name(fitted.classNames) }
    }

    private mutating func name(_ names: [String]) {
        self.names = names
        for (index, name) in names.enumerated() { indices[name] = Int32(index) }
        count = names.count
    }

    private static func index(_ label: String) -> Int32? {
        guard let index = Int32(label), index >= 0, index < Dataset.mostClasses else { return nil }
        return index
    }

    subscript(label: String) -> Int32? {
        guard areIndices else { return indices[label] }
        return Self.index(label).flatMap { Int($0) < count ?? .max ? $0 : nil }
    }
}

extension CSVReader.Column: CustomStringConvertible {
    public var description: String {
        switch self {
        case .last: "last"
        case .index(let index): "\(index)"
        case .name(let name): name
        }
    }
}
