internal import Dataflow
internal import Interchange

/// A CSV file as read: features, and the text of the labels.
struct CSVTable {
    /// What a column is; features by their place among the features.
    private enum Role: Equatable {
        case number, label, skipped
        case category(Int)
    }

    let path: String
    private(set) var width = 0
    private(set) var rows = 0
    private(set) var columns = 0
    private(set) var labels: [String] = []
    /// Of the categorical features, by their place.
    private(set) var vocabularies: [Int: Vocabulary]
    /// The columns, of this file or of the training file that it is read like.
    private(set) var table: TableLayout
    /// Categories that the given vocabularies lack, by the feature's place: some of them.
    private(set) var unknown: [Int: Set<String>] = [:]
    /// Lines of the rows, for errors found later.
    private var lines: [Int32] = []
    private var roles: [Role] = []
    private var labelColumn: Int? { roles.firstIndex(of: .label) }
    /// The values of categorical features whose vocabulary is to be found, in the order in which they came.
    private var found: [Int: [String: Int]] = [:]
    /// As bytes as long as every cell is a whole number 0…255: a quarter of the memory.
    private var small: [UInt8] = []
    private var floats: [Float] = []
    private var isSmall = true
    /// The features in the order in which the file has them; nil: in the model's.
    private var order: [Int]?

    /// Reads a file with labels and finds the vocabularies of its categories.
    init(path: String, reader: CSVReader) throws {
        self.path = path
        vocabularies = [:]
        table = TableLayout(features: [], label: nil, width: 0)
        try read(reader) { table, first in
            table.roles = try table.roles(of: first, reader)
            let isNamed = table.hasHeader(first, reader)
            table.table = table.layout(names: isNamed ? first : nil)
            return isNamed
        }
        for (place, values) in found { sort(values, at: place) }
    }

    /// What a file is read for.
    enum Purpose { case training, labels, features }

    /// Reads a file like the training file of `table`: columns by name, in any order, categories by their vocabularies.
    ///
    /// - Parameter purpose: whether labels are wanted, and whether it is what a model goes on training with: then the reader
    ///   must make of every column what it was.
    init(
        path: String, reader: CSVReader, like table: TableLayout, vocabularies: [Int: Vocabulary], for purpose: Purpose
    ) throws {
        self.path = path
        self.vocabularies = vocabularies
        self.table = table
        let wantsLabels = purpose != .features
        try read(reader) { file, first in
            let isNamed = file.hasHeader(first, reader, wantsLabels: wantsLabels)
            let match =
                isNamed && table.isNamed
                ? try ColumnMatch(
                    table, header: first, path: path,
                    ignored: Set(reader.skipped.compactMap { if case .name(let name) = $0 { name } else { nil } }),
                    wantsLabel: wantsLabels, isHeaderCertain: reader.header == .present)
                : try ColumnMatch(table, count: first.count, path: path, wantsLabel: wantsLabels)
            file.take(match, wantsLabels: wantsLabels)
            if purpose == .training { try file.checkRoles(first, reader) }
            return isNamed
        }
    }

    /// Throws unless the reader makes of every column what it was when the model was trained.
    private func checkRoles(_ first: [String], _ reader: CSVReader) throws {
        func kind(_ role: Role) -> String {
            switch role {
            case .number: "a number"
            case .label: "the label"
            case .skipped: "ignored"
            case .category: "a category"
            }
        }
        var asked = self
        let differences = try zip(first, zip(asked.roles(of: first, reader), roles)).compactMap { name, both in
            let (now, then) = (kind(both.0), kind(both.1))
            return now == then ? nil : "\(name) is \(now) now, was \(then)"
        }
        guard differences.isEmpty else {
            throw FormatError(
                path: path,
                "is read otherwise than for the checkpoint: \(differences.prefix(8).joined(separator: "; ")); "
                    + "restore data.labels, data.categorical and data.ignore, or train anew")
        }
    }

    /// - Parameter columns: gives the columns' roles by the first line, and says whether it is a header.
    private mutating func read(
        _ reader: CSVReader, columns find: (inout CSVTable, _ first: [String]) throws -> Bool
    ) throws {
        let bytes = try Gzip.read(path)
        try bytes.withUnsafeBufferPointer { buffer in
            var cells = CSVCells(buffer, separator: reader.separator, path: path)
            let beginning = cells
            guard cells.startLine() else { throw FormatError(path: path, "is empty") }
            let first = try Self.line(&cells, buffer)
            let isHeader = try find(&self, reader.isDoubled ? Self.everySecond(first) : first)
            if reader.isDoubled, roles.count < first.count {
                roles = Array(roles.flatMap { [$0, .skipped] }.prefix(first.count))
            }
            columns = first.count
            width = table.features.count
            guard width > 0 else { throw cells.failure("one column alone: features and a label are wanted") }
            if !isHeader { cells = beginning }
            var unquoted: [UInt8] = []
            while cells.startLine() {
                try row(&cells, buffer, &unquoted)
                lines.append(Int32(truncatingIfNeeded: cells.line))
                rows += 1
            }
        }
        guard rows > 0 else { throw FormatError(path: path, "holds no rows") }
    }

