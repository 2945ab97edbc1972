internal import Yams

/// One YAML document as a tree of nodes with their lines, read with care for hostile input.
///
/// libyaml itself stops at 1000 levels of nesting. Aliases, which can make a small text an exponentially large
/// tree, are counted before. A key that occurs twice is reported and read no further, so that the other mistakes
/// are found too.
struct YAMLDocument {
    static let byteLimit = 1 << 20
    /// Eight aliases multiply a text at most twentyfold.
    static let aliasLimit = 8

    /// The root; nil where the text holds no document, or none that can be read.
    private(set) var root: Node?
    /// The names under which second occurrences of keys stand in the tree.
    private(set) var duplicates: Set<String> = []

    /// Reads `text`; `place` turns a line into the place of a mistake.
    init(
        _ text: String, mistakes: inout MistakeList, isOverride: Bool = false,
        place: (Int) -> ConfigurationError.Mistake.Place
    ) {
        var text = text.hasPrefix("\u{FEFF}") ? String(text.unicodeScalars.dropFirst()) : text
        let before = isOverride ? "" : "not YAML: "
        if text.utf8.count > Self.byteLimit {
            mistakes.add(.wholeFile, "the configuration is larger than 1 MiB")
            return
        }
        if let nul = text.utf8.firstIndex(of: 0) {
            let line = text.utf8[..<nul].count { $0 == UInt8(ascii: "\n") } + 1
            mistakes.add(place(line), "\(before)there is a NUL byte")
            return
        }
        let aliases = Self.aliasLines(in: text)
        if aliases.count > (isOverride ? 0 : Self.aliasLimit) {
            let line = aliases[isOverride ? 0 : Self.aliasLimit]
            mistakes.add(
                place(line),
                isOverride
                    ? "a value that begins with & or * needs quotes within YAML, e.g. key='\"*value\"'"
                    : "more than \(Self.aliasLimit) aliases (*name)")
            return
        }
        while true {
            do {
                root = try compose(yaml: text, .default, .default, .utf8)
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let name = names.first ?? "", first = context.mark
                if duplicates.count < 20, text.utf8.count < 1 << 16,
                    let second = DuplicateKey(name, first: (first.line, first.column), in: text)
                {
                    let mask = second.mask(number: duplicates.count, in: &text)
                    duplicates.insert(mask)
                    mistakes.add(place(second.line), "duplicate key '\(name)', first on line \(first.line)")
                } else {
                    let shown = name.prefix(40)
                    mistakes.add(
                        place(first.line), "duplicate key '\(shown)' (the mistakes after it are not listed)")
                    return
                }
            } catch {
                let problem = Self.problem(error, in: text)
                mistakes.add(
                    place(problem.line),
                    "\(isOverride ? "" : problem.column.map { "column \($0): " } ?? "")\(before)\(problem.text)")
                return
            }
        }
    }

    /// The lines with what looks like an alias or an anchor's use: `*name` where a value may begin.
    private static func aliasLines(in text: String) -> [Int] {
        var lines: [Int] = [], line = 1
        var previous = UInt8(ascii: "\n"), isComment = false, isIndent = true
        var bytes = text.utf8.makeIterator()
        var next = bytes.next()
        while let byte = next {
            next = bytes.next()
            if byte == UInt8(ascii: "\n") {
                (line, isComment, isIndent) = (line + 1, false, true)
            } else if isIndent, byte == UInt8(ascii: "#") {
                isComment = true
            } else if byte == UInt8(ascii: "*"), !isComment, " \n\t\r[{,:?-!".utf8.contains(previous),
                let next, !" \n\t\r".utf8.contains(next)
            {
                lines.append(line)
            }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\n") { isIndent = false }
            previous = byte
        }
        return lines
    }

    private static func problem(_ error: any Error, in text: String) -> (line: Int, column: Int?, text: String) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let line =
                text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .dropFirst(mark.line - 1).first.map { String(Substring($0)) } ?? ""
            let tab = line.prefix { $0 == " " || $0 == "\t" }.contains("\t") ? " (indent with spaces, not tabs)" : ""
            let context = context.map { ", \($0.text) that began on line \($0.mark.line)" } ?? ""
            return (mark.line, mark.column, problem + context + tab)
        case .composer(_, let problem, let mark, _):
            return (mark.line, mark.column, problem)
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix($0).utf8.count { $0 == UInt8(ascii: "\n") } + 1 } ?? 1
            return (line, nil, problem)
        default:
            return (1, nil, "\(error)")
        }
    }
}
