internal import Interchange
#if canImport(Glibc)
    internal import Glibc
#endif

/// Walks over the cells of a CSV file (RFC 4180), byte by byte.
struct CSVCells {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let separator: UInt8
    let path: String
    private var at = 0
    /// The line of the cell that was read last, from 1.
    private(set) var line = 1
    /// Its place in the line, from 1.
    private(set) var column = 0
    private var nextLine = 1

    enum End { case cell, line, file }

    init(_ bytes: UnsafeBufferPointer<UInt8>, separator: UInt8, path: String) {
        self.bytes = bytes
        self.separator = separator
        self.path = path
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// A failure at the cell that was read last: `data.csv:3:7: what`.
    func failure(_ what: String) -> FormatError { FormatError(path: "\(path):\(line):\(column)", what) }

    /// Skips empty lines; false at the end of the file. To be called at the start of a line.
    mutating func startLine() -> Bool {
        while at < bytes.count {
            if bytes[at] == 0x0A {
                at += 1
            } else if bytes[at] == 0x0D, at + 1 < bytes.count, bytes[at + 1] == 0x0A {
                at += 2
            } else {
                break
            }
            nextLine += 1
        }
        line = nextLine
        column = 0
        return at < bytes.count
    }

    /// A cell's text without quotes, and what ends it.
    ///
    /// - Returns: the bytes in the file, or, where quotes were doubled, in `unquoted`.
    @inline(__always)
    mutating func next(_ unquoted: inout [UInt8]) throws -> (range: Range<Int>, isUnquoted: Bool, end: End) {
        column += 1
        line = nextLine
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") { return try quoted(&unquoted) }
        let start = at
        while at < bytes.count, bytes[at] != separator, bytes[at] != 0x0A { at += 1 }
        var end = at
        if end > start, bytes[end - 1] == 0x0D, at == bytes.count || bytes[at] == 0x0A { end -= 1 }
        return (start..<end, false, finish())
    }

    private mutating func finish() -> End {
        guard at < bytes.count else { return .file }
        defer { at += 1 }
        if bytes[at] == separator { return .cell }
        nextLine += 1
        return .line
    }

    private mutating func quoted(_ unquoted: inout [UInt8]) throws -> (range: Range<Int>, isUnquoted: Bool, end: End) {
        unquoted.removeAll(keepingCapacity: true)
        at += 1
        while true {
            guard at < bytes.count else { throw failure("a quote is opened and never closed") }
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") {
                guard at < bytes.count, bytes[at] == byte else { break }
                at += 1
            } else if byte == 0x0A {
                nextLine += 1
            }
            unquoted.append(byte)
        }
        if at + 1 < bytes.count, bytes[at] == 0x0D, bytes[at + 1] == 0x0A { at += 1 }
        guard at == bytes.count || bytes[at] == separator || bytes[at] == 0x0A else {
            throw failure("text follows the closing quote")
        }
        return (0..<unquoted.count, true, finish())
    }

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
