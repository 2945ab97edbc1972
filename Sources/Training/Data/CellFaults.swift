internal import Interchange

/// What is wrong with a table's cells: how many there are, and the first ten with line and column, both from 1.
struct CellFaults {
    static let shown = 10

    let path: String
    private(set) var count = 0
    private var first: [(line: Int, column: Int, what: String)] = []

    init(path: String) { self.path = path }

    mutating func add(line: Int, column: Int, _ what: @autoclosure () -> String) {
        count += 1
        if first.count < Self.shown { first.append((line, column, what())) }
    }

    /// Throws `FormatError` if there are any: one as `data.csv:3:7: what`, more as a list.
    func check() throws {
        guard let only = first.first else { return }
        guard count > 1 else { throw FormatError(path: "\(path):\(only.line):\(only.column)", only.what) }
        var lines = ["has \(count) cells in error"]
        lines += first.map { "  line \($0.line), column \($0.column): \($0.what)" }
        if count > first.count { lines.append("  … and \(count - first.count) more") }
        throw FormatError(path: path, lines: lines)
    }

    /// A cell's text as a message shows it: in quotes, on one line, 40 characters at most.
    static func excerpt(_ bytes: some Collection<UInt8>) -> String {
        let text = String(decoding: bytes.prefix(164), as: UTF8.self)
        let escaped = text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
        return "'" + (escaped.count <= 40 ? escaped : escaped.prefix(39) + "…") + "'"
    }
}
