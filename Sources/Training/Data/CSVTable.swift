internal import Dataflow
internal import Interchange

/// A CSV file as read: features, and the text of the labels.
struct CSVTable {
    /// What a column is; features by their place among the features.
    enum Role: Equatable {
        case number(Int)
        case category(Int)
        case label, skipped
    }

    let path: String
    private(set) var width = 0
    private(set) var rows = 0
    private(set) var columns = 0
    /// Of the categorical features, by their place.
    var vocabularies: [Int: Vocabulary]
    /// The columns, of this file or of the training file that it is read like.
    private(set) var table: TableLayout
    /// Categories that the given vocabularies lack, by the feature's place: some of them.
    var unknown: [Int: Set<String>] = [:]
    /// The first line is a header although some of its cells are numbers.
    private(set) var hasSurprisingHeader = false
    var faults: CellFaults
    /// Missing cells, by the feature's place.
    var gaps: [Int: Int] = [:]
    var labels: [String] = []
    /// Lines of the labels, for errors found later.
    var lines: [Int32] = []
    var roles: [Role] = []
    var labelColumn: Int? { roles.firstIndex(of: .label) }
    /// The values of categorical features whose vocabulary is to be found, in the order in which they came.
    var found: [Int: [String: Int]] = [:]
    /// As bytes as long as every cell is a whole number 0…255: a quarter of the memory.
    var small: [UInt8] = []
    var floats: [Float] = []
    var isSmall = true
    /// The features in the order in which the file has them; nil: in the model's.
    var order: [Int]?

    /// Reads a file with labels and finds the vocabularies of its categories.
    init(path: String, reader: CSVReader) throws {
        self.path = path
        faults = CellFaults(path: path)
        vocabularies = [:]
        table = TableLayout(features: [], label: nil, width: 0)
        try read(reader) { table, head in
            table.roles = try table.roles(of: head, reader)
            let isNamed = table.hasHeader(head, reader)
            table.table = table.layout(names: isNamed ? head.texts : nil)
            return isNamed
        }
        for (place, values) in found { sort(values, at: place) }
    }

    /// What a file is read for.
    enum Purpose { case training, labels, features }

    /// Reads a file like the training file of `table`: columns by name, in any order, categories by their vocabularies.
    ///
    /// - Parameters:
    ///   - purpose: whether labels are wanted, and whether it is what a model goes on training with: then the reader must make
    ///     of every column what it was.
    ///   - isFitted: `table` says what stands for missing numbers; else the reader says whether something will.
    init(
        path: String, reader: CSVReader, like table: TableLayout, vocabularies: [Int: Vocabulary], for purpose: Purpose,
        isFitted: Bool = true
    ) throws {
        self.path = path
        faults = CellFaults(path: path)
        self.vocabularies = vocabularies
        self.table = table
        let wantsLabels = purpose != .features
        try read(reader, fills: isFitted ? Set(table.features.indices.filter { table.features[$0].fill != nil }) : nil)
        {
            file, head in
            let isNamed = file.hasHeader(head, reader, wantsLabels: wantsLabels)
            let match =
                isNamed && table.isNamed
                ? try ColumnMatch(
                    table, header: head.texts, path: path,
                    ignored: Set(reader.skipped.compactMap { if case .name(let name) = $0 { name } else { nil } }),
                    wantsLabel: wantsLabels, isHeaderCertain: reader.header == .present)
                : try ColumnMatch(table, count: head.first.count, path: path, wantsLabel: wantsLabels)
            file.take(match, wantsLabels: wantsLabels)
            if purpose == .training { try file.checkRoles(head, reader) }
            return isNamed
        }
    }

