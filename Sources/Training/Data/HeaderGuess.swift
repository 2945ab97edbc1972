/// Decides whether the first line of a table names its columns: it does if it differs in kind from the lines below.
struct HeaderGuess {
    /// What a column is taken for.
    enum Use { case number, category, target, classes, skipped }

    fileprivate enum Kind { case missing, whole, fraction, text }

    /// A column: its cell in the first line, and what stands below.
    struct Column {
        let use: Use
        private let text: String
        private let isQuoted: Bool
        fileprivate let kind: Kind
        /// The cell is a value that the column is known to have.
        private let isKnown: Bool
        private var wholes = 0
        private var fractions = 0
        private var texts = 0
        private var quoted = 0
        /// How often each text comes, of labels and categories.
        private var counts: [String: Int] = [:]

        init(_ use: Use, first text: String, isQuoted: Bool, isKnown: Bool = false) {
            self.use = use
            self.text = text
            self.isQuoted = isQuoted
            self.isKnown = isKnown
            kind = Self.kind(text, use)
        }

        /// Takes in the column's cell of a line below.
        mutating func add(_ text: String, isQuoted: Bool) {
            switch Self.kind(text, use) {
            case .missing: return
            case .whole: wholes += 1
            case .fraction: fractions += 1
            case .text: texts += 1
            }
            if isQuoted { quoted += 1 }
            if use == .classes || use == .category { counts[text, default: 0] += 1 }
        }

        private static func kind(_ text: String, _ use: Use) -> Kind {
            if CSVCells.isMissing(text.utf8, inAnyCase: use == .number || use == .target) { return .missing }
            if text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) { return .whole }
            return CSVCells.isNumber(text) ? .fraction : .text
        }

        private var numbers: Int { wholes + fractions }
        fileprivate var isNumeric: Bool { use == .number || use == .target }

        /// Text stands over numbers.
        fileprivate var isTextOverNumbers: Bool {
            guard use != .skipped, kind == .text, !isKnown, numbers > 0 else { return false }
            return use == .number ? numbers > texts : texts == 0
        }

        /// A number in quotes stands over numbers without.
        fileprivate var isQuotedOverPlain: Bool { isQuoted && numbers > 0 && texts == 0 && quoted == 0 }

        /// The cell is in quotes, or says nothing.
        fileprivate var allowsQuotedHeader: Bool { isQuoted || kind == .missing || use == .skipped }

        /// A whole number stands over numbers that all have a fraction or a sign: how many these are.
        fileprivate var fractionsBelowWhole: Int {
            isNumeric && kind == .whole && wholes == 0 && texts == 0 ? fractions : 0
        }

        /// A class that no other line has, over classes that all come more than once.
        fileprivate var isLoneClass: Bool {
            use == .classes && kind == .text && texts >= HeaderGuess.fewestLines && counts[text] == nil
                && counts.values.allSatisfy { $0 > 1 }
        }

        /// Text that the column has nowhere else.
        fileprivate var isLoneText: Bool {
            use == .skipped || kind == .missing || kind == .text && !isKnown && counts[text] == nil
        }

        fileprivate var name: String { text }
    }

    /// Finer signs than text over numbers want so many lines below.
    static let fewestLines = 8

    /// The first line is a header.
    let isHeader: Bool
    /// It is one although some of its cells are numbers.
    let isSurprising: Bool

    /// - Parameter lines: how many of those below the columns have seen.
    init(_ columns: [Column], lines: Int) {
        isHeader = Self.decide(columns, lines: lines)
        isSurprising = isHeader && columns.contains { $0.kind == .whole || $0.kind == .fraction }
    }

    private static func decide(_ columns: [Column], lines: Int) -> Bool {
        let numeric = columns.filter(\.isNumeric)
        if columns.contains(where: \.isTextOverNumbers) { return true }
        if lines == 0, numeric.contains(where: { $0.use == .number }) {
            return numeric.allSatisfy { $0.use != .number || $0.kind == .text }
        }
        if numeric.isEmpty {
            return columns.allSatisfy(\.isLoneText) && columns.contains { $0.use != .skipped && $0.kind == .text }
        }
        if columns.allSatisfy(\.allowsQuotedHeader),
            numeric.allSatisfy({ $0.kind == .missing || $0.isQuotedOverPlain })
        {
            return true
        }
        // Names of columns come once each, and have neither sign nor fraction.
        guard lines >= fewestLines, Set(columns.map(\.name)).count == columns.count,
            numeric.allSatisfy({ $0.kind == .whole || $0.kind == .missing })
        else { return false }
        // One column may hold a whole number first by chance.
        let fractions = numeric.map(\.fractionsBelowWhole).filter { $0 >= fewestLines }
        return fractions.count > 1 && fractions.reduce(0, +) >= 4 * fewestLines
            || columns.contains(where: \.isLoneClass)
    }
}
