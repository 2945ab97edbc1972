internal import Dataflow
internal import Foundation
internal import Interchange
internal import Messaging
internal import SwiftProtobuf
internal import Synchronization

/// What a server does between joining and leaving: gets its program and values, then keeps in touch with the coordinator
/// while its executors serve.
struct ServerService {
    let number: Int
    let incarnation: UInt64
    let control: ControlClient
    let config: JobConfig
    let options: NodeOptions

    private var cluster: JobConfig.Cluster { config.cluster }

    // MARK: Preparing

    /// Fetches the subgraph in pieces.
    func fetchProgram(executors: Int) throws -> (program: WireServerProgram, part: ServerPart) {
        var pieces = Pieces("Part.total")
        let begin = ContinuousClock.now
        var deadline = StopDeadline(options.stop, cluster)
        while true {
            var ask = WireGetPart()
            ask.server = Int32(number)
            ask.offset = Int64(pieces.bytes.count)
            guard case .part(let wire) = try control.ask(.getPart(ask)) else { throw control.unexpected() }
            let part = try ServerPart(wire)
            guard let total = part.total else {
                // The coordinator deals Variables out when all servers have joined.
                try deadline.check()
                guard ContinuousClock.now - begin < cluster.joinTimeout + .seconds(5) else {
                    throw NodeError(.peerUnavailable, "the other servers did not join within \(cluster.joinTimeout)")
                }
                let view = try NodeStart.heartbeat(control, heartbeat, interval: cluster.heartbeatInterval)
                // Nothing was begun: a stop of the job is the end.
                if view.phase == .finished { throw NodeStopped() }
                guard view.phase != .failed else {
                    throw NodeError(.peerUnavailable, "the job ended before it began: \(view.reason)")
                }
                continue
            }
            guard try pieces.take(part.piece, of: total) else { continue }
            guard let program = try? WireServerProgram(serializedBytes: pieces.bytes) else {
                throw control.unexpected()
            }
            try program.check(executors: executors)
            return (program, part)
        }
    }

    private var heartbeat: NodeReport {
        var report = NodeReport(.server, number, incarnation: incarnation)
        report.isLeaving = options.stop.isStopped
        return report
    }

    /// Gives the shards their first values, and says that workers may come.
    func prepare(
        _ fetched: (program: WireServerProgram, part: ServerPart), _ sockets: [ReplySocket], jobKey: UInt64
    ) throws -> ([ShardExecutor], CheckpointWriter) {
        let (program, part) = fetched
        // Making first values or reading a checkpoint may take longer than a silent node is thought alive.
        let pulse = ServiceThread(every: .milliseconds(50)) {
            // What is wrong shows where the answers matter.
            _ = try? NodeStart.heartbeat(control, heartbeat, interval: cluster.heartbeatInterval, limit: .zero)
        }
        defer { pulse.cancel() }
        let directory = config.checkpoint.directory ?? ""
        let manifest = try manifest(part, in: directory)
        let sessionOptions = try config.sessionOptions(for: .server, threads: 1, node: options)
        let saving = CheckpointSchedule(
            everySteps: directory.isEmpty ? nil : config.checkpoint.everySteps, last: manifest?.mostUpdates ?? 0)
        let shards = try program.shards.map { wire in
            let done = manifest?.doneBatches(ofShard: ShardStore.blockNames(wire)) ?? RangeSet()
            let state = ShardState(
                ShardState.Rule(config, isLead: wire.isLead, isEmbeddingTable: wire.isEmbeddingTable),
                scalesByStaleness: config.train.stalenessScaling, done: done, saving: saving)
            return ServedShard(try ShardStore(wire, updates: state.steps, options: sessionOptions), state)
        }
        try initialize(shards.map(\.store), program, directory: directory, manifest: manifest)
        let checkpoints = CheckpointWriter(
            directory: directory, server: number, servers: cluster.servers, shards: shards.count,
            checksValues: config.train.onNaN != .ignore)
        let limit = cluster.serverMemory.map { $0 / 2 / sockets.count } ?? .max
        let executors = sockets.enumerated().map { executor, socket in
            ShardExecutor(
                socket: socket,
                shards: zip(program.shards, shards).filter { Int($0.0.executor) == executor }.map(\.1),
                jobKey: jobKey, budget: PushBudget(limit: limit), checkpoints: checkpoints, batch: config.train.batch)
        }
        var ready = WireServerReady()
        ready.server = Int32(number)
        ready.incarnation = incarnation
        _ = try control.ask(.serverReady(ready))
        return (executors, checkpoints)
    }

