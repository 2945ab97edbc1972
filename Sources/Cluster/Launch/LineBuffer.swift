/// Splits arriving bytes into lines, and keeps the last lines.
struct LineBuffer {
    /// Longer lines are cut, so that a child that never ends its line cannot fill the parent's memory.
    static let longestLine = 4096
    let remembered: Int

    private var open: [UInt8] = []
    private(set) var last: [String] = []

    init(remembered: Int) { self.remembered = remembered }

    /// Appends bytes and returns the lines that they complete, without empty ones.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            let isEnd = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            if !isEnd { open.append(byte) }
            if isEnd || open.count == Self.longestLine, let line = take() { lines.append(line) }
        }
        return lines
    }

    /// Ends the stream and returns the last, incomplete line, if there is one.
    mutating func finish() -> String? { take() }

    private mutating func take() -> String? {
        guard !open.isEmpty else { return nil }
        let line = String(decoding: open, as: UTF8.self)
        open.removeAll(keepingCapacity: true)
        last.append(line)
        if last.count > remembered { last.removeFirst(last.count - remembered) }
        return line
    }
}
