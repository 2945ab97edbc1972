/// Reads a pattern in RE2's syntax.
struct RegularExpressionParser {
    indirect enum Tree {
        case empty
        case set(CharacterSet)
        case check(RegularExpression.Assertion)
        case sequence([Tree])
        case choice([Tree])
        case group(Tree, Int)
        case repeated(Tree, least: Int, most: Int?, isLazy: Bool)
    }

    private struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotTakesAll = false
        var isLazy = false
    }

    private(set) var groups = 0
    private let pattern: String
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var flags = Flags()
    private var depth = 0

    init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    private func mistake(_ what: String) -> GraphError { GraphError("the pattern '\(pattern)' is wrong: \(what)") }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[at...].starts(with: wanted) else { return false }
        at += wanted.count
        return true
    }

    mutating func parse() throws -> Tree {
        let tree = try choice()
        guard next == nil else { throw mistake("a ')' closes nothing") }
        return tree
    }

    private mutating func choice() throws -> Tree {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 200 else { throw mistake("its groups are too deep in each other") }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws -> Tree {
        var parts: [Tree] = []
        while let scalar = next, scalar != "|", scalar != ")" { parts.append(try quantified()) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantified() throws -> Tree {
        if let scalar = next, "*+?".unicodeScalars.contains(scalar) { throw mistake("'\(scalar)' repeats nothing") }
        let atom = try atom()
        guard let (least, most) = try quantifier() else { return atom }
        let isLazy = take("?") != flags.isLazy
        let after = at
        guard try quantifier() == nil else {
            at = after
            throw mistake("one repetition follows another")
        }
        return .repeated(atom, least: least, most: most, isLazy: isLazy)
    }

    private mutating func quantifier() throws -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        // A brace that opens no count is itself.
        let start = at
        guard take("{"), let least = number() else {
            at = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else {
            at = start
            return nil
        }
        guard least <= most ?? least, max(least, most ?? 0) <= 1000 else {
            throw mistake("a repetition is at most 1000 times, and from the smaller number to the larger")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value) - 48, 1 << 20)
            at += 1
        }
        return value
    }

    private mutating func atom() throws -> Tree {
        guard let scalar = next else { return .empty }
        at += 1
        switch scalar {
        case "(": return try group()
        case "[": return .set(try characterClass())
        case ".": return .set(flags.dotTakesAll ? .any : CharacterSet(ranges: ["\n"..."\n"]).inverted)
        case "^": return .check(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .check(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try escape()
        default: return .set(literal(scalar))
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> CharacterSet {
        CharacterSet(ranges: [scalar...scalar], ignoresCase: flags.ignoresCase)
    }

    private mutating func group() throws -> Tree {
        let outer = flags
        if take("?") {
            if take("P<") || take("<") {
                guard let end = scalars[at...].firstIndex(of: ">"), end > at else {
                    throw mistake("a group's name is missing")
                }
                at = end + 1
            } else {
                try setFlags()
                // Flags alone hold until the group around ends.
                if take(")") { return .empty }
                guard take(":") else { throw mistake("a group starts with (?, and then something unknown") }
                let tree = try choice()
                guard take(")") else { throw mistake("a ')' is missing") }
                flags = outer
                return tree
            }
        }
        groups += 1
        let number = groups
        let tree = try choice()
        guard take(")") else { throw mistake("a ')' is missing") }
        flags = outer
        return .group(tree, number)
    }

    private mutating func setFlags() throws {
        var value = true
        while let scalar = next, scalar != ")", scalar != ":" {
            at += 1
            switch scalar {
            case "i": flags.ignoresCase = value
            case "m": flags.isMultiline = value
            case "s": flags.dotTakesAll = value
            case "U": flags.isLazy = value
            case "-" where value: value = false
            default: throw mistake("there is no flag '\(scalar)'")
            }
        }
    }

    private mutating func escape() throws -> Tree {
        switch next {
        case "A": at += 1; return .check(.textStart)
        case "z": at += 1; return .check(.textEnd)
        case "b": at += 1; return .check(.wordEdge)
        case "B": at += 1; return .check(.noWordEdge)
        case "C": at += 1; return .set(.any)
        case "Q":
            at += 1
            var parts: [Tree] = []
            while at < scalars.count, !take("\\E") {
                parts.append(.set(literal(scalars[at])))
                at += 1
            }
            return .sequence(parts)
        default: break
        }
        if let set = try classEscape() { return .set(set) }
        return .set(literal(try escapedScalar()))
    }

    /// After a backslash: a class of characters, or nil.
    private mutating func classEscape() throws -> CharacterSet? {
        guard let scalar = next else { throw mistake("a '\\' stands at its end") }
        if let set = CharacterSet.perl[scalar] {
            at += 1
            return set
        }
        if let set = CharacterSet.perl[Unicode.Scalar(scalar.value | 0x20) ?? scalar],
            "DSW".unicodeScalars.contains(scalar)
        {
            at += 1
            return set.inverted
        }
        guard scalar == "p" || scalar == "P" else { return nil }
        at += 1
        var name = ""
        if take("{") {
            guard let end = scalars[at...].firstIndex(of: "}") else { throw mistake("a '}' is missing") }
            name.unicodeScalars += scalars[at..<end]
            at = end + 1
        } else if let letter = next {
            name.unicodeScalars.append(letter)
            at += 1
        }
        let isInverted = name.hasPrefix("^") != (scalar == "P")
        if name.hasPrefix("^") { name.removeFirst() }
        guard let set = CharacterSet(category: name) else { throw mistake("there is no class of characters '\(name)'") }
        return isInverted ? set.inverted : set
    }

    /// After a backslash: a single character.
    private mutating func escapedScalar() throws -> Unicode.Scalar {
        guard let scalar = next else { throw mistake("a '\\' stands at its end") }
        at += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "a": return "\u{07}"
        case "x":
            let isLong = take("{")
            let start = at
            while let digit = next, digit.properties.isASCIIHexDigit, isLong || at - start < 2 { at += 1 }
            let digits = String(String.UnicodeScalarView(scalars[start..<at]))
            guard isLong ? at > start && take("}") : at - start == 2, let value = UInt32(digits, radix: 16),
                let result = Unicode.Scalar(value)
            else { throw mistake("\\x must name a character by its number") }
            return result
        case "0"..."7":
            // \1 to \7 alone would be references to groups, which RE2 has not.
            let start = at - 1
            while let digit = next, ("0"..."7").contains(digit), at - start < 3 { at += 1 }
            let digits = String(String.UnicodeScalarView(scalars[start..<at]))
            guard scalar == "0" || digits.count > 1, let value = UInt32(digits, radix: 8),
                let result = Unicode.Scalar(value)
            else { throw mistake("'\\\(scalar)' is unknown") }
            return result
        default:
            guard scalar.value < 0x80, !CharacterSet.isWord(scalar) || scalar == "_" else {
                throw mistake("'\\\(scalar)' is unknown")
            }
            return scalar
        }
    }

    private mutating func characterClass() throws -> CharacterSet {
        let isInverted = take("^")
        var set = CharacterSet(ranges: [], ignoresCase: flags.ignoresCase)
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if take("[:") {
                let isOpposite = take("^")
                guard let end = scalars[at...].firstIndex(of: ":"), scalars[end...].starts(with: ":]".unicodeScalars),
                    let named = CharacterSet.posix[String(String.UnicodeScalarView(scalars[at..<end]))]
                else { throw mistake("there is no such class within [: and :]") }
                at = end + 2
                set.parts.append(isOpposite ? named.inverted : named)
                continue
            }
            if take("\\") {
                if let named = try classEscape() {
                    set.parts.append(named)
                    continue
                }
                at -= 1
            }
            let low = try classScalar()
            var high = low
            if next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" {
                at += 1
                high = try classScalar()
            }
            guard low <= high else { throw mistake("the range '\(low)-\(high)' is empty") }
            set.ranges.append(low...high)
        }
        guard take("]") else { throw mistake("a ']' is missing") }
        return isInverted ? set.inverted : set
    }

    private mutating func classScalar() throws -> Unicode.Scalar {
        guard let scalar = next else { throw mistake("a ']' is missing") }
        at += 1
        return scalar == "\\" ? try escapedScalar() : scalar
    }
}