    /// The checkpoint to go on from; nil for none.
    private func manifest(_ part: ServerPart, in directory: String) throws -> Manifest? {
        guard let step = part.restoreStep else { return nil }
        let manifest = try CheckpointDirectory.manifest(step: step, in: directory)
        return part.restoreUpdates.map { manifest.rebased(to: $0) } ?? manifest
    }

    private func initialize(
        _ shards: [ShardStore], _ program: WireServerProgram, directory: String, manifest: Manifest?
    ) throws {
        let graph = try GraphDefinition.decode([UInt8](program.initialGraph))
        let names = Set(program.shards.flatMap { $0.blocks.flatMap(\.sources) + $0.replicas }).sorted()
        let nodes = try names.map { try graph.node(named: "initial/\($0)") }
        var values: [String: Tensor] = [:]
        if let manifest {
            let reader = try CheckpointReader(manifest, directory: directory)
            for (name, node) in zip(names, nodes) {
                values[name] = try reader.tensor(named: name, dtype: node.dtype, shape: node.shape)
            }
        } else if !nodes.isEmpty {
            let session = try Session(
                graph, options: try config.sessionOptions(for: .host, threads: options.threads ?? 1))
            for (name, value) in zip(names, try session.run(nodes)) { values[name] = value }
        }
        for shard in shards { try shard.initialize(values) }
    }

    // MARK: Serving

    /// Runs the executors, and talks to the coordinator meanwhile, until the job is over.
    func serve(_ executors: [ShardExecutor], _ checkpoints: CheckpointWriter, _ stops: StopWatcher) throws {
        let failure = Mutex<String?>(nil)
        let threads = executors.map { executor in
            // The executor belongs to its thread from here on; this thread only sends orders and reads reports, both locked.
            nonisolated(unsafe) let executor = executor
            return ServiceThread { _ in
                do { try executor.run() } catch { failure.withLock { $0 = $0 ?? "\(error)" } }
            }
        }
        func endExecutors() {
            for executor in executors { executor.order { $0.isOver = true } }
            threads.forEach { $0.join() }
        }
        defer { endExecutors() }
        /// What the executors report.
        func report() -> NodeReport {
            var report = heartbeat
            let server = ServerReport(executors.map { $0.report.withLock { $0 } })
            (report.server, report.view, report.step) = (server, server.view, server.step ?? 0)
            return report
        }
        var sequence: UInt64 = 0
        func reportCheckpoints(limit: Duration? = nil) throws {
            for part in checkpoints.takeWritten() {
                sequence += 1
                let wire = part.wire(server: number, incarnation: incarnation, sequence: sequence)
                _ = try control.ask(.checkpointWritten(wire), limit: limit)
            }
        }
        var view: ClusterView?
        var deadline = StopDeadline(options.stop, cluster)
        func check() throws {
            // While the coordinator waits for the checkpoint, so does this server.
            if view?.phase != .closing, view?.phase != .saving { try deadline.check() }
            if options.stop.request == .now { throw NodeError(.failed, "stopped") }
        }
        while true {
            try check()
            let began = stops.now
            var beat = report()
            beat.failure = failure.withLock { $0 } ?? ""
            let next = try NodeStart.heartbeat(control, beat, interval: cluster.heartbeatInterval, check: check)
            stops.answered(began: began)
            if !beat.failure.isEmpty { throw NodeError(.failed, beat.failure) }
            if next != view {
                for executor in executors { executor.order { $0.view = next } }
                view = next
            }
            try reportCheckpoints()
            if next.phase == .finished || next.phase == .failed {
                // What the executors did last is reported too.
                endExecutors()
                checkpoints.settle()
                try? reportCheckpoints(limit: ControlClient.limitOfEnd)
                _ = try? control.ask(
                    .leave(report().leave), timeout: .seconds(1), limit: ControlClient.limitOfEnd)
                if next.phase == .failed { throw NodeError(.failed, "the job failed: \(next.reason)") }
                return
            }
        }
    }
}

/// How long a server that was asked to end waits for the coordinator to end the job.
private struct StopDeadline {
    /// What the coordinator needs beyond its own limit.
    private static let grace = Duration.seconds(2)
    private let stop: StopSignal
    private let limit: Duration
    private var askedAt: ContinuousClock.Instant?

    init(_ stop: StopSignal, _ cluster: JobConfig.Cluster) {
        self.stop = stop
        limit = cluster.stopTimeout + StopDeadline.grace
    }

    /// - Throws: `NodeError` when it is over.
    mutating func check() throws {
        guard stop.isStopped else { return }
        let since = askedAt ?? .now
        askedAt = since
        guard ContinuousClock.now - since > limit else { return }
        throw NodeError(
            .peerUnavailable,
            "this server was asked to end \(limit) ago, and the coordinator has not ended the job; "
                + "the last checkpoint stays usable (cluster.stop_timeout says how long it waits)")
    }
}