    private static func everySecond(_ cells: [String]) -> [String] {
        stride(from: 0, to: cells.count, by: 2).map { cells[$0] }
    }

    private static func line(_ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>) throws -> [String] {
        var unquoted: [UInt8] = []
        var texts: [String] = []
        while true {
            let cell = try cells.next(&unquoted)
            let text = cell.isUnquoted ? unquoted : Array(bytes[cell.range])
            texts.append(trimmed(String(decoding: text, as: UTF8.self)))
            if cell.end != .cell { return texts }
        }
    }

    // MARK: Columns

    /// The roles by which the rows of a file are read like those of the training file.
    private mutating func take(_ match: ColumnMatch, wantsLabels: Bool) {
        var order: [Int] = []
        roles = match.roles.map { role in
            switch role {
            case .ignored: return .skipped
            case .label: return wantsLabels ? .label : .skipped
            case .feature(let place):
                order.append(place)
                return vocabularies[place] == nil ? .number : .category(place)
            }
        }
        self.order = order == Array(order.indices) ? nil : order
    }

    /// What the columns of this file are called.
    private func layout(names: [String]?) -> TableLayout {
        let columns = roles.indices.map { TableLayout.Column(name: names?[$0], place: $0) }
        func all(_ isOne: (Role) -> Bool) -> [TableLayout.Column] { columns.filter { isOne(roles[$0.place]) } }
        return TableLayout(
            features: all { $0 != .label && $0 != .skipped }, label: all { $0 == .label }.first,
            ignored: all { $0 == .skipped }, width: columns.count)
    }

    private mutating func roles(of first: [String], _ reader: CSVReader) throws -> [Role] {
        var roles = [Role](repeating: .number, count: first.count)
        let label = try find(reader.label, in: first, for: "the labels")
        for column in try reader.categorical.map({ try find($0, in: first, for: "a category") }) {
            guard column != label else {
                throw FormatError(path: path, "has its labels in column \(column), which cannot be a category too")
            }
            roles[column] = .category(0)
        }
        for column in try reader.skipped.map({ try find($0, in: first, for: "what is passed over") }) {
            roles[column] = .skipped
        }
        roles[label] = .label
        var place = 0
        for (column, role) in roles.enumerated() where role != .label && role != .skipped {
            if role != .number {
                roles[column] = .category(place)
                if vocabularies[place] == nil { found[place] = [:] }
            }
            place += 1
        }
        return roles
    }

    private func find(_ column: CSVReader.Column, in first: [String], for what: String) throws -> Int {
        switch column {
        case .last: return first.count - 1
        case .index(let index):
            let column = index < 0 ? index + first.count : index
            guard first.indices.contains(column) else {
                throw FormatError(path: path, "has \(first.count) columns, and no column \(index) for \(what)")
            }
            return column
        case .name(let name):
            guard let column = first.firstIndex(of: name) else {
                let shown = first.prefix(8).joined(separator: ", ") + (first.count > 8 ? ", …" : "")
                throw FormatError(path: path, "has no column named \(name) for \(what); the first line is \(shown)")
            }
            return column
        }
    }

    /// Whether the first line names the columns of a file that gives the columns' roles.
    private func hasHeader(_ first: [String], _ reader: CSVReader) -> Bool {
        func isName(_ column: CSVReader.Column) -> Bool { if case .name = column { true } else { false } }
        if isName(reader.label) || (reader.categorical + reader.skipped).contains(where: isName) { return true }
        guard reader.header == .automatic else { return reader.header == .present }
        return looksLikeHeader(first, reader.task)
    }

    /// Whether the first line names the columns of a file that is read like the training file.
    private func hasHeader(_ first: [String], _ reader: CSVReader, wantsLabels: Bool) -> Bool {
        guard reader.header == .automatic else { return reader.header == .present }
        if ColumnMatch.isHeader(first, of: table) { return true }
        guard let match = try? ColumnMatch(table, count: first.count, path: path, wantsLabel: wantsLabels) else {
            return !first.contains(where: CSVCells.isNumber)
        }
        var byPlace = self
        byPlace.take(match, wantsLabels: wantsLabels)
        return byPlace.looksLikeHeader(first, reader.task)
    }