    /// Throws unless the reader makes of every column what it was when the model was trained.
    private func checkRoles(_ head: CSVHead, _ reader: CSVReader) throws {
        func kind(_ role: Role) -> String {
            switch role {
            case .number: "a number"
            case .label: "the label"
            case .skipped: "ignored"
            case .category: "a category"
            }
        }
        var asked = self
        let differences = try zip(head.texts, zip(asked.roles(of: head, reader), roles)).compactMap { name, both in
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

    /// - Parameters:
    ///   - fills: the features whose missing numbers can be filled; nil: the reader says whether all are.
    ///   - columns: gives the columns' roles by the first lines, and says whether the first is a header.
    private mutating func read(
        _ reader: CSVReader, fills: Set<Int>? = nil, columns find: (inout CSVTable, CSVHead) throws -> Bool
    ) throws {
        let bytes = try TextFile.read(path)
        try bytes.withUnsafeBufferPointer { buffer in
            var cells = CSVCells(buffer, separator: reader.separator, isDoubled: reader.isDoubled)
            let head = try CSVHead(cells, buffer, path: path)
            let isHeader = try find(&self, head)
            columns = head.first.count
            width = table.features.count
            guard width > 0 else {
                throw FormatError(
                    path: "\(path):\(head.line):1",
                    "one column alone: features and a label are wanted" + head.separatorHint)
            }
            if isHeader {
                _ = cells.startLine()
                _ = CSVHead.row(&cells, buffer)
                for (column, cell) in head.first.enumerated() where !cell.isText {
                    faults.add(line: head.line, column: column + 1, CSVTable.noText)
                }
            }
            let fills = fills ?? (reader.missing == .error ? [] : Set(table.features.indices))
            let rules = RowRules(
                fills: table.features.indices.map(fills.contains), identifiers: reader.identifiers,
                hasTargets: reader.task == .regression)
            var unquoted: [UInt8] = []
            while cells.startLine() {
                readRow(&cells, buffer, &unquoted, rules)
                rows += 1
            }
        }
        try faults.check()
        guard rows > 0 else { throw FormatError(path: path, "holds no rows") }
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
                return vocabularies[place] == nil ? .number(place) : .category(place)
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

    private mutating func roles(of head: CSVHead, _ reader: CSVReader) throws -> [Role] {
        var roles = [Role](repeating: .number(0), count: head.first.count)
        let label = try find(reader.label, in: head, for: "the labels")
        for column in try reader.categorical.map({ try find($0, in: head, for: "a category") }) {
            guard column != label else {
                throw FormatError(path: path, "has its labels in column \(column), which cannot be a category too")
            }
            roles[column] = .category(0)
        }
        for column in try reader.skipped.map({ try find($0, in: head, for: "what is passed over") }) {
            roles[column] = .skipped
        }
        roles[label] = .label
        var place = 0
        for (column, role) in roles.enumerated() where role != .label && role != .skipped {
            if role == .number(0) {
                roles[column] = .number(place)
            } else {
                roles[column] = .category(place)
                if vocabularies[place] == nil { found[place] = [:] }
            }
            place += 1
        }
        return roles
    }

    private func find(_ column: CSVReader.Column, in head: CSVHead, for what: String) throws -> Int {
        let first = head.texts
        switch column {
        case .last: return first.count - 1
        case .index(let index):
            let column = index < 0 ? index + first.count : index
            guard first.indices.contains(column) else {
                throw FormatError(
                    path: path,
                    "has \(first.count) column\(first.count == 1 ? "" : "s"), and no column \(index) for \(what)"
                        + (first.contains("\(index)")
                            ? "; a name that is a number stands in quotes" : head.separatorHint))
            }
            return column
        case .name(let name):
            guard let column = first.firstIndex(of: name) else {
                let shown = first.prefix(8).joined(separator: ", ") + (first.count > 8 ? ", …" : "")
                throw FormatError(
                    path: path,
                    "has no column named \(name) for \(what); the first line is \(shown)" + head.separatorHint)
            }
            guard !first[(column + 1)...].contains(name) else {
                throw FormatError(
                    path: path, "has more than one column named \(name) for \(what); give its number from 0")
            }
            return column
        }
    }

    // MARK: Header

    /// Whether the first line names the columns of a file that gives the columns' roles.
    private mutating func hasHeader(_ head: CSVHead, _ reader: CSVReader) -> Bool {
        func isName(_ column: CSVReader.Column) -> Bool { if case .name = column { true } else { false } }
        if isName(reader.label) || (reader.categorical + reader.skipped).contains(where: isName) { return true }
        guard reader.header == .automatic else { return reader.header == .present }
        let guess = guess(head, reader.task)
        hasSurprisingHeader = guess.isSurprising
        return guess.isHeader
    }

    /// Whether the first line names the columns of a file that is read like the training file.
    private func hasHeader(_ head: CSVHead, _ reader: CSVReader, wantsLabels: Bool) -> Bool {
        guard reader.header == .automatic else { return reader.header == .present }
        if ColumnMatch.isHeader(head.texts, of: table) { return true }
        let match = try? ColumnMatch(table, count: head.first.count, path: path, wantsLabel: wantsLabels)
        guard let match else { return !head.texts.contains(where: CSVCells.isNumber) }
        var byPlace = self
        byPlace.take(match, wantsLabels: wantsLabels)
        return byPlace.guess(head, reader.task).isHeader
    }

    private func guess(_ head: CSVHead, _ task: CSVReader.Task) -> HeaderGuess {
        var columns = zip(roles, head.first).map { role, cell in
            var isKnown = false
            if case .category(let place) = role { isKnown = vocabularies[place]?.contains(cell.text) ?? false }
            return HeaderGuess.Column(
                HeaderGuess.Use(role, task), first: cell.text, isQuoted: cell.isQuoted, isKnown: isKnown)
        }
        for row in head.below {
            for (column, cell) in row.enumerated() where column < columns.count {
                columns[column].add(cell.text, isQuoted: cell.isQuoted)
            }
        }
        return HeaderGuess(columns, lines: head.below.count)
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
}

extension HeaderGuess.Use {
    init(_ role: CSVTable.Role, _ task: CSVReader.Task) {
        self =
            switch role {
            case .number: .number
            case .category: .category
            case .label: task == .regression ? .target : .classes
            case .skipped: .skipped
            }
    }
}
