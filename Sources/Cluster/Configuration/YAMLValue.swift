/// A value as the YAML has it, scalars still with the text as written: `007` may be a number or a token.
enum YAMLValue: Sendable {
    /// An entry of a mapping, and the line of its key.
    typealias Pair = (key: String, value: YAMLValue, line: Int)

    case scalar(String, isPlain: Bool)
    case list([YAMLValue])
    /// Each key once.
    case map([Pair])

    /// The typed value.
    var resolved: ConfigValue {
        switch self {
        case .scalar(let text, isPlain: true): ConfigValue(plain: text)
        case .scalar(let text, isPlain: false): .string(text)
        case .list(let items): .list(items.map(\.resolved))
        case .map(let pairs): .map(Dictionary(pairs.map { ($0.key, $0.value.resolved) }) { first, _ in first })
        }
    }

    /// The text of a scalar, nil for nothing, lists and mappings.
    var text: String? {
        guard case .scalar(let text, _) = self, resolved != .null else { return nil }
        return text
    }

    /// What a message shows of the value: 40 characters at most.
    var excerpt: String {
        let shown: String
        switch self {
        case .scalar(let text, _):
            switch resolved {
            case .null: return "nothing"
            case .string: shown = ConfigValue.quoted(String(text.prefix(41)))
            default: shown = text
            }
        case .list, .map: shown = resolved.yaml
        }
        return shown.count <= 40 ? shown : shown.prefix(39) + "…"
    }
}
