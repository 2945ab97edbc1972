import Cluster

/// The numbers of messages that were sent at an edge: which there are, and which of them were reached.
enum Reach {
    /// By the direction: what a node asks, what a coordinator answers, what a server runs, and data both ways.
    static let all: [String] =
        asked.values.sorted().map { "asked \($0)" } + answered.values.sorted().map { "answered \($0)" }
        + program.values.sorted().map { "program \($0)" }
        + HeaderEdge.allCases.flatMap { ["asked exchange.\($0)", "answered exchange.\($0)"] }
        + BufferEdge.allCases.map { "offered SharedBufferOffer.\($0)" }
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

/// A number of an exchange message: where it lies, and its size in bytes.
enum HeaderEdge: String, CaseIterable {
    case incarnation, worker, shard, sequence, count, first, second, third, member

    private var place: (offset: Int, size: Int) {
        switch self {
        case .incarnation: (16, 8)
        case .worker: (24, 4)
        case .shard: (28, 4)
        case .sequence: (32, 8)
        case .count: (44, 4)
        case .first: (48, 8)
        case .second: (56, 8)
        case .third: (64, 8)
        case .member: (0, 4)
        }
    }

    func set(_ message: inout [UInt8], _ chance: inout Chance) {
        var (offset, size) = place
        if self == .member { offset = message.count - ExchangeCodec.memberSize }
        guard offset >= 0, offset + size <= message.count else { return }
        withUnsafeBytes(of: Int64(chance.edge()).littleEndian) {
            message.replaceSubrange(offset..<offset + size, with: $0.prefix(size))
        }
    }
}

/// A number of an offer of memory, by its 64-bit word.
enum BufferEdge: Int, CaseIterable {
    case process, descriptor, count, key, value, push

    func set(_ bytes: inout [UInt8], _ chance: inout Chance) {
        let word = self == .push ? bytes.count / 8 - 1 : rawValue
        guard word * 8 + 8 <= bytes.count else { return }
        withUnsafeBytes(of: Int64(chance.edge()).littleEndian) {
            bytes.replaceSubrange(word * 8..<word * 8 + 8, with: $0)
        }
    }
}
