internal import Dataflow
internal import Foundation
internal import Interchange
internal import Messaging
internal import SwiftProtobuf
internal import Training

/// The coordinator's side of the control messages: reads requests, asks `JobState`, writes answers.
struct CoordinatorService {
    var state: JobState
    let job: PreparedJob
    let restored: Resumption?
    private let yaml: String
    /// As JSON, for the nodes.
    private let preprocessing: [UInt8]
    /// Each server's program, once all servers have joined.
    private var programs: [[UInt8]] = []
    /// Heartbeats that wait for a newer view.
    private var held: [HeldBeat] = []
    var lastCheckpoint: String?

    init(state: JobState, job: PreparedJob, restored: Resumption?) throws {
        self.state = state
        self.job = job
        self.restored = restored
        // Nodes have the token already; it does not travel.
        var config = job.config
        config.cluster.token = nil
        config.cluster.tokenFile = nil
        yaml = config.yaml()
        preprocessing = try job.preprocessing.json()
        if let restored, let directory = job.config.checkpoint.directory {
            lastCheckpoint = "\(directory)/\(Manifest.name(step: restored.manifest.step))"
        }
    }

    mutating func handle(_ incoming: consuming Request, now: Duration) throws {
        let wire = incoming.message.withUnsafeBytes { try? WireRequest(serializedBytes: Array($0)) }
        guard let wire, let kind = wire.kind else {
            return try refuse(incoming, "this is no request that a coordinator knows")
        }
        guard wire.protocol == ControlClient.protocolVersion else {
            return try refuse(
                incoming,
                "the coordinator speaks version \(ControlClient.protocolVersion) of the control messages, got \(wire.protocol); use one version of tributary everywhere"
            )
        }
        let answer: Answer
        do { answer = try self.answer(kind, now: now) } catch {
            // A broken graph is the job's failure; anything else is the asker's.
            if let error = error as? GraphError { state.fail("\(error)", now: now) }
            return try refuse(incoming, "\(error)")
        }
        switch answer {
        case .now(let reply): try send(reply, incoming)
        case .hold(let beat):
            held.append(
                HeldBeat(
                    request: Box(incoming), view: beat.view ?? 0, role: beat.role, incarnation: beat.incarnation,
                    since: now))
        }
    }

    private struct HeldBeat {
        let request: Box<Request>
        let view: UInt64
        let role: Role
        let incarnation: UInt64
        let since: Duration
    }

    private enum Answer {
        case now(WireReply.OneOf_Kind)
        /// Answered when there is a view newer than the heartbeat's.
        case hold(NodeReport)
    }

