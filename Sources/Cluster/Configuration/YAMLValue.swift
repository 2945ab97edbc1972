/// A YAML value. Scalars keep their text, because `007` may be a number or a token.
enum YAMLValue: Sendable {
    /// An entry of a mapping, with the line of its key.
    typealias Pair = (key: String, value: YAMLValue, line: Int)

    case scalar(String, isPlain: Bool)
    case list([YAMLValue])
    /// Each key once.
    case map([Pair])

    /// A value as `ConfigValue.yaml` writes it.
    init(_ value: ConfigValue) {
        switch value {
        case .null, .bool, .int, .double: self = .scalar(value.yaml, isPlain: true)
        case .string(let text): self = .scalar(text, isPlain: false)
        case .list(let items): self = .list(items.map { YAMLValue($0) })
        case .map(let pairs):
            self = .map(pairs.sorted { $0.key < $1.key }.map { ($0.key, YAMLValue($0.value), 0) })
        }
    }

    /// Whether all numbers in it are finite.
    var hasOnlyNumbers: Bool {
        switch self {
        case .scalar(let text, isPlain: true): !["nan", "inf", "-inf"].contains(text)
        case .scalar: true
        case .list(let items): items.allSatisfy(\.hasOnlyNumbers)
        case .map(let pairs): pairs.allSatisfy(\.value.hasOnlyNumbers)
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

    /// The text of a scalar; nil for null, lists and mappings.
    var text: String? {
        guard case .scalar(let text, _) = self, resolved != .null else { return nil }
        return text
    }

    /// The value in messages: at most 40 characters.
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
