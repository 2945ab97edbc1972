/// What a node tells in a heartbeat, or when it leaves. Every number in it has been checked.
package struct NodeNews: Sendable {
    package let role: Role
    package let number: Int
    package let incarnation: UInt64
    /// The view that it acts on; 0 for none. nil in a last word.
    package var view: UInt64?
    /// A server's updates, a worker's next step.
    package let step: Int
    /// Why a node is about to end; empty while all is well.
    package var failure = ""
    package var isLeaving = false
    /// A worker's, since it told last.
    package let done: [StepReport]
    /// Batches that all of a server's bundles have.
    package var applied = RangeSet<Int>()
    /// Steps of which all of a server's tables have every part, or never will.
    package var settled = RangeSet<Int>()
    /// Parts of steps that one of a server's bundles will never have.
    package var missed: [MissedPart] = []
    /// What became of workers' gradients on a server, by the worker's number.
    package let tallies: [Int: WorkerTally]
    /// Examples of the server's bundle that has the fewest, and of the one that has the most.
    package let examples: (least: Int, most: Int)
    /// An update has changed a Variable.
    package let hasChanged: Bool

    /// - Throws: `NodeError` naming a number that cannot be, or for a role that is none.
    package init(_ wire: WireHeartbeat) throws(NodeError) {
        role = try Role(checked: wire.role)
        number = try Limit.node.check(wire.number, "Heartbeat.number")
        incarnation = wire.incarnation
        view = wire.view
        step = try Limit.step.check(wire.step, "Heartbeat.step")
        failure = wire.failure
        isLeaving = wire.leaving
        done = try wire.done.map { (result) throws(NodeError) in try StepReport(result) }
        applied = try RangeSet(wire.applied, "Heartbeat.applied")
        settled = try RangeSet(wire.settled, "Heartbeat.settled")
        missed = try MissedPart.all(wire.missed)
        tallies = try WorkerTally.all(wire.tallies)
        examples = (
            try Limit.count.check(wire.examples, "Heartbeat.examples"),
            try Limit.count.check(wire.mostExamples, "Heartbeat.most_examples")
        )
        hasChanged = wire.changed
    }

    /// - Throws: `NodeError` naming a number that cannot be, or for a role that is none.
    package init(_ wire: WireLeave) throws(NodeError) {
        role = try Role(checked: wire.role)
        number = try Limit.node.check(wire.number, "Leave.number")
        incarnation = wire.incarnation
        step = try Limit.step.check(wire.step, "Leave.step")
        done = try wire.done.map { (result) throws(NodeError) in try StepReport(result) }
        tallies = try WorkerTally.all(wire.tallies)
        examples = (
            try Limit.count.check(wire.examples, "Leave.examples"),
            try Limit.count.check(wire.mostExamples, "Leave.most_examples")
        )
        hasChanged = wire.changed
    }
}

extension Role {
    init?(_ wire: WireRole) {
        switch wire {
        case .server: self = .server
        case .worker: self = .worker
        default: return nil
        }
    }

    fileprivate init(checked wire: WireRole) throws(NodeError) {
        guard let role = Role(wire) else { throw NodeError(.refused, "a node is a server or a worker") }
        self = role
    }
}