    private mutating func answer(_ kind: WireRequest.OneOf_Kind, now: Duration) throws -> Answer {
        switch kind {
        case .getConfiguration(let wire):
            guard wire.preprocessingOffset >= 0, wire.preprocessingOffset <= preprocessing.count else {
                throw NodeError(.refused, "the preprocessing has \(preprocessing.count) bytes")
            }
            var reply = WireConfiguration()
            reply.yaml = yaml
            let start = Int(wire.preprocessingOffset)
            reply.preprocessing = Data(preprocessing[start..<min(start + (2 << 20), preprocessing.count)])
            reply.preprocessingTotal = Int64(preprocessing.count)
            return .now(.configuration(reply))
        case .registerServer(let wire):
            try checkVersion(wire.version)
            guard !wire.dataAddresses.isEmpty, wire.dataAddresses.count <= ServerNode.mostExecutors else {
                throw NodeError(.refused, "a server has 1 to \(ServerNode.mostExecutors) executors")
            }
            try wire.dataAddresses.forEach(checkDialled)
            var reply = WireServerAssigned()
            reply.number = Int32(try state.register(NodeRegistration(wire), now: now))
            reply.jobKey = state.facts.jobKey
            return .now(.serverAssigned(reply))
        case .registerWorker(let wire):
            try checkVersion(wire.version)
            if wire.fingerprint != job.fingerprint { return .now(.refused(difference(wire))) }
            var reply = WireWorkerAssigned()
            reply.number = Int32(try state.register(NodeRegistration(wire), now: now))
            reply.jobKey = state.facts.jobKey
            reply.totalSteps = Int64(state.facts.totalSteps)
            let origin = state.facts.schedule.origin
            (reply.firstBatch, reply.firstEpoch) = (Int64(origin.batch), Int64(origin.epoch))
            reply.firstPlace = Int64(origin.place)
            return .now(.workerAssigned(reply))
        case .getPart(let wire): return .now(.part(try part(wire)))
        case .serverReady(let wire):
            let server = try Limit.node.check(wire.server, "ServerReady.server")
            guard state.serverReady(server, incarnation: wire.incarnation, now: now) else {
                throw NodeError(.refused, stranger(.server, wire.server, wire.incarnation))
            }
            return .now(.done(WireDone()))
        case .heartbeat(let beat):
            let report = try NodeReport(beat)
            guard state.heard(report, now: now) else {
                throw NodeError(.refused, stranger(report.role, beat.number, report.incarnation))
            }
            state.advance(now: now)
            return .hold(report)
        case .leaseBatches(let ask):
            let worker = try WorkerIdentity(
                worker: Limit.node.check(ask.worker, "LeaseBatches.worker"), incarnation: ask.incarnation)
            let done = try ask.done.map { try StepReport($0) }
            return .now(.lease(state.lease(to: worker, done: done, now: now).wire))
        case .evaluated(let wire):
            let worker = try WorkerIdentity(
                worker: Limit.node.check(wire.worker, "Evaluated.worker"), incarnation: wire.incarnation)
            state.evaluated(try wire.done.map { try EvaluationReport($0) }, by: worker)
            return .now(.done(WireDone()))
        case .checkpointWritten(let wire):
            guard state.membership.hasLiving(.server, Int(wire.server), incarnation: wire.incarnation) else {
                throw NodeError(.refused, stranger(.server, wire.server, wire.incarnation))
            }
            let complete = try state.note(
                CheckpointPart(wire), of: Int(wire.server), sequence: wire.sequence, now: now)
            if let complete { writeManifest(complete, now: now) }
            return .now(.done(WireDone()))
        case .notFinite(let wire):
            guard state.membership.hasLiving(.worker, Int(wire.worker), incarnation: wire.incarnation) else {
                throw NodeError(.refused, stranger(.worker, wire.worker, wire.incarnation))
            }
            state.note(try NotFiniteReport(wire), now: now)
            return .now(.done(WireDone()))
        case .leave(let wire):
            state.leave(try NodeReport(wire), now: now)
            return .now(.done(WireDone()))
        case .status: return .now(.statusReport(status(now: now)))
        case .stop(let wire):
            state.stop(now: wire.now, wire.reason.isEmpty ? "stopped" : wire.reason, now: now)
            return .now(.done(WireDone()))
        }
    }

    /// Says to a node that is not of the job why, and what to do.
    private func stranger(_ role: Role, _ number: Int32, _ incarnation: UInt64) -> String {
        guard state.membership.hasEnded(incarnation) else {
            return
                "\(role.rawValue) \(number) is not of this job, which has begun anew since; start the node again"
        }
        let timeout = job.config.cluster.heartbeatTimeout
        return "\(role.rawValue) \(number) was taken for dead: nothing was heard of it for longer than "
            + "cluster.heartbeat_timeout (\(timeout)), as when its process is stopped or its machine sleeps. "
            + (role == .worker
                ? "Its batches went to other workers; start a new worker to take part again"
                : "The job ended with it; start the job again with --resume")
    }

    /// Workers will dial it.
    private func checkDialled(_ text: String) throws {
        do {
            let address = try Address(text)
            guard address.port != 0, address.host != "*", text.utf8.count <= 300 else {
                throw NodeError(.refused, "\(address) is an address to listen at, and none to dial")
            }
        } catch let error as MessagingError { throw NodeError(.refused, "an executor's address: \(error)") }
    }

