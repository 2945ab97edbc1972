/// A regular expression in RE2's syntax (github.com/google/re2/wiki/Syntax), matched in time that grows with the text's length
/// alone: all alternatives at once (Pike's machine; Cox, "Regular expression matching: the virtual machine approach", 2009).
/// The leftmost match counts, and of those the one that earlier alternatives give. Scripts (`\p{Greek}`) are not known.
struct RegularExpression {
    enum Instruction {
        case set(CharacterSet)
        /// Two ways, the first preferred.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case check(Assertion)
        case match
    }

    enum Assertion { case textStart, textEnd, lineStart, lineEnd, wordEdge, noWordEdge }

    /// Characters and the bytes that they start at.
    struct Text {
        let scalars: [Unicode.Scalar]
        let offsets: [Int]
        let bytes: [UInt8]

        /// Bytes that are no UTF-8 count as U+FFFD.
        init(_ bytes: [UInt8]) {
            var (scalars, offsets, at): ([Unicode.Scalar], [Int], Int) = ([], [], 0)
            while at < bytes.count {
                offsets.append(at)
                let (scalar, length) = Text.scalar(bytes[at...])
                scalars.append(scalar)
                at += length
            }
            (self.scalars, self.offsets, self.bytes) = (scalars, offsets + [at], bytes)
        }

        private static func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int) {
            let first = bytes[bytes.startIndex]
            if first < 0x80 { return (Unicode.Scalar(first), 1) }
            var decoder = UTF8()
            var iterator = bytes.prefix(4).makeIterator()
            guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return ("\u{FFFD}", 1) }
            return (scalar, UTF8.width(scalar))
        }
    }

    let groups: Int
    private let program: [Instruction]

    /// - Throws: `GraphError` that says what is wrong with the pattern.
    init(_ pattern: String) throws {
        var parser = RegularExpressionParser(pattern)
        let tree = try parser.parse()
        groups = parser.groups
        var compiler = RegularExpressionCompiler(pattern: pattern)
        try compiler.emit(.group(tree, 0))
        try compiler.append(.match)
        program = compiler.program
    }

    /// Whether the whole text is a match.
    func matchesAll(of bytes: [UInt8]) -> Bool {
        find(in: Text(bytes), from: 0, isWhole: true) != nil
    }

    /// The text with the first match, or all, replaced by `rewrite`, in which \1 is the first group and \0 the match. A rewrite
    /// that names a group that is not there changes nothing.
    func replacing(in bytes: [UInt8], with rewrite: [UInt8], isGlobal: Bool) -> [UInt8] {
        guard let pieces = rewritePieces(rewrite) else { return bytes }
        let text = Text(bytes)
        var (result, at, lastEnd, end): ([UInt8], Int, Int, Int) = ([], 0, -1, text.scalars.count)
        func copy(_ range: Range<Int>) {
            result += bytes[text.offsets[range.lowerBound]..<text.offsets[range.upperBound]]
        }
        while at <= end, let found = find(in: text, from: at) {
            let (start, stop) = (found[0], found[1])
            copy(at..<start)
            if start == lastEnd, start == stop {
                // No empty match where the last one ended.
                if start < end { copy(start..<start + 1) }
                at = start + 1
                continue
            }
            for piece in pieces {
                switch piece {
                case .text(let bytes): result += bytes
                case .group(let i):
                    if found[2 * i] >= 0, found[2 * i + 1] >= 0 { copy(found[2 * i]..<found[2 * i + 1]) }
                }
            }
            (at, lastEnd) = (stop, stop)
            if !isGlobal { break }
        }
        end = max(at, 0)
        if end < text.scalars.count { copy(end..<text.scalars.count) }
        return result
    }

    private enum Piece {
        case text([UInt8])
        case group(Int)
    }

    private func rewritePieces(_ rewrite: [UInt8]) -> [Piece]? {
        var (pieces, rest): ([Piece], ArraySlice<UInt8>) = ([], rewrite[...])
        while let byte = rest.popFirst() {
            guard byte == 0x5C else {
                pieces.append(.text([byte]))
                continue
            }
            guard let next = rest.popFirst() else { return nil }
            if next == 0x5C {
                pieces.append(.text([0x5C]))
            } else {
                guard (0x30...0x39).contains(next), Int(next) - 0x30 <= groups else { return nil }
                pieces.append(.group(Int(next) - 0x30))
            }
        }
        return pieces
    }

    // MARK: Matching

    private struct Thread {
        let at: Int
        let captures: [Int]
    }

    /// Where the match and its groups start and end, −1 where a group is not in it; nil if there is none.
    private func find(in text: Text, from start: Int, isWhole: Bool = false) -> [Int]? {
        var (threads, best): ([Thread], [Int]?) = ([], nil)
        var marks = [Int](repeating: -1, count: program.count)
        let none = [Int](repeating: -1, count: 2 * (groups + 1))
        for position in start...max(text.scalars.count, start) {
            // A match further left is better than any that starts here.
            if best == nil, !isWhole || position == start {
                add(Thread(at: 0, captures: none), text, position, &threads, &marks)
            }
            var next: [Thread] = []
            let scalar = position < text.scalars.count ? text.scalars[position] : nil
            loop: for thread in threads {
                switch program[thread.at] {
                case .match:
                    if isWhole, scalar != nil { continue loop }
                    best = thread.captures
                    // What comes after is less preferred.
                    break loop
                case .set(let set):
                    if let scalar, set.contains(scalar) {
                        add(Thread(at: thread.at + 1, captures: thread.captures), text, position + 1, &next, &marks)
                    }
                case .split, .jump, .save, .check: break
                }
            }
            threads = next
            if threads.isEmpty, best != nil || isWhole { break }
        }
        return best
    }

    /// Follows what takes no character, in the order of preference. Each instruction is reached once at a position.
    private func add(
        _ thread: Thread, _ text: Text, _ position: Int, _ threads: inout [Thread], _ marks: inout [Int]
    ) {
        var stack = [thread]
        while let thread = stack.popLast() {
            if marks[thread.at] == position { continue }
            marks[thread.at] = position
            switch program[thread.at] {
            case .jump(let target): stack.append(Thread(at: target, captures: thread.captures))
            case .split(let first, let second):
                stack.append(Thread(at: second, captures: thread.captures))
                stack.append(Thread(at: first, captures: thread.captures))
            case .save(let slot):
                var captures = thread.captures
                captures[slot] = position
                stack.append(Thread(at: thread.at + 1, captures: captures))
            case .check(let assertion):
                if holds(assertion, text, position) {
                    stack.append(Thread(at: thread.at + 1, captures: thread.captures))
                }
            case .set, .match: threads.append(thread)
            }
        }
    }

    private func holds(_ assertion: Assertion, _ text: Text, _ position: Int) -> Bool {
        func isWord(_ i: Int) -> Bool { text.scalars.indices.contains(i) && CharacterSet.isWord(text.scalars[i]) }
        switch assertion {
        case .textStart: return position == 0
        case .textEnd: return position == text.scalars.count
        case .lineStart: return position == 0 || text.scalars[position - 1] == "\n"
        case .lineEnd: return position == text.scalars.count || text.scalars[position] == "\n"
        case .wordEdge: return isWord(position - 1) != isWord(position)
        case .noWordEdge: return isWord(position - 1) == isWord(position)
        }
    }
}

