internal import Dataflow
internal import Interchange

/// What is allowed in a row's cells.
struct RowRules {
    /// By the feature's place, whether something stands for a missing number.
    let fills: [Bool]
    /// The first so many features are identifiers: a cell of theirs must not be empty, and any text in it is a value.
    let identifiers: Int
    /// Labels are numbers.
    let hasTargets: Bool
}

extension CSVTable {
    static let noText = "the cell is no UTF-8 text; save the file as UTF-8"

    /// Takes in a row, or counts what is wrong with it.
    mutating func readRow(
        _ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>, _ unquoted: inout [UInt8], _ rules: RowRules
    ) {
        var column = 0
        var isWhole = true
        while true {
            let cell = cells.next(&unquoted)
            if let fault = cell.fault {
                faults.add(line: cells.line, column: column + 1, fault)
                isWhole = false
            } else if column < columns {
                let role = roles[column]
                if cell.isQuoted {
                    unquoted.withUnsafeBufferPointer { take($0[...], role, cells, rules) }
                } else {
                    take(bytes[cell.range], role, cells, rules)
                }
            }
            column += 1
            if cell.end != .cell { break }
        }
        if column != columns, isWhole {
            faults.add(
                line: cells.line, column: column,
                "the row has \(column) \(column == 1 ? "cell" : "cells"), \(columns) are wanted")
        }
        if let order, faults.count == 0 { reorder(order) }
    }

    @inline(__always)
    private mutating func take(
        _ text: Slice<UnsafeBufferPointer<UInt8>>, _ role: Role, _ cells: CSVCells, _ rules: RowRules
    ) {
        switch role {
        case .skipped: break
        case .number(let place):
            if let number = CSVCells.number(text), abs(number) <= Double(Float.greatestFiniteMagnitude) {
                append(number)
            } else {
                takeNoNumber(text, place, cells, rules)
            }
        case .label: takeLabel(text, cells, rules)
        case .category(let place): takeCategory(text, place, cells, rules)
        }
    }

    private mutating func takeNoNumber(
        _ text: Slice<UnsafeBufferPointer<UInt8>>, _ place: Int, _ cells: CSVCells, _ rules: RowRules
    ) {
        guard CSVCells.isMissing(text, inAnyCase: true) else {
            let what = CSVCells.number(text) == nil ? "is no number" : "is beyond what a float32 holds"
            return fail(cells, "\(CellFaults.excerpt(text)) \(what)")
        }
        guard rules.fills[place] else {
            let what = text.isEmpty ? "the cell is empty" : "\(CellFaults.excerpt(text)) is a missing value"
            return fail(cells, "\(what), a number is wanted")
        }
        gaps[place, default: 0] += 1
        append(.nan)
    }

    private mutating func takeLabel(
        _ text: Slice<UnsafeBufferPointer<UInt8>>, _ cells: CSVCells, _ rules: RowRules
    ) {
        if CSVCells.isMissing(text) {
            let what = text.isEmpty ? "the cell is empty" : "\(CellFaults.excerpt(text)) is a missing value"
            return fail(cells, "\(what), a label is wanted")
        }
        if rules.hasTargets, CSVCells.number(text).map({ abs($0) > Double(Float.greatestFiniteMagnitude) }) ?? true {
            return fail(cells, "\(CellFaults.excerpt(text)) is no number")
        }
        guard let label = string(text, cells) else { return }
        labels.append(label)
        lines.append(Int32(truncatingIfNeeded: cells.line))
    }

    private mutating func takeCategory(
        _ text: Slice<UnsafeBufferPointer<UInt8>>, _ place: Int, _ cells: CSVCells, _ rules: RowRules
    ) {
        let isIdentifier = place < rules.identifiers
        if isIdentifier, text.isEmpty { return fail(cells, "the cell is empty, a category is wanted") }
        var value = Vocabulary.missing
        if isIdentifier || !CSVCells.isMissing(text) {
            guard let text = string(text, cells) else { return }
            value = text
        } else {
            gaps[place, default: 0] += 1
        }
        guard let index = index(of: value, at: place) else {
            return fail(cells, "the column has more than \(Vocabulary.mostValues) categories")
        }
        append(Double(index))
    }

