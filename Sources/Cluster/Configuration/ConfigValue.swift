import Foundation

/// A YAML value of any kind, e.g. of a key that only a program's own model knows.
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
    /// What a plain scalar means in YAML 1.2's core schema: `null`, `true`, `false`, a number, else text.
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

    /// The number, whole or not.
    public var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// The value on one line, as YAML reads it back.
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

    /// Text without quotes only where no reader of YAML could take it for anything else.
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

    /// Text in double quotes; what is not printable ASCII is escaped, save letters of other scripts.
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

// What a program writes: `config.model.options["sizes"] = [8, 4]`.
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
