import Cluster

/// The numbers of messages that were sent at an edge: which there are, and which of them were reached.
enum Reach {
    /// By the direction: what a node asks, what a coordinator answers, what a server runs, and data both ways.
    static let all: [String] =
        asked.values.sorted().map { "asked \($0)" } + answered.values.sorted().map { "answered \($0)" }
        + program.values.sorted().map { "program \($0)" }
        + DataEdge.allCases.flatMap { ["pushed DataHeader.\($0)", "returned DataHeader.\($0)"] }
        + RegionEdge.allCases.map { "offered RegionOffer.\($0)" }
    static let asked = FieldWalk.names(WireRequest.self)
    static let answered = FieldWalk.names(WireReply.self)
    static let program = FieldWalk.names(WireServerProgram.self)
    static let numbers = Dictionary(all.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })

    /// - Parameter counts: by the number of the field.
    static func text(_ counts: [Int]) -> String {
        let reached = zip(all, counts).filter { $1 > 0 }.map { "\($0) \($1)" }
        let missed = zip(all, counts).filter { $1 == 0 }.map(\.0)
        return "\(reached.count) of \(all.count) fields were sent with numbers at the edges, so many times: "
            + reached.joined(separator: ", ") + "\nnot reached: "
            + (missed.isEmpty ? "none" : missed.joined(separator: ", "))
    }
}

/// A number of a data message's header.
enum DataEdge: CaseIterable {
    case step, batch, clock, incarnation, worker, bundle, examples, sequence

    func set(_ header: inout DataHeader, _ chance: inout Chance) {
        let number = chance.edge()
        switch self {
        case .step: header.step = Int64(number)
        case .batch: header.batch = Int64(number)
        case .clock: header.clock = UInt64(bitPattern: Int64(number))
        case .incarnation: header.incarnation = UInt64(bitPattern: Int64(number))
        case .worker: header.worker = UInt32(truncatingIfNeeded: number)
        case .bundle: header.bundle = UInt32(truncatingIfNeeded: number)
        case .examples: header.examples = UInt32(truncatingIfNeeded: number)
        case .sequence: header.sequence = UInt64(bitPattern: Int64(number))
        }
    }
}

/// A number of an offer of memory, by its 64-bit word.
enum RegionEdge: Int, CaseIterable {
    case process, descriptor, count, key, value, push

    func set(_ bytes: inout [UInt8], _ chance: inout Chance) {
        let word = self == .push ? bytes.count / 8 - 1 : rawValue
        guard word * 8 + 8 <= bytes.count else { return }
        withUnsafeBytes(of: Int64(chance.edge()).littleEndian) {
            bytes.replaceSubrange(word * 8..<word * 8 + 8, with: $0)
        }
    }
}
