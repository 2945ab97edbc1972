/// Where a key stands a second time in one mapping: Yams tells only where the first one is.
struct DuplicateKey {
    private(set) var line: Int
    private let offset: Int
    private let name: [UnicodeScalar]

    /// Finds the next `name:` after the first, in the same mapping: at the same column in block style, at the same
    /// depth of brackets in flow style. Nil where it is written in some rarer way.
    init?(_ name: String, first: (line: Int, column: Int), in text: String) {
        let scalars = Array(text.unicodeScalars)
        self.name = Array(name.unicodeScalars)
        guard !self.name.isEmpty else { return nil }
        var lineStart = 0
        line = 1
        for (index, scalar) in scalars.enumerated() where scalar == "\n" && line < first.line {
            (line, lineStart) = (line + 1, index + 1)
        }
        // The walk begins behind the first letter of the first key; columns count from 1.
        let start = lineStart + first.column
        var column = first.column
        var depth = 0
        var quote: UnicodeScalar?
        var isComment = false
        var lastSolid: UnicodeScalar = " "
        for index in start..<max(start, scalars.count) {
            let scalar = scalars[index], before = scalars[index - 1]
            column += 1
            if scalar == "\n" { (line, column, isComment) = (line + 1, 0, false) }
            if isComment { continue }
            if let open = quote {
                if scalar == open { quote = nil }
                continue
            }
            let isItem = lastSolid == "," || lastSolid == "{"
            let isLine = column == first.column && scalars[(index - column + 1)..<index].allSatisfy { $0 == " " }
            if depth == 0, isItem || isLine, let found = Self.match(self.name, at: index, in: scalars) {
                offset = found
                return
            }
            switch scalar {
            case "#" where before == " " || before == "\n":
                isComment = true
                continue
            case "\"" where " {[,\n".unicodeScalars.contains(before): quote = scalar
            case "'" where " {[,\n".unicodeScalars.contains(before): quote = scalar
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            default: break
            }
            if depth < 0 { return nil }
            if scalar != " ", scalar != "\n" { lastSolid = scalar }
        }
        return nil
    }

    /// Gives the second key another name, of the same length, that no one else uses.
    func mask(number: Int, in text: inout String) -> String {
        let stand = UnicodeScalar(0xE000 + UInt32(number))!
        var scalars = Array(text.unicodeScalars)
        scalars[offset] = stand
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        text = String(view)
        var masked = String.UnicodeScalarView([stand])
        masked.append(contentsOf: name.dropFirst())
        return String(masked)
    }

    /// Where the name begins if `name :`, in quotes or without, stands at `index`.
    private static func match(_ name: [UnicodeScalar], at index: Int, in scalars: [UnicodeScalar]) -> Int? {
        let isQuoted = scalars[index] == "\"" || scalars[index] == "'"
        let start = isQuoted ? index + 1 : index
        var end = start + name.count
        guard end < scalars.count, scalars[start..<end].elementsEqual(name) else { return nil }
        if isQuoted { end += 1 }
        while end < scalars.count, scalars[end] == " " { end += 1 }
        return end < scalars.count && scalars[end] == ":" ? start : nil
    }
}
