internal import Dataflow

extension ClusterView {
    /// - Throws: `NodeError` naming a number that cannot be: a rank beyond the workers, say, or one that two have.
    package init(_ wire: WireView) throws(NodeError) {
        var ranks: Set<Int> = []
        for worker in wire.workers {
            guard wire.workers.indices.contains(Int(worker.rank)), ranks.insert(Int(worker.rank)).inserted else {
                throw NodeError(
                    .refused,
                    "View.Worker.rank is \(worker.rank), which cannot be or is another's, of \(wire.workers.count) workers"
                )
            }
        }
        self.init(
            number: wire.number, phase: Phase(rawValue: wire.phase) ?? .failed, reason: TerminalText.line(wire.reason),
            checkpointStep: try Limit.label.check(wire.checkpointStep, "View.checkpoint_step"),
            servers: try wire.servers.map { (server) throws(NodeError) in
                ServerEntry(
                    number: try Limit.node.check(server.number, "View.Server.number"), addresses: server.addresses,
                    incarnation: server.incarnation)
            },
            workers: try wire.workers.map { (worker) throws(NodeError) in
                WorkerEntry(
                    number: try Limit.node.check(worker.number, "View.Worker.number"), rank: Int(worker.rank),
                    incarnation: worker.incarnation,
                    sharing: max(try Limit.node.check(worker.sharing, "View.Worker.sharing"), 1))
            },
            leaving: try wire.leaving.map { (worker) throws(NodeError) in
                WorkerIdentity(
                    worker: try Limit.node.check(worker.number, "View.Worker.number"), incarnation: worker.incarnation)
            })
        if wire.hasClosed {
            closed = ClosedStep(
                step: try Limit.step.check(wire.closed.step, "ClosedStep.step"),
                members: try wire.closed.members.map { (member) throws(NodeError) in try WorkerIdentity(member) })
        }
    }

    var wire: WireView {
        var wire = WireView()
        wire.number = number
        wire.phase = phase.rawValue
        wire.reason = reason
        wire.checkpointStep = Int64(checkpointStep)
        wire.servers = servers.map { server in
            var entry = WireView.Server()
            entry.number = Int32(server.number)
            entry.addresses = server.addresses
            entry.incarnation = server.incarnation
            return entry
        }
        wire.workers = workers.map { worker in
            var entry = WireView.Worker()
            entry.number = Int32(worker.number)
            entry.rank = Int32(worker.rank)
            entry.incarnation = worker.incarnation
            entry.sharing = Int32(worker.sharing)
            return entry
        }
        wire.leaving = leaving.map { worker in
            var entry = WireView.Worker()
            entry.number = Int32(worker.worker)
            entry.incarnation = worker.incarnation
            return entry
        }
        if let closed {
            wire.closed.step = Int64(closed.step)
            wire.closed.members = closed.members.map(\.wire)
        }
        return wire
    }
}
