/// A named dimension: a letter of the equation, or one of those that "..." stands for, counted from the last.
enum EinsumLabel: Hashable {
    case letter(Character)
    case ellipsis(Int)
}

/// The dimensions of an operand as an equation writes them: letters, and "..." before one of them or at the end.
struct EinsumLabels: Equatable, CustomStringConvertible {
    var labels: [Character]
    /// Before how many letters "..." stands after; nil if it does not occur.
    var ellipsis: Int?

    var hasEllipsis: Bool { ellipsis != nil }

    /// Each letter once, "..." in front.
    var distinct: EinsumLabels {
        var seen: Set<Character> = []
        return EinsumLabels(labels: labels.filter { seen.insert($0).inserted }, ellipsis: hasEllipsis ? 0 : nil)
    }

    var description: String {
        guard let ellipsis else { return String(labels) }
        return String(labels[..<ellipsis]) + "..." + String(labels[ellipsis...])
    }
}

/// A parsed equation of `Einsum`.
struct EinsumEquation {
    let inputs: [EinsumLabels]
    let output: EinsumLabels

    init(_ text: String, inputs count: Int) throws {
        let mistake = { (reason: String) in GraphError("the equation '\(text)' \(reason)") }
        let sides = text.filter { $0 != " " }.split(separator: ">", omittingEmptySubsequences: false)
        guard sides.count == 2, sides[0].last == "-" else { throw mistake("must have one '->'") }
        inputs = try sides[0].dropLast().split(separator: ",", omittingEmptySubsequences: false).map {
            try Self.labels($0, mistake)
        }
        output = try Self.labels(sides[1], mistake)
        guard inputs.count == count, count == 1 || count == 2 else {
            throw mistake("has \(inputs.count) operands, got \(count) inputs; one or two are possible")
        }
        let known = Set(inputs.flatMap(\.labels))
        if let stranger = output.labels.first(where: { !known.contains($0) }) {
            throw mistake("has '\(stranger)' in its result, which no operand has")
        }
        if output.hasEllipsis, !inputs.contains(where: \.hasEllipsis) {
            throw mistake("has '...' in its result, which no operand has")
        }
    }

    private static func labels(_ text: Substring, _ mistake: (String) -> GraphError) throws -> EinsumLabels {
        let parts = text.split(separator: "...", omittingEmptySubsequences: false)
        let letters = Array(parts.joined())
        guard parts.count <= 2, letters.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            throw mistake("may hold letters and one '...' for each operand")
        }
        return EinsumLabels(labels: letters, ellipsis: parts.count == 2 ? parts[0].count : nil)
    }

    /// The labels with the `width` that "..." stands for.
    func spread(_ side: EinsumLabels, _ width: Int) -> [EinsumLabel] {
        let letters = side.labels.map { EinsumLabel.letter($0) }
        guard let place = side.ellipsis else { return letters }
        return letters[..<place] + (0..<width).reversed().map { .ellipsis($0) } + letters[place...]
    }

    /// The extent of each label (nil where unknown) and how many dimensions "..." stands for; nil without all ranks.
    /// - Throws: `GraphError` where the shapes do not fit the equation or each other.
    func extents(_ shapes: [Shape]) throws -> (of: [EinsumLabel: Int?], ellipsis: Int)? {
        guard shapes.allSatisfy({ $0.rank != nil }) else { return nil }
        var result: [EinsumLabel: Shape] = [:]
        var width = 0
        for (side, shape) in zip(inputs, shapes) {
            let own = (shape.rank ?? 0) - side.labels.count
            guard side.hasEllipsis ? own >= 0 : own == 0 else {
                throw GraphError("the shape \(shape) does not fit '\(side)' of the equation")
            }
            width = max(width, own)
            for (i, label) in spread(side, own).enumerated() {
                let extent = Shape([shape[i]])
                guard let before = result[label] else {
                    result[label] = extent
                    continue
                }
                let both =
                    if case .ellipsis = label { before.broadcast(with: extent) } else { before.merged(with: extent) }
                guard let both else {
                    throw GraphError(
                        "the shapes \(shapes.map { "\($0)" }.joined(separator: " and ")) give one label of the equation two"
                            + " extents: \(before) and \(extent)")
                }
                result[label] = both
            }
        }
        return (result.mapValues { $0[0] }, width)
    }
}
