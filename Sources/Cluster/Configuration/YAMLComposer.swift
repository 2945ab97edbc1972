/// Builds the value of a document from its events, within limits for depth and size.
///
/// An alias is a copy of its anchor's value, and every copy counts: a text of some hundred bytes could stand for gigabytes.
struct YAMLComposer {
    enum Limit {
        static let depth = 64
        static let values = 100_000
        static let bytes = 1 << 20
    }

    /// The size of a value, with the values of its aliases.
    private struct Size {
        var values = 1
        var bytes = 0
        /// The depth of nested lists and mappings; 0 for a scalar.
        var depth = 0
    }

    private struct Named {
        let value: YAMLValue
        let size: Size
    }

    /// A list or mapping that has not ended yet.
    private struct Open {
        var isMap: Bool
        let line: Int
        let anchor: String?
        var size = Size(depth: 1)
        var items: [YAMLValue] = []
        var pairs: [YAMLValue.Pair] = []
        /// The line of each key.
        var lines: [String: Int] = [:]
        /// The key of the next value; its text is nil if the key is refused.
        var key: (text: String?, line: Int)?
    }

    private var open: [Open] = []
    private var anchors: [String: Named] = [:]
    /// The values and bytes of the whole document so far.
    private var total = Size(values: 0)
    private(set) var root: YAMLValue?
    /// The root's line.
    private(set) var line = 1
    /// Duplicate keys, and keys that are not texts, with their lines.
    private(set) var mistakes: [(line: Int, text: String)] = []

    /// - Throws: an error that ends the reading: a limit, a second document.
    mutating func add(_ event: YAMLEvents.Event) throws(YAMLEvents.Problem) {
        switch event.kind {
        case .streamStart, .streamEnd, .documentEnd: break
        case .documentStart(let hasTagDirectives):
            if root != nil { throw problem(event, "but found another document") }
            if hasTagDirectives {
                throw YAMLEvents.Problem(line: event.line, text: "%TAG has no use here; leave it out", isLimit: true)
            }
        case .scalar(let text, let isPlain):
            try add(.scalar(text, isPlain: isPlain), Size(bytes: text.utf8.count), event.anchor, event)
        case .alias(let name):
            guard let named = anchors[name] else { throw problem(event, "found undefined alias") }
            try add(named.value, named.size, nil, event)
        case .listStart, .mapStart:
            var isMap = false
            if case .mapStart = event.kind { isMap = true }
            try check(Size(depth: 1), event)
            open.append(Open(isMap: isMap, line: event.line, anchor: event.anchor))
        case .listEnd, .mapEnd:
            guard let ended = open.popLast() else { return }
            let value: YAMLValue = ended.isMap ? .map(ended.pairs) : .list(ended.items)
            place(value, ended.size, ended.anchor, line: ended.line)
        }
    }

    private func problem(_ event: YAMLEvents.Event, _ text: String) -> YAMLEvents.Problem {
        YAMLEvents.Problem(line: event.line, column: event.column, text: text)
    }

    private mutating func add(
        _ value: YAMLValue, _ size: Size, _ anchor: String?, _ event: YAMLEvents.Event
    ) throws(YAMLEvents.Problem) {
        try check(size, event)
        place(value, size, anchor, line: event.line)
    }

    /// Adds to the total size and checks the limits.
    private mutating func check(_ size: Size, _ event: YAMLEvents.Event) throws(YAMLEvents.Problem) {
        total.values += size.values
        total.bytes += size.bytes
        guard open.count + size.depth <= Limit.depth else {
            throw limit(event, "values are nested more than \(Limit.depth) deep", "nest less")
        }
        guard total.values <= Limit.values else {
            throw limit(event, "there are more than \(Limit.values) values", "use fewer aliases, or shorter lists")
        }
        guard total.bytes <= Limit.bytes else {
            throw limit(
                event, "there are more than \(Limit.bytes) bytes of text", "use fewer aliases, or shorter texts")
        }
    }

    private func limit(_ event: YAMLEvents.Event, _ what: String, _ remedy: String) -> YAMLEvents.Problem {
        let text = "\(what), aliases (*name) counted as what they stand for; \(remedy)"
        return YAMLEvents.Problem(line: event.line, column: event.column, text: text, isLimit: true)
    }

    /// Adds a complete value to the innermost list or mapping.
    private mutating func place(_ value: YAMLValue, _ size: Size, _ anchor: String?, line: Int) {
        if let anchor { anchors[anchor] = Named(value: value, size: size) }
        guard !open.isEmpty else {
            (root, self.line) = (value, line)
            return
        }
        let last = open.count - 1
        open[last].size.values += size.values
        open[last].size.bytes += size.bytes
        open[last].size.depth = max(open[last].size.depth, size.depth + 1)
        guard open[last].isMap else { return open[last].items.append(value) }
        guard let key = open[last].key else {
            open[last].key = (keyText(value, line), line)
            return
        }
        if let text = key.text { open[last].pairs.append((text, value, key.line)) }
        open[last].key = nil
    }

    /// The text of a key; nil, with a mistake noted, if it is not text or the mapping has it already.
    private mutating func keyText(_ value: YAMLValue, _ line: Int) -> String? {
        guard case .scalar(let text, _) = value else {
            note(line, "a key must be text, got \(value.excerpt)")
            return nil
        }
        if let first = open[open.count - 1].lines[text] {
            note(line, "duplicate key '\(text.count <= 40 ? text : text.prefix(39) + "…")', first on line \(first)")
            return nil
        }
        open[open.count - 1].lines[text] = line
        return text
    }

    private mutating func note(_ line: Int, _ text: @autoclosure () -> String) {
        // Only the first hundred are shown.
        mistakes.append((line, mistakes.count < 100 ? text() : ""))
    }
}
