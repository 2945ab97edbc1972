internal import Dataflow
internal import Interchange

/// Reads examples from CSV (RFC 4180, gzipped too): a row each, numbers but for the label.
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
        /// The first line is a header if none of its cells but the label's is a number.
        case automatic
        case present, absent
    }

    public enum Task: Sendable, Equatable { case classification, regression }

    public var label: Column
    public var header: Header
    public var separator: UInt8
    public var task: Task

    public init(
        label: Column = .last, header: Header = .automatic, separator: UInt8 = UInt8(ascii: ","),
        task: Task = .classification
    ) {
        self.label = label
        self.header = header
        self.separator = separator
        self.task = task
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
        let testTable = try CSVTable(path: testPath, reader: self)
        guard testTable.width == table.width else {
            throw FormatError(
                path: testPath, "has \(testTable.width + 1) columns, \(path) has \(table.width + 1)")
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
        let distinct = Set(labels)
        let numbers = distinct.compactMap { name in Double(name).map { (name, $0) } }
        names =
            numbers.count == distinct.count
            ? numbers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
            : distinct.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for (index, name) in names.enumerated() { indices[name] = Int32(index) }
    }

    private static func index(_ label: String) -> Int32? {
        guard let index = Int32(label), index >= 0, index < Dataset.mostClasses else { return nil }
        return index
    }

    subscript(label: String) -> Int32? { areIndices ? Self.index(label) : indices[label] }
}

/// A CSV file as read: features, and the text of the labels.
struct CSVTable {
    let path: String
    private(set) var width = 0
    private(set) var rows = 0
    private(set) var labels: [String] = []
    /// Lines of the rows, for errors found later.
    private var lines: [Int32] = []
    /// nil where there are features alone.
    private var labelColumn: Int?
    private var columns = 0
    /// As bytes as long as every cell is a whole number 0…255: a quarter of the memory.
    private var small: [UInt8] = []
    private var floats: [Float] = []
    private var isSmall = true

    init(path: String, reader: CSVReader, hasLabels: Bool = true) throws {
        self.path = path
        let bytes = try Gzip.read(path)
        try bytes.withUnsafeBufferPointer { buffer in
            var cells = CSVCells(buffer, separator: reader.separator, path: path)
            try parse(&cells, buffer, reader, hasLabels: hasLabels)
        }
        guard rows > 0 else { throw FormatError(path: path, "holds no rows") }
    }

    private mutating func parse(
        _ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>, _ reader: CSVReader, hasLabels: Bool
    ) throws {
        let beginning = cells
        guard cells.startLine() else { throw FormatError(path: path, "is empty") }
        let first = try Self.line(&cells, bytes)
        if hasLabels { labelColumn = try findLabel(in: first, reader) }
        columns = first.count
        width = hasLabels ? columns - 1 : columns
        guard width > 0 else { throw cells.failure("one column alone: features and a label are wanted") }
        if !hasHeader(first, reader) { cells = beginning }
        var unquoted: [UInt8] = []
        while cells.startLine() {
            try row(&cells, bytes, &unquoted)
            lines.append(Int32(truncatingIfNeeded: cells.line))
            rows += 1
        }
    }

    private static func line(_ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>) throws -> [String] {
        var unquoted: [UInt8] = []
        var texts: [String] = []
        while true {
            let cell = try cells.next(&unquoted)
            texts.append(
                String(decoding: cell.isUnquoted ? unquoted[...] : Array(bytes[cell.range])[...], as: UTF8.self))
            if cell.end != .cell { return texts }
        }
    }

    private func findLabel(in first: [String], _ reader: CSVReader) throws -> Int {
        switch reader.label {
        case .last: return first.count - 1
        case .index(let index):
            let column = index < 0 ? index + first.count : index
            guard first.indices.contains(column) else {
                throw FormatError(path: path, "has \(first.count) columns, and no column \(index) for the labels")
            }
            return column
        case .name(let name):
            guard let column = first.firstIndex(of: name) else {
                let shown = first.prefix(8).joined(separator: ", ") + (first.count > 8 ? ", …" : "")
                throw FormatError(path: path, "has no column named \(name) for the labels; the first line is \(shown)")
            }
            return column
        }
    }

