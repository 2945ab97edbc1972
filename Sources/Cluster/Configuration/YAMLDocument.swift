/// A YAML document as a value, with the lines of its keys. Hostile texts are safe to read.
///
/// The text has at most 1 MiB, and `YAMLComposer.Limit` bounds its value. A duplicate key is a mistake; its second value is
/// ignored, so that the other mistakes are found, too.
struct YAMLDocument {
    static let byteLimit = 1 << 20
    /// libyaml compares each %TAG directive with all before it.
    private static let directiveLimit = 16

    /// The root; nil if the text has no readable document.
    private(set) var root: YAMLValue?
    /// The root's line.
    private(set) var line = 1

    /// Reads `text`; `place` turns a line into the place of a mistake.
    ///
    /// - Parameter isOverride: whether the text is the value of a `--set`, which has no anchors and aliases.
    init(
        _ text: String, mistakes: inout MistakeList, isOverride: Bool = false,
        place: (Int) -> ConfigurationError.Mistake.Place
    ) {
        let text = text.hasPrefix("\u{FEFF}") ? String(text.unicodeScalars.dropFirst()) : text
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
        if Self.hasManyDirectives(text) {
            mistakes.add(.wholeFile, "%TAG has no use here; leave it out")
            return
        }
        let needsQuotes = "a value that begins with & or * needs quotes within YAML, e.g. key='\"*value\"'"
        if isOverride, text.utf8.first(where: { $0 != 0x20 }).map({ "&*".utf8.contains($0) }) ?? false {
            mistakes.add(place(1), needsQuotes)
            return
        }
        let events = YAMLEvents(text)
        var composer = YAMLComposer()
        do throws(YAMLEvents.Problem) {
            while let event = try events.next() {
                var isAlias = event.anchor != nil
                if case .alias = event.kind { isAlias = true }
                if isOverride, isAlias {
                    mistakes.add(place(event.line), needsQuotes)
                    return
                }
                try composer.add(event)
            }
        } catch {
            let column = isOverride ? "" : error.column.map { "column \($0): " } ?? ""
            let kind = error.isLimit ? "" : before
            mistakes.add(place(error.line), "\(column)\(kind)\(error.text)\(Self.hint(error, in: text))")
            return
        }
        for mistake in composer.mistakes { mistakes.add(place(mistake.line), mistake.text) }
        (root, line) = (composer.root, composer.line)
    }

    private static func hasManyDirectives(_ text: String) -> Bool {
        let name = Array("%TAG".utf8)
        var (matched, count) = (0, 0)
        for byte in text.utf8 {
            matched = byte == name[matched] ? matched + 1 : byte == name[0] ? 1 : 0
            if matched == name.count { (matched, count) = (0, count + 1) }
        }
        return count > directiveLimit
    }

    /// The most common reason for a line that cannot be read.
    private static func hint(_ problem: YAMLEvents.Problem, in text: String) -> String {
        guard problem.column != nil, !problem.isLimit else { return "" }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.dropFirst(problem.line - 1).first ?? ""[...].utf8
        let hasTab = line.prefix { $0 == 0x20 || $0 == 0x09 }.contains(0x09)
        return hasTab ? " (indent with spaces, not tabs)" : ""
    }
}
