/// A part of a synchronous step that a bundle lacks, for the worker that had it died or left at once.
package struct MissedPart: Hashable, Sendable {
    package var step: Int
    /// The view that divides the step, and into how many parts.
    package var view: UInt64
    package var count: Int
    /// The worker that had it, and its rank in that view.
    package var incarnation: UInt64
    package var rank: Int

    package init(step: Int, view: UInt64, count: Int, incarnation: UInt64, rank: Int) {
        self.step = step
        self.view = view
        self.count = count
        self.incarnation = incarnation
        self.rank = rank
    }

    /// The parts of a step whose workers `isHere` does not name, by rank.
    static func missing(
        of members: [WorkerIdentity: Int], step: Int, view: UInt64, isHere: (WorkerIdentity) -> Bool
    ) -> [MissedPart] {
        members.filter { !isHere($0.key) }.sorted { $0.value < $1.value }.map {
            MissedPart(
                step: step, view: view, count: members.count, incarnation: $0.key.incarnation, rank: $0.value)
        }
    }
}

extension MissedPart {
    var wire: WireMissedPart {
        var wire = WireMissedPart()
        wire.step = Int64(step)
        wire.view = view
        wire.count = Int32(count)
        wire.incarnation = incarnation
        wire.rank = Int32(rank)
        return wire
    }

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireMissedPart) throws(NodeError) {
        let count = try Limit.node.check(wire.count, "MissedPart.count")
        let rank = try Limit.node.check(wire.rank, "MissedPart.rank")
        guard rank < count else {
            throw NodeError(.refused, "MissedPart.rank is \(rank) of \(count) parts, which cannot be")
        }
        self.init(
            step: try Limit.step.check(wire.step, "MissedPart.step"), view: wire.view, count: count,
            incarnation: wire.incarnation, rank: rank)
    }

    static func all(_ wires: [WireMissedPart]) throws(NodeError) -> [MissedPart] {
        try wires.map { (wire) throws(NodeError) in try MissedPart(wire) }
    }
}
