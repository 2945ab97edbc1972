/// Text for terminals and logs in which characters that a terminal obeys are written out: "\x1b", "\u202e".
///
/// Names and messages come from files, from the configuration and from peers. Printed as they are, they could move the cursor,
/// rename the window, answer for the user, or turn the order of the letters round.
package enum TerminalText {
    /// The text without control characters; its line ends and tabs stay. For what has lines of our own.
    package static func escaped(_ text: String) -> String { escaped(text, keepsLines: true) }

    /// The same with line ends written out too. For what came from outside and stands within a line of ours, which could
    /// otherwise forge the next.
    package static func line(_ text: String) -> String { escaped(text, keepsLines: false) }

    /// The same for bytes that may be no UTF-8: those that are none are written out.
    package static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        if let text = String(validating: bytes, as: UTF8.self) { return Array(escaped(text).utf8) }
        var result: [UInt8] = []
        var parser = UTF8.ForwardParser()
        var input = bytes.makeIterator()
        var at = 0
        while true {
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                result += escaped(String(Character(UTF8.decode(encoded)))).utf8
                at += encoded.count
            case .error(let length):
                for byte in bytes[at..<at + length] { result += written(Unicode.Scalar(byte)).utf8 }
                at += length
            case .emptyInput: return result
            }
        }
    }

    /// JSON whose strings hold none of these characters, with the same meaning: what is not ASCII stands in strings only.
    package static func escaped(json: String) -> String {
        guard json.unicodeScalars.contains(where: isObeyed) else { return json }
        var result = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            guard isObeyed(scalar), scalar.value >= 0x20 else {
                result.append(scalar)
                continue
            }
            for unit in UTF16.encode(scalar)! {
                let digits = String(unit, radix: 16)
                result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars
            }
        }
        return String(result)
    }

    private static func escaped(_ text: String, keepsLines: Bool) -> String {
        func stays(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "\t" || keepsLines && scalar == "\n" || !isObeyed(scalar)
        }
        guard !text.unicodeScalars.allSatisfy(stays) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if stays(scalar) { result.append(scalar) } else { result += written(scalar).unicodeScalars }
        }
        return String(result)
    }

    private static func written(_ scalar: Unicode.Scalar) -> String {
        if scalar == "\n" { return "\\n" }
        let digits = String(scalar.value, radix: 16)
        switch scalar.value {
        case ..<0x100: return "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
        case ..<0x10000: return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return "\\u{\(digits)}"
        }
    }

    /// Whether a terminal, or what shows text, does something else with it than to show a character: controls (C0, DEL, C1),
    /// separators of lines and paragraphs, and formats such as bidirectional overrides. Not the joiners that scripts and
    /// emoji need.
    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value < 0x20 }
        if scalar.value < 0xA0 { return true }
        switch scalar.properties.generalCategory {
        case .lineSeparator, .paragraphSeparator: return true
        case .format: return ![0xAD, 0x200C, 0x200D].contains(scalar.value)
        default: return false
        }
    }
}
