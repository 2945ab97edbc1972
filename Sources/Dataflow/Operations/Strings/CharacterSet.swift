/// A set of characters.
struct CharacterSet {
    var ranges: [ClosedRange<Unicode.Scalar>]
    /// Sets that belong to it too.
    var parts: [CharacterSet] = []
    private var categories: [Unicode.GeneralCategory] = []
    private let ignoresCase: Bool
    private var isInverted = false

    init(ranges: [ClosedRange<Unicode.Scalar>], ignoresCase: Bool = false) {
        self.ranges = ranges
        self.ignoresCase = ignoresCase
    }

    /// A general category of Unicode: "L", "Lu", "Nd", …; nil if there is none of this name.
    init?(category: String) {
        if category == "Any" {
            self = .any
            return
        }
        self.init(ranges: [])
        categories = CharacterSet.categoryNames.filter { $0.key.hasPrefix(category) }.map(\.value)
        if category.isEmpty || categories.isEmpty { return nil }
    }

    var inverted: CharacterSet {
        var set = self
        set.isInverted.toggle()
        return set
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var isIn = holds(scalar)
        if !isIn, ignoresCase {
            isIn = variants(scalar.properties.lowercaseMapping) || variants(scalar.properties.uppercaseMapping)
        }
        return isIn != isInverted
    }

    private func variants(_ mapping: String) -> Bool {
        let scalars = mapping.unicodeScalars
        return scalars.count == 1 && holds(scalars.first!)
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar) } || parts.contains { $0.contains(scalar) }
            || (!categories.isEmpty && categories.contains(scalar.properties.generalCategory))
    }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z", "_": true
        default: false
        }
    }

    static let any = CharacterSet(ranges: ["\0"..."\u{10FFFF}"])

    /// By the letter after the backslash.
    static let perl: [Unicode.Scalar: CharacterSet] = [
        "d": CharacterSet(ranges: ["0"..."9"]),
        "s": CharacterSet(ranges: ["\t"..."\n", "\u{0C}"..."\r", " "..." "]),
        "w": CharacterSet(ranges: ["0"..."9", "A"..."Z", "_"..."_", "a"..."z"]),
    ]

    /// By the name within [: and :].
    static let posix: [String: CharacterSet] = [
        "alnum": CharacterSet(ranges: ["0"..."9", "A"..."Z", "a"..."z"]),
        "alpha": CharacterSet(ranges: ["A"..."Z", "a"..."z"]), "ascii": CharacterSet(ranges: ["\0"..."\u{7F}"]),
        "blank": CharacterSet(ranges: ["\t"..."\t", " "..." "]),
        "cntrl": CharacterSet(ranges: ["\0"..."\u{1F}", "\u{7F}"..."\u{7F}"]),
        "digit": CharacterSet(ranges: ["0"..."9"]),
        "graph": CharacterSet(ranges: ["!"..."~"]), "lower": CharacterSet(ranges: ["a"..."z"]),
        "print": CharacterSet(ranges: [" "..."~"]),
        "punct": CharacterSet(ranges: ["!"..."/", ":"..."@", "["..."`", "{"..."~"]),
        "space": CharacterSet(ranges: ["\t"..."\r", " "..." "]), "upper": CharacterSet(ranges: ["A"..."Z"]),
        "word": CharacterSet(ranges: ["0"..."9", "A"..."Z", "_"..."_", "a"..."z"]),
        "xdigit": CharacterSet(ranges: ["0"..."9", "A"..."F", "a"..."f"]),
    ]

    private static let categoryNames: [String: Unicode.GeneralCategory] = [
        "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter, "Lm": .modifierLetter,
        "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark, "Me": .enclosingMark, "Nd": .decimalNumber,
        "Nl": .letterNumber, "No": .otherNumber, "Pc": .connectorPunctuation, "Pd": .dashPunctuation,
        "Ps": .openPunctuation, "Pe": .closePunctuation, "Pi": .initialPunctuation, "Pf": .finalPunctuation,
        "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol, "So": .otherSymbol,
        "Zs": .spaceSeparator, "Zl": .lineSeparator, "Zp": .paragraphSeparator, "Cc": .control, "Cf": .format,
        "Co": .privateUse, "Cs": .surrogate,
    ]
}
