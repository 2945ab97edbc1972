extension NodeReport {
    /// - Throws: `NodeError` naming a number that cannot be, or for a role that is none.
    package init(_ wire: WireHeartbeat) throws(NodeError) {
        self.init(
            try Role(checked: wire.role), try Limit.node.check(wire.number, "Heartbeat.number"),
            incarnation: wire.incarnation)
        view = wire.view
        step = try Limit.step.check(wire.step, "Heartbeat.step")
        failure = wire.failure
        isLeaving = wire.leaving
        done = try wire.done.map { (result) throws(NodeError) in try StepReport(result) }
        guard role == .server else { return }
        var report = ServerReport()
        report.view = wire.view
        report.step = step
        report.applied = try RangeSet(wire.applied, "Heartbeat.applied")
        report.lead = wire.hasLead ? try LeadReport(wire.lead) : nil
        report.tallies = try WorkerTally.all(wire.tallies)
        report.examples = (
            try Limit.count.check(wire.examples, "Heartbeat.examples"),
            try Limit.count.check(wire.mostExamples, "Heartbeat.most_examples")
        )
        report.hasChanged = wire.changed
        server = report
    }

    /// - Throws: `NodeError` naming a number that cannot be, or for a role that is none.
    package init(_ wire: WireLeave) throws(NodeError) {
        self.init(
            try Role(checked: wire.role), try Limit.node.check(wire.number, "Leave.number"),
            incarnation: wire.incarnation)
        step = try Limit.step.check(wire.step, "Leave.step")
        done = try wire.done.map { (result) throws(NodeError) in try StepReport(result) }
        guard role == .server else { return }
        var report = ServerReport()
        report.step = step
        report.tallies = try WorkerTally.all(wire.tallies)
        report.examples = (
            try Limit.count.check(wire.examples, "Leave.examples"),
            try Limit.count.check(wire.mostExamples, "Leave.most_examples")
        )
        report.hasChanged = wire.changed
        server = report
    }

    /// Of a server without shards, which lacks nothing.
    private static let all = 1 << 52

    private var wireTallies: [WireWorkerTally] {
        (server?.tallies ?? [:]).sorted { $0.key < $1.key }.map { $1.wire(worker: $0) }
    }

    /// A heartbeat.
    package var wire: WireHeartbeat {
        var wire = WireHeartbeat()
        wire.role = role == .server ? .server : .worker
        wire.number = Int32(number)
        wire.incarnation = incarnation
        wire.view = view ?? 0
        wire.step = Int64(step)
        wire.failure = failure
        wire.leaving = isLeaving
        wire.done = done.map(\.wire)
        guard let server else { return wire }
        wire.applied = (server.applied ?? RangeSet(0..<Self.all)).wire
        if let lead = server.lead { wire.lead = lead.wire }
        wire.examples = Int64(server.examples?.least ?? Self.all)
        wire.mostExamples = Int64(server.examples?.most ?? 0)
        wire.tallies = wireTallies
        wire.changed = server.hasChanged
        return wire
    }

    /// The node's last report.
    package var leave: WireLeave {
        var wire = WireLeave()
        wire.role = role == .server ? .server : .worker
        wire.number = Int32(number)
        wire.incarnation = incarnation
        wire.step = Int64(step)
        wire.done = done.map(\.wire)
        guard let server else { return wire }
        wire.examples = Int64(server.examples?.least ?? Self.all)
        wire.mostExamples = Int64(server.examples?.most ?? 0)
        wire.tallies = wireTallies
        wire.changed = server.hasChanged
        return wire
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

extension LeadReport {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireLeadReport) throws(NodeError) {
        self.init(
            steps: try Limit.step.check(wire.steps, "LeadReport.steps"),
            members: try wire.members.map { (member) throws(NodeError) in try WorkerIdentity(member) },
            absent: try AbsentPart.all(wire.absent))
    }

    var wire: WireLeadReport {
        var wire = WireLeadReport()
        wire.steps = Int64(steps)
        wire.members = members.map(\.wire)
        wire.absent = absent.map(\.wire)
        return wire
    }
}

extension WorkerIdentity {
    /// - Throws: `NodeError` naming a number that cannot be.
    init(_ wire: WireWorkerIdentity) throws(NodeError) {
        self.init(
            worker: try Limit.node.check(wire.number, "WorkerIdentity.number"), incarnation: wire.incarnation)
    }

    var wire: WireWorkerIdentity {
        var wire = WireWorkerIdentity()
        wire.number = Int32(clamping: worker)
        wire.incarnation = incarnation
        return wire
    }
}

extension AbsentPart {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireAbsentPart) throws(NodeError) {
        let parts = try Limit.node.check(wire.parts, "AbsentPart.parts")
        let rank = try Limit.node.check(wire.rank, "AbsentPart.rank")
        guard rank < parts else {
            throw NodeError(.refused, "AbsentPart.rank is \(rank) of \(parts) parts, which cannot be")
        }
        self.init(step: try Limit.step.check(wire.step, "AbsentPart.step"), rank: rank, parts: parts)
    }

    static func all(_ wires: [WireAbsentPart]) throws(NodeError) -> [AbsentPart] {
        try wires.map { (wire) throws(NodeError) in try AbsentPart(wire) }
    }

    package var wire: WireAbsentPart {
        var wire = WireAbsentPart()
        wire.step = Int64(step)
        wire.rank = Int32(rank)
        wire.parts = Int32(parts)
        return wire
    }
}