    private mutating func fail(_ cells: CSVCells, _ what: @autoclosure () -> String) {
        faults.add(line: cells.line, column: cells.column, what())
    }

    /// The cell's text; nil, and counted, if it is none.
    private mutating func string(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ cells: CSVCells) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            fail(cells, Self.noText)
            return nil
        }
        guard !bytes.contains(0) else {
            fail(cells, "\(CellFaults.excerpt(bytes)) holds a NUL byte")
            return nil
        }
        return text
    }

    /// The value's index in its vocabulary, or, where that is still to be found, the order in which it came; nil: too many.
    private mutating func index(of value: String, at place: Int) -> Int? {
        if let vocabulary = vocabularies[place] {
            if !vocabulary.contains(value), unknown[place]?.count ?? 0 < 100 {
                unknown[place, default: []].insert(value)
            }
            return vocabulary[value]
        }
        if let index = found[place]?[value] { return index }
        let index = found[place]?.count ?? 0
        guard index < Vocabulary.mostValues else { return nil }
        found[place, default: [:]][value] = index
        return index
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

    /// uint8 or float32, N × D; a missing number is NaN.
    var features: Tensor {
        let shape = Shape([rows, width])
        return isSmall ? Tensor(small, sized: shape) : Tensor(floats, sized: shape)
    }

    /// Throws `FormatError` with the rows whose label is no class, or no number in a regression.
    func dataset(_ task: CSVReader.Task, _ classes: ClassNames) throws -> Dataset {
        var faults = CellFaults(path: path)
        func fail(_ row: Int, _ what: @autoclosure () -> String) {
            faults.add(line: Int(lines[row]), column: (labelColumn ?? 0) + 1, what())
        }
        let tensor: Tensor
        switch task {
        case .regression:
            let targets = labels.indices.map { row in
                if let value = Float(labels[row]), value.isFinite { return value }
                fail(row, "\(CellFaults.excerpt(labels[row].utf8)) is no number")
                return 0
            }
            tensor = Tensor(targets, sized: Shape([rows, 1]))
        case .classification:
            let indices = labels.indices.map { row in
                if let index = classes[labels[row]] { return index }
                fail(row, "the label \(CellFaults.excerpt(labels[row].utf8)) is not among those of the training part")
                return 0
            }
            tensor = Tensor(indices)
        }
        try faults.check()
        let count = task == .regression ? 0 : classes.count ?? Int(tensor.elements(of: Int32.self).max() ?? 0) + 1
        return Dataset(
            known: features, labels: tensor, classes: count, classNames: task == .regression ? [] : classes.names,
            featureShape: [features.shape.knownExtents[1]],
            vocabularies: vocabularies, table: table)
    }

    // MARK: Notes

    /// What the job's log should say of the file: gaps that are filled, and a header that is not plain to see.
    func notes(_ rule: FillRule) -> [String] {
        var notes: [String] = []
        if hasSurprisingHeader {
            notes.append(
                "\(path): the first line is taken for names of columns; if it is an example, say data.header: false")
        }
        let places = gaps.keys.sorted()
        let numbers = places.filter { vocabularies[$0] == nil }
        let categories = places.filter { vocabularies[$0] != nil }
        func list(_ places: [Int]) -> String {
            let shown = places.prefix(20).map { place in
                "\(table.features[place].name ?? "column \(table.features[place].place + 1)") \(gaps[place] ?? 0)"
            }
            return shown.joined(separator: ", ") + (places.count > 20 ? ", … (\(places.count) columns)" : "")
        }
        let filler = rule == .zero ? "0" : "the column's \(rule.rawValue) in the training part"
        if !numbers.isEmpty {
            let count = numbers.reduce(0) { $0 + (gaps[$1] ?? 0) }
            notes.append(
                "\(path): \(filler) stands for \(count) missing number\(count == 1 ? "" : "s"): \(list(numbers))")
        }
        if !categories.isEmpty {
            let count = categories.reduce(0) { $0 + (gaps[$1] ?? 0) }
            notes.append(
                "\(path): \(count) missing cell\(count == 1 ? " counts" : "s count") as a category of their own: \(list(categories))"
            )
        }
        return notes
    }
}
