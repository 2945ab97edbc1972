import Foundation

/// A YAML value of any type, such as that of a key that only a program's own kind of model has.
public enum ConfigValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case list([ConfigValue])
    case map([String: ConfigValue])
}

extension ConfigValue {
    /// The value of a scalar without quotes, by YAML 1.2's core schema: `null`, `true`, `false`, a number, else text.
    init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default:
            let isNumeric = text.utf8.count < 400 && text.utf8.allSatisfy { Self.numeric.contains($0) }
            if isNumeric, let number = Int(text) {
                self = .int(number)
            } else if isNumeric, let number = Double(text), number.isFinite {
                self = .double(number)
            } else {
                self = .string(text)
            }
        }
    }

    private static let numeric = Set("0123456789+-.eE".utf8)

    /// The number, if the value is one.
    public var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// The value as YAML on one line.
    var yaml: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .string(let text): Self.scalar(text)
        case .list(let items): "[" + items.map(\.yaml).joined(separator: ", ") + "]"
        case .map(let pairs):
            "{" + pairs.sorted { $0.key < $1.key }.map { "\(Self.scalar($0)): \($1.yaml)" }.joined(separator: ", ")
                + "}"
        }
    }

    /// Text as a scalar, without quotes if every YAML reader takes it as text then.
    static func scalar(_ text: String) -> String {
        let words: Set = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        let isPlain =
            text.utf8.first.map { ("a"..."z").contains(Character(UnicodeScalar($0))) || $0 == UInt8(ascii: "/") }
            ?? false
            && text.utf8.allSatisfy { isWordByte($0) } && !words.contains(text.lowercased())
        return isPlain ? text : quoted(text)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "/"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// Text in double quotes. Characters are escaped unless they are printable ASCII or letters.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\u{20}"..."\u{7E}": result.unicodeScalars.append(scalar)
            case _ where scalar.properties.isAlphabetic: result.unicodeScalars.append(scalar)
            default: result += "\\U" + String(format: "%08X", scalar.value)
            }
        }
        return result + "\""
    }
}

// For `config.model.options["sizes"] = [8, 4]`.
extension ConfigValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: ConfigValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, ConfigValue)...) {
        self = .map(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}