    private func looksLikeHeader(_ first: [String], _ task: CSVReader.Task) -> Bool {
        let numbers = first.indices.filter { roles[$0] == .number }
        guard numbers.isEmpty else { return numbers.allSatisfy { !CSVCells.isNumber(first[$0]) } }
        if let labelColumn, task == .regression { return !CSVCells.isNumber(first[labelColumn]) }
        return first.indices.allSatisfy { column in
            guard case .category(let place) = roles[column] else { return true }
            return !CSVCells.isNumber(first[column]) && vocabularies[place]?.contains(first[column]) != true
        }
    }

    // MARK: Rows

    private mutating func row(
        _ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>, _ unquoted: inout [UInt8]
    ) throws {
        var column = 0
        while true {
            let cell = try cells.next(&unquoted)
            guard column < columns else { throw cells.failure("the row has more than \(columns) cells") }
            switch roles[column] {
            case .label: labels.append(try Self.text(cell, &cells, bytes, unquoted, wanted: "a label"))
            case .category(let place):
                let value = try Self.text(cell, &cells, bytes, unquoted, wanted: "a category")
                append(Double(try index(of: value, at: place, cells)))
            case .skipped: break
            case .number:
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
        if let order, column == columns { reorder(order) }
        guard column == columns else {
            throw cells.failure("the row has \(column) \(column == 1 ? "cell" : "cells"), \(columns) are wanted")
        }
    }

    private static func text(
        _ cell: (range: Range<Int>, isUnquoted: Bool, end: CSVCells.End), _ cells: inout CSVCells,
        _ bytes: UnsafeBufferPointer<UInt8>, _ unquoted: [UInt8], wanted: String
    ) throws -> String {
        guard !cell.range.isEmpty else { throw cells.failure("the cell is empty, \(wanted) is wanted") }
        let text =
            cell.isUnquoted
            ? String(decoding: unquoted, as: UTF8.self) : String(decoding: bytes[cell.range], as: UTF8.self)
        return trimmed(text)
    }

    /// Without the spaces around it.
    private static func trimmed(_ text: String) -> String {
        guard let first = text.utf8.first, let last = text.utf8.last, first <= 0x20 || last <= 0x20 else { return text }
        return String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    /// Brings the features of the last row into the model's order.
    private mutating func reorder(_ order: [Int]) {
        func permute<Number>(_ values: inout [Number]) {
            let row = Array(values.suffix(width))
            let start = values.count - width
            for (number, place) in zip(row, order) { values[start + place] = number }
        }
        if isSmall { permute(&small) } else { permute(&floats) }
    }

    /// The value's index in its vocabulary, or, where that is still to be found, the order in which it came.
    private mutating func index(of value: String, at place: Int, _ cells: CSVCells) throws -> Int {
        if let vocabulary = vocabularies[place] {
            if !vocabulary.contains(value), unknown[place]?.count ?? 0 < 100 {
                unknown[place, default: []].insert(value)
            }
            return vocabulary[value]
        }
        if let index = found[place]?[value] { return index }
        let index = found[place]?.count ?? 0
        guard index < Vocabulary.mostValues else {
            throw cells.failure("the column has more than \(Vocabulary.mostValues) categories")
        }
        found[place, default: [:]][value] = index
        return index
    }

    /// Makes the vocabulary of a categorical feature, and brings its indices into that order.
    private mutating func sort(_ values: [String: Int], at place: Int) {
        let vocabulary = Vocabulary(values.keys)
        var order = [Int](repeating: 0, count: values.count)
        for (value, index) in values { order[index] = vocabulary[value] }
        for at in stride(from: place, to: rows * width, by: width) {
            if isSmall { small[at] = UInt8(order[Int(small[at])]) } else { floats[at] = Float(order[Int(floats[at])]) }
        }
        vocabularies[place] = vocabulary
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

    // MARK: Examples

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
            return Dataset(
                features: features, labels: Tensor(targets, shape: Shape([rows, 1])), classes: 0,
                vocabularies: vocabularies, table: table)
        case .classification:
            let indices = try labels.indices.map { row in
                guard let index = classes[labels[row]] else {
                    throw failure(row, "the label '\(labels[row])' is not among those of the training part")
                }
                return index
            }
            let count = classes.count ?? Int(indices.max() ?? 0) + 1
            return Dataset(
                features: features, labels: Tensor(indices), classes: count, classNames: classes.names,
                vocabularies: vocabularies, table: table)
        }
    }
}
