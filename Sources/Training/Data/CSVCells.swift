#if canImport(Glibc)
    internal import Glibc
#endif

/// Walks over the cells of a CSV file (RFC 4180), byte by byte.
///
/// Lines end with LF, CRLF or CR. Spaces and tabs around a cell without quotes, and around the quotes of one with, are left
/// out, unless they separate the columns.
struct CSVCells {
    struct Cell {
        /// Its bytes in the file; of a cell with quotes, those of its text in the buffer given to `next`.
        let range: Range<Int>
        let isQuoted: Bool
        let end: End
        /// What is wrong with its quotes.
        var fault: String?
    }

    enum End { case cell, line, file }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let separator: UInt8
    /// Two of the character stand between columns, as in MovieLens's `::`.
    private let isDoubled: Bool
    private var at = 0
    /// The line of the cell that was read last, from 1.
    private(set) var line = 1
    /// Its place in the line, from 1.
    private(set) var column = 0
    private var nextLine = 1

    init(_ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8, isDoubled: Bool = false) {
        self.bytes = bytes
        self.separator = separator
        self.isDoubled = isDoubled
    }

    /// Skips lines that are empty or blank; false at the end of the file. To be called at the start of a line.
    mutating func startLine() -> Bool {
        while at < bytes.count {
            var end = at
            while end < bytes.count, isBlank(bytes[end]) { end += 1 }
            guard end == bytes.count || Self.endsLine(bytes[end]) else { break }
            at = end
            if at < bytes.count { passLineEnd() }
        }
        line = nextLine
        column = 0
        return at < bytes.count
    }

    private func isBlank(_ byte: UInt8) -> Bool { (byte == 0x20 || byte == 0x09) && byte != separator }
    private static func endsLine(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    @inline(__always)
    private func isSeparator(_ place: Int) -> Bool {
        bytes[place] == separator && (!isDoubled || place + 1 < bytes.count && bytes[place + 1] == separator)
    }

    /// The cell's text: a range of the file or, where it has quotes, of `unquoted`.
    @inline(__always)
    mutating func next(_ unquoted: inout [UInt8]) -> Cell {
        column += 1
        line = nextLine
        while at < bytes.count, isBlank(bytes[at]) { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") { return quoted(&unquoted) }
        let start = at
        while at < bytes.count, !isSeparator(at), !Self.endsLine(bytes[at]) { at += 1 }
        var end = at
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return Cell(range: start..<end, isQuoted: false, end: finish())
    }

    private mutating func finish() -> End {
        guard at < bytes.count else { return .file }
        if isSeparator(at) {
            at += isDoubled ? 2 : 1
            return .cell
        }
        passLineEnd()
        return .line
    }

    private mutating func passLineEnd() {
        at += bytes[at] == 0x0D && at + 1 < bytes.count && bytes[at + 1] == 0x0A ? 2 : 1
        nextLine += 1
    }

    private mutating func quoted(_ unquoted: inout [UInt8]) -> Cell {
        unquoted.removeAll(keepingCapacity: true)
        at += 1
        var isClosed = false
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") {
                guard at < bytes.count, bytes[at] == byte else {
                    isClosed = true
                    break
                }
                at += 1
            } else if byte == 0x0A || byte == 0x0D && !(at < bytes.count && bytes[at] == 0x0A) {
                nextLine += 1
            }
            unquoted.append(byte)
        }
        var fault = isClosed ? nil : "a quote is opened and never closed"
        while at < bytes.count, isBlank(bytes[at]) { at += 1 }
        while at < bytes.count, !isSeparator(at), !Self.endsLine(bytes[at]) {
            fault = "text follows the closing quote"
            at += 1
        }
        return Cell(range: 0..<unquoted.count, isQuoted: true, end: finish(), fault: fault)
    }

    /// Whether a cell with this text holds no value: it is empty, `?`, or one of the words that pandas takes so.
    ///
    /// - Parameter inAnyCase: other letter cases of the words too. Among texts `none` may be a value, so there it is false.
    static func isMissing(_ text: some Collection<UInt8>, inAnyCase: Bool = false) -> Bool {
        guard let first = text.first else { return true }
        guard text.count <= 9, "#-1<nN?".utf8.contains(first) else { return false }
        let word = String(decoding: text, as: UTF8.self)
        return inAnyCase ? lowercased.contains(word.lowercased()) : missing.contains(word)
    }

    /// pandas's `na_values`, and the question mark of the UCI's data sets.
    private static let missing: Set<String> = [
        "?", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "<NA>", "#N/A", "#NA",
        "#N/A N/A",
        "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
    ]
    private static let lowercased = Set(missing.map { $0.lowercased() })

    /// Whether the text of a cell is one.
    static func isNumber(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { number($0[...]) != nil }
    }

    /// The finite decimal number that the bytes are, spaces around it left out; nil if they are none.
    @inline(__always)
    static func number(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
        var (at, end) = (text.startIndex, text.endIndex)
        let base = text.base
        while at < end, base[at] == 0x20 || base[at] == 0x09 { at += 1 }
        while end > at, base[end - 1] == 0x20 || base[end - 1] == 0x09 { end -= 1 }
        let start = at
        var isNegative = false
        if at < end, base[at] == UInt8(ascii: "-") || base[at] == UInt8(ascii: "+") {
            isNegative = base[at] == UInt8(ascii: "-")
            at += 1
        }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        while at < end, case let digit = base[at] &- 0x30, digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            digits += 1
            at += 1
        }
        if at < end, base[at] == UInt8(ascii: ".") {
            at += 1
            while at < end, case let digit = base[at] &- 0x30, digit < 10 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                digits += 1
                exponent -= 1
                at += 1
            }
        }
        guard digits > 0 else { return nil }
        if at == end, digits <= 15, exponent >= -22 {
            // Both are exact in float64, so the quotient is rounded once (W. Clinger, 1990).
            let value = exponent == 0 ? Double(mantissa) : Double(mantissa) / powersOfTen[-exponent]
            return isNegative ? -value : value
        }
        if at < end {
            guard base[at] | 0x20 == UInt8(ascii: "e") else { return nil }
            at += 1
            if at < end, base[at] == UInt8(ascii: "-") || base[at] == UInt8(ascii: "+") { at += 1 }
            guard at < end, base[at..<end].allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        }
        let value = strtod(String(decoding: base[start..<end], as: UTF8.self), nil)
        return value.isFinite ? value : nil
    }

    private static let powersOfTen: [Double] = (0...22).map { power in
        (0..<power).reduce(1.0) { value, _ in value * 10 }
    }
}