    private func hasHeader(_ first: [String], _ reader: CSVReader) -> Bool {
        if labelColumn != nil, case .name = reader.label { return true }
        guard reader.header == .automatic else { return reader.header == .present }
        return first.indices.allSatisfy { $0 == labelColumn || !CSVCells.isNumber(first[$0]) }
    }

    private mutating func row(
        _ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>, _ unquoted: inout [UInt8]
    ) throws {
        var column = 0
        while true {
            let cell = try cells.next(&unquoted)
            guard column < columns else { throw cells.failure("the row has more than \(columns) cells") }
            if column == labelColumn {
                labels.append(try Self.label(cell, &cells, bytes, unquoted))
            } else {
                let number =
                    cell.isUnquoted
                    ? unquoted.withUnsafeBufferPointer { CSVCells.number($0[...]) } : CSVCells.number(bytes[cell.range])
                guard let number else {
                    let text = String(decoding: cell.isUnquoted ? unquoted : Array(bytes[cell.range]), as: UTF8.self)
                    throw cells.failure(
                        text.isEmpty ? "the cell is empty, a number is wanted" : "'\(text)' is no number")
                }
                guard abs(number) <= Double(Float.greatestFiniteMagnitude) else {
                    throw cells.failure("\(number) is beyond what a float32 holds")
                }
                append(number)
            }
            column += 1
            if cell.end != .cell { break }
        }
        guard column == columns else {
            throw cells.failure("the row has \(column) \(column == 1 ? "cell" : "cells"), \(columns) are wanted")
        }
    }

    private static func label(
        _ cell: (range: Range<Int>, isUnquoted: Bool, end: CSVCells.End), _ cells: inout CSVCells,
        _ bytes: UnsafeBufferPointer<UInt8>, _ unquoted: [UInt8]
    ) throws -> String {
        guard !cell.range.isEmpty else { throw cells.failure("the cell is empty, a label is wanted") }
        let text =
            cell.isUnquoted
            ? String(decoding: unquoted, as: UTF8.self) : String(decoding: bytes[cell.range], as: UTF8.self)
        guard let first = text.utf8.first, let last = text.utf8.last, first <= 0x20 || last <= 0x20 else { return text }
        return String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    @inline(__always)
    private mutating func append(_ number: Double) {
        if isSmall {
            if number >= 0, number <= 255, case let byte = UInt8(number), Double(byte) == number {
                small.append(byte)
                return
            }
            floats = small.map { Float($0) }
            small = []
            isSmall = false
        }
        floats.append(Float(number))
    }

    /// uint8 or float32, N × D.
    var features: Tensor {
        let shape = Shape([rows, width])
        return isSmall ? Tensor(small, shape: shape) : Tensor(floats, shape: shape)
    }

    /// Throws `FormatError` at the row whose label is no class, or no number in a regression.
    func dataset(_ task: CSVReader.Task, _ classes: ClassNames) throws -> Dataset {
        let features = self.features
        func failure(_ row: Int, _ what: String) -> FormatError {
            FormatError(path: "\(path):\(lines[row]):\((labelColumn ?? 0) + 1)", what)
        }
        switch task {
        case .regression:
            let targets = try labels.indices.map { row in
                guard let value = Float(labels[row]), value.isFinite else {
                    throw failure(row, "'\(labels[row])' is no number")
                }
                return value
            }
            return Dataset(features: features, labels: Tensor(targets, shape: Shape([rows, 1])), classes: 0)
        case .classification:
            let indices = try labels.indices.map { row in
                guard let index = classes[labels[row]] else {
                    throw failure(row, "the label '\(labels[row])' is not among those of the training part")
                }
                return index
            }
            let count = classes.names.isEmpty ? Int(indices.max() ?? 0) + 1 : classes.names.count
            return Dataset(features: features, labels: Tensor(indices), classes: count, classNames: classes.names)
        }
    }
}