    private func checkVersion(_ version: String) throws {
        guard version == NodeStart.version else {
            throw NodeError(
                .refused,
                "the job runs tributary \(NodeStart.version), this node is \(version); use one version everywhere")
        }
    }

    /// Says what differs between a worker's graph and the job's.
    private func difference(_ wire: WireRegisterWorker) -> WireRefused {
        var refused = WireRefused()
        refused.reason = "the worker's graph is not the job's: it was built by another program, configuration or data"
        let theirs = wire.variables.compactMap { VariableInfo($0) }
        refused.differences = VariableInfo.differences(ours: job.variables, theirs: theirs)
        if refused.differences.isEmpty {
            let (ours, others) = (job.fingerprint.prefix { $0 != "-" }, wire.fingerprint.prefix { $0 != "-" })
            refused.differences = [
                ours == others
                    ? "the graphs are the same, but the training examples differ: every node must read the same data"
                    : "the Variables are the same, but the operations differ"
            ]
        }
        return refused
    }

    /// A piece of a server's program; a total of −1 says that servers are missing still.
    private mutating func part(_ wire: WireGetPart) throws -> WirePart {
        var part = WirePart()
        part.restoreStep = Int64(restored?.manifest.step ?? -1)
        part.restoreUpdates = Int64(restored?.rebasedTo ?? 0)
        let servers = state.membership.alive(.server).sorted { $0.number < $1.number }
        if programs.isEmpty {
            guard servers.count == job.config.cluster.servers else {
                part.total = -1
                return part
            }
            let layout = job.layout(executors: servers.map(\.addresses.count))
            state.checkpoints.writers = Set(layout.shards.map(\.server))
            if let ahead = restored?.manifest.ahead {
                let known = Set(layout.shards.map(\.blockNames))
                let others = ahead.filter { !known.contains($0.key) }
                if !others.isEmpty {
                    state.note(
                        event:
                            "the checkpoint has batches in some Variables only, and these are cut into other parts now: some take them twice"
                    )
                }
            }
            programs = try servers.indices.map {
                try job.cut.program(server: $0, layout: layout).serializedBytes()
            }
        }
        guard programs.indices.contains(Int(wire.server)) else {
            throw NodeError(.refused, "there is no server \(wire.server)")
        }
        let program = programs[Int(wire.server)]
        guard wire.offset >= 0, wire.offset <= program.count else {
            throw NodeError(.refused, "the program has \(program.count) bytes")
        }
        let end = min(Int(wire.offset) + (4 << 20), program.count)
        part.graph = Data(program[Int(wire.offset)..<end])
        part.total = Int64(program.count)
        return part
    }

    // MARK: Answers

    private func send(_ kind: WireReply.OneOf_Kind, _ request: consuming Request) throws {
        var reply = WireReply()
        reply.kind = kind
        let bytes: [UInt8] = try reply.serializedBytes()
        try request.reply(Messaging.Message(bytes))
    }

    private func refuse(_ request: consuming Request, _ reason: String) throws {
        var refused = WireRefused()
        refused.reason = reason
        try send(.refused(refused), request)
    }

    /// Answers the heartbeats that have something new to hear, or have waited for their interval.
    mutating func releaseHeld(now: Duration) throws {
        let view = state.view
        // While a checkpoint is written, servers are to tell soon.
        let patience = view.phase == .saving ? .milliseconds(20) : job.config.cluster.heartbeatInterval
        var rest: [HeldBeat] = []
        for entry in held {
            if entry.view < view.number || now - entry.since >= patience {
                let next = state.view(after: entry.view, for: entry.incarnation, entry.role)
                if let request = entry.request.take() { try send(.view(next.wire), request) }
            } else {
                rest.append(entry)
            }
        }
        held = rest
    }
}
