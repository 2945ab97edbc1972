internal import Yams

/// A value as the YAML has it, scalars still with the text as written: `007` may be a number or a token.
enum YAMLValue: Sendable {
    case scalar(String, isPlain: Bool)
    case list([YAMLValue])
    case map([(key: String, value: YAMLValue)])

    /// The node's value; keys in `skipped` (second occurrences, reported before) are left out.
    init(_ node: Node, skipping skipped: Set<String>) {
        switch node {
        case .scalar(let scalar):
            self = .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any)
        case .sequence(let items):
            self = .list(items.map { YAMLValue($0, skipping: skipped) })
        case .mapping(let pairs):
            self = .map(
                pairs.compactMap { key, value in
                    let name = key.scalar?.string ?? YAMLValue(key, skipping: skipped).resolved.yaml
                    return skipped.contains(name) ? nil : (name, YAMLValue(value, skipping: skipped))
                })
        case .alias: self = .scalar("", isPlain: true)
        }
    }

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
