internal import Interchange

/// The first lines of a CSV file, which show whether it has a header.
struct CSVHead {
    struct Cell {
        let text: String
        let isQuoted: Bool
        /// The bytes are UTF-8.
        let isText: Bool
    }

    /// How many lines are looked at.
    static let lines = 200

    let first: [Cell]
    let below: [[Cell]]
    /// The line that `first` ends on, from 1.
    let line: Int

    /// Throws `FormatError` if there is no line.
    init(_ cells: CSVCells, _ bytes: UnsafeBufferPointer<UInt8>, path: String) throws {
        var cells = cells
        guard cells.startLine() else { throw FormatError(path: path, "is empty") }
        first = Self.row(&cells, bytes)
        line = cells.line
        var below: [[Cell]] = []
        while below.count < Self.lines, cells.startLine() { below.append(Self.row(&cells, bytes)) }
        self.below = below
    }

    static func row(_ cells: inout CSVCells, _ bytes: UnsafeBufferPointer<UInt8>) -> [Cell] {
        var unquoted: [UInt8] = []
        var row: [Cell] = []
        while true {
            let cell = cells.next(&unquoted)
            let text = cell.isQuoted ? unquoted : Array(bytes[cell.range])
            let valid = String(validating: text, as: UTF8.self)
            row.append(
                Cell(
                    text: valid ?? String(decoding: text, as: UTF8.self), isQuoted: cell.isQuoted, isText: valid != nil)
            )
            if cell.end != .cell { return row }
        }
    }

    var texts: [String] { first.map(\.text) }

    /// What else the columns may be separated by, where there is one column alone: the end of a sentence.
    var separatorHint: String {
        guard first.count == 1, let text = first.first?.text else { return "" }
        let others = [(";", ";"), ("\t", "tab"), ("|", "|"), (",", ",")].filter { text.contains($0.0) }
        return others.first.map { "; if '\($0.1)' separates the columns, say data.separator: '\($0.1)'" } ?? ""
    }
}