/// Makes a program of a parsed pattern.
private struct RegularExpressionCompiler {
    let pattern: String
    var program: [RegularExpression.Instruction] = []

    /// Instructions of the largest program.
    private static let limit = 1 << 16

    mutating func append(_ instruction: RegularExpression.Instruction) throws {
        guard program.count < Self.limit else { throw GraphError("the pattern '\(pattern)' is too large") }
        program.append(instruction)
    }

    mutating func emit(_ tree: RegularExpressionParser.Tree) throws {
        switch tree {
        case .empty: break
        case .set(let set): try append(.set(set))
        case .check(let assertion): try append(.check(assertion))
        case .sequence(let parts): for part in parts { try emit(part) }
        case .group(let part, let number):
            try append(.save(2 * number))
            try emit(part)
            try append(.save(2 * number + 1))
        case .choice(let parts):
            var ends: [Int] = []
            for (i, part) in parts.enumerated() {
                let split = program.count
                if i < parts.count - 1 { try append(.split(split + 1, 0)) }
                try emit(part)
                if i < parts.count - 1 {
                    ends.append(program.count)
                    try append(.jump(0))
                    program[split] = .split(split + 1, program.count)
                }
            }
            for end in ends { program[end] = .jump(program.count) }
        case .repeated(let part, let least, let most, let isLazy):
            for _ in 0..<least {
                let before = program.count
                try emit(part)
                // Nothing is nothing however often.
                if program.count == before { break }
            }
            guard let most else {
                let split = program.count
                try append(.split(0, 0))
                try emit(part)
                try append(.jump(split))
                program[split] = isLazy ? .split(program.count, split + 1) : .split(split + 1, program.count)
                return
            }
            var splits: [Int] = []
            for _ in least..<most {
                splits.append(program.count)
                try append(.split(0, 0))
                try emit(part)
            }
            for split in splits {
                program[split] = isLazy ? .split(program.count, split + 1) : .split(split + 1, program.count)
            }
        }
    }
}
