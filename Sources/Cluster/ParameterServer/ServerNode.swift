internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import SwiftProtobuf
internal import Synchronization

/// A parameter server: generic, without user code. It registers, gets its subgraph, initialises or restores it, and serves
/// pulls and pushes until the coordinator says that the job is over.
public struct ServerNode: Sendable {
    private let coordinator: Address
    private let listen: Address
    private let options: NodeOptions

    /// - Parameters:
    ///   - coordinator: the only address that must be known.
    ///   - listen: where the lanes listen; port 0 takes any free one. Of several lanes, those after the first take a free
    ///     port, or a name with "-1", "-2", … behind it.
    public init(coordinator: Address, listen: Address, options: NodeOptions) {
        self.coordinator = coordinator
        self.listen = listen
        self.options = options
    }

    /// Serves on the caller's thread and one a lane until the job ends.
    ///
    /// Asked to end, it has the coordinator stop the job, and stays until the last checkpoint is written.
    /// - Throws: `NodeError`.
    public func run() throws {
        let pauses = PauseWatch()
        defer { pauses.end() }
        do { try join(pauses) } catch is NodeStopped { options.onEvent("stopped before the job began") }
    }

    private func join(_ pauses: PauseWatch) throws {
        try checkAddress()
        let (control, config) = try NodeStart.connect(coordinator, options)
        defer { control.close() }
        let options = options.joined(by: control)
        try options.rules.checkListening(listen, token: options.token)
        let incarnation = UInt64.random(in: 1...(.max))
        control.persist(for: config.cluster.heartbeatTimeout, stop: options.stop)
        // More lanes than a coordinator takes of one server serve nobody.
        let laneCount = min(options.threads ?? config.cluster.threadsPerNode ?? 1, ServerNode.mostLanes)
        let sockets = try (0..<laneCount).map { lane in
            do {
                return try ReplySocket(
                    listen: address(lane), tls: options.serverTLS, secret: options.token ?? "",
                    maximumMessage: DataHeader.usualMessage)
            } catch { throw NodeError(.cannotCreate, "\(error)") }
        }
        defer { sockets.forEach { $0.close() } }
        var registration = WireRegisterServer()
        registration.dataAddresses = sockets.map { "\($0.boundAddress)" }
        registration.host = NodeStart.host
        registration.pid = Int64(getpid())
        registration.version = NodeStart.version
        if let number = options.number { registration.number = Int32(clamping: number) }
        registration.incarnation = incarnation
        guard case .serverAssigned(let assigned) = try control.ask(.registerServer(registration)) else {
            throw control.unexpected()
        }
        let number = try Limit.node.check(assigned.number, "ServerAssigned.number")
        options.onEvent("server \(number) listens on \(sockets.map { "\($0.boundAddress)" }.joined(separator: ", "))")

        let (program, part) = try fetchProgram(control, number, incarnation, config.cluster, lanes: laneCount)
        let directory = config.checkpoint.directory ?? ""
        // What must stay in one bundle may be larger than what is cut into blocks.
        let longest = program.bundles.map { max($0.valueBytes, $0.pushBytes) }.max() ?? 0
        for socket in sockets { socket.allow(messagesOf: DataHeader.longestMessage(bundleBytes: Int(longest))) }
        // Making first values or reading a checkpoint may take longer than a silent node is thought alive.
        let pulse = Pulse(
            control, number, incarnation, interval: config.cluster.heartbeatInterval, stop: options.stop)
        defer { pulse.end() }
        let manifest = try manifest(part, in: directory)
        let shards = try program.bundles.map {
            try BundleShard(
                $0, config: config, manifest: manifest,
                options: SessionOptions(
                    threads: 1, softPlacement: config.devices.softPlacement,
                    process: nil, devices: try config.devices.forServer(), fallbackLog: options.onEvent,
                    planLog: options.onEvent,
                    placementLog: config.devices.logDevicePlacement ? options.onEvent : nil,
                    profile: options.profile))
        }
        try initialize(shards, program, directory: directory, manifest: manifest)
        let collector = CheckpointCollector(
            directory: directory, server: number, servers: config.cluster.servers, bundles: shards.count,
            checksValues: config.train.onNaN != .ignore)
        let lanes = sockets.enumerated().map { lane, socket in
            Lane(
                socket: socket,
                shards: shards.enumerated().filter { Int(program.bundles[$0.offset].lane) == lane }.map(\.element),
                jobKey: assigned.jobKey,
                parking: ParkingSpace(limit: config.cluster.serverMemory.map { $0 / 2 / sockets.count } ?? .max),
                checkpoints: collector, batch: config.train.batch,
                everySteps: directory.isEmpty ? nil : config.checkpoint.everySteps)
        }
        var ready = WireServerReady()
        ready.server = assigned.number
        ready.restoredStep = Int64(part.restoreStep ?? -1)
        ready.incarnation = incarnation
        _ = try control.ask(.serverReady(ready))
        pulse.end()
        do { try serve(lanes, collector, control, assigned, incarnation, config.cluster, pauses) } catch let error
            as NodeError
        {
            throw pauses.explain(error, timeout: config.cluster.heartbeatTimeout)
        }
    }

    /// The most lanes of one server.
    static let mostLanes = 256

    /// Workers must be able to dial the address, and nobody without a token.
    private func checkAddress() throws {
        if listen.transport.hasPort, ["0.0.0.0", "*", "::"].contains(listen.host) {
            throw NodeError(
                .configuration,
                "a server's address is where workers dial it, \(listen) is none; name this host's own address")
        }
        try options.rules.checkDialing(coordinator)
        try options.rules.checkListening(
            listen, token: options.token, mayFindToken: coordinator.transport.hasPort)
    }

    private func address(_ lane: Int) throws -> Address {
        guard lane > 0 else { return listen }
        if listen.port != nil { return listen.with(known: 0) }
        return try Address("\(listen)-\(lane)")
    }

    /// Fetches the subgraph in pieces.
    private func fetchProgram(
        _ control: ControlClient, _ number: Int, _ incarnation: UInt64, _ cluster: JobConfig.Cluster, lanes: Int
    ) throws -> (program: WireServerProgram, last: ServerPart) {
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
                let view = try NodeStart.heartbeat(
                    control, .server, number, incarnation, interval: cluster.heartbeatInterval,
                    isLeaving: options.stop.isStopped)
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
            try program.check(lanes: lanes)
            return (program, part)
        }
    }

    /// The checkpoint to go on from; nil for none.
    private func manifest(_ part: ServerPart, in directory: String) throws -> Manifest? {
        guard let step = part.restoreStep else { return nil }
        let manifest = try CheckpointDirectory.manifest(step: step, in: directory)
        return part.restoreUpdates.map { manifest.rebased(to: $0) } ?? manifest
    }

    private func initialize(
        _ shards: [BundleShard], _ program: WireServerProgram, directory: String, manifest: Manifest?
    ) throws {
        let graph = try GraphDefinition.decode([UInt8](program.initialGraph))
        let names = Set(program.bundles.flatMap { $0.blocks.flatMap(\.sources) + $0.replicas }).sorted()
        let nodes = try names.map { try graph.node(named: "initial/\($0)") }
        var values: [String: Tensor] = [:]
        if let manifest {
            let reader = try CheckpointReader(manifest, directory: directory)
            for (name, node) in zip(names, nodes) {
                values[name] = try reader.tensor(named: name, dtype: node.dtype, shape: node.shape)
            }
        } else if !nodes.isEmpty {
            let session = try Session(
                graph, options: SessionOptions(threads: options.threads ?? 1, process: nil, devices: .hostOnly))
            for (name, value) in zip(names, try session.run(nodes)) { values[name] = value }
        }
        for shard in shards { try shard.initialize(values) }
    }

    /// Runs the lanes, and talks to the coordinator meanwhile, until the job is over.
    private func serve(
        _ lanes: [Lane], _ collector: CheckpointCollector, _ control: ControlClient, _ assigned: WireServerAssigned,
        _ incarnation: UInt64, _ cluster: JobConfig.Cluster, _ pauses: PauseWatch
    ) throws {
        let failure = Mutex<String?>(nil)
        let running = Mutex(lanes.count)
        for lane in lanes {
            // The lane belongs to its thread from here on; the control thread only sends orders and reads facts, both locked.
            nonisolated(unsafe) let lane = lane
            Thread.detachNewThread {
                do { try lane.run() } catch { failure.withLock { $0 = $0 ?? "\(error)" } }
                running.withLock { $0 -= 1 }
            }
        }
        func endLanes() {
            for lane in lanes { lane.order { $0.isOver = true } }
            while running.withLock({ $0 }) > 0 { Thread.sleep(forTimeInterval: 0.002) }
        }
        defer { endLanes() }
        var reporter = CheckpointReporter(control, server: assigned.number, incarnation: incarnation)
        var view: ClusterView?
        /// Missed parts that the coordinator knows of.
        var acknowledged: Set<MissedPart> = []
        var deadline = StopDeadline(options.stop, cluster)
        while true {
            if options.stop.request == .now { throw NodeError(.failed, "stopped") }
            // While the coordinator waits for the checkpoint, so does this server.
            if view?.phase != .saving { try deadline.check() }
            let began = pauses.now
            var beat = WireHeartbeat()
            beat.role = .server
            beat.number = assigned.number
            beat.incarnation = incarnation
            let facts = LaneFacts(lanes.map { $0.facts.withLock { $0 } })
            facts.tell(in: &beat, except: acknowledged)
            beat.failure = failure.withLock { $0 } ?? ""
            beat.leaving = options.stop.isStopped
            let next = try NodeStart.beat(control, beat, interval: cluster.heartbeatInterval) {
                if view?.phase != .saving { try deadline.check() }
                if options.stop.request == .now { throw NodeError(.failed, "stopped") }
            }
            pauses.answered(began: began)
            acknowledged = facts.missed
            if !beat.failure.isEmpty { throw NodeError(.failed, beat.failure) }
            if next != view {
                let save = next.phase == .saving && view?.phase != .saving ? next.checkpointStep : nil
                for lane in lanes {
                    lane.order { orders in
                        orders.view = next
                        if let save { orders.save = save }
                    }
                }
                view = next
            }
            try reporter.report(collector.takeWritten())
            if view?.phase == .finished || view?.phase == .failed {
                // What the lanes did last is told too.
                endLanes()
                collector.settle()
                try? reporter.report(collector.takeWritten(), limit: ControlClient.limitOfEnd)
                var leave = WireLeave()
                leave.role = .server
                leave.number = assigned.number
                leave.incarnation = incarnation
                LaneFacts(lanes.map { $0.facts.withLock { $0 } }).tell(in: &leave)
                _ = try? control.ask(.leave(leave), timeout: .seconds(1), limit: ControlClient.limitOfEnd)
                if view?.phase == .failed { throw NodeError(.failed, "the job failed: \(view?.reason ?? "")") }
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
        askedAt = askedAt ?? .now
        guard ContinuousClock.now - askedAt! > limit else { return }
        throw NodeError(
            .peerUnavailable,
            "this server was asked to end \(limit) ago, and the coordinator has not ended the job; "
                + "the last checkpoint stays usable (cluster.stop_timeout says how long it waits)")
    }
}

/// Heartbeats of a server that is busy before it serves, from a thread of its own.
private final class Pulse: Sendable {
    private let isOver = Atomic(false)

    init(
        _ control: ControlClient, _ number: Int, _ incarnation: UInt64, interval: Duration, stop: StopSignal
    ) {
        Thread.detachNewThread { [self] in
            while !isOver.load(ordering: .acquiring) {
                // What is wrong shows where the answers matter.
                _ = try? NodeStart.heartbeat(
                    control, .server, number, incarnation, interval: interval, isLeaving: stop.isStopped, limit: .zero)
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    func end() { isOver.store(true, ordering: .releasing) }
}

extension ServerNode {
    /// Where a server listens that is not told: for this machine alone, as its coordinator is reached.
    ///
    /// - Throws: `NodeError` or `MessagingError` where only the user can tell.
    public static func standardListen(beside coordinator: Address) throws -> Address {
        switch coordinator.transport {
        case .inproc: return try Address("inproc://\(coordinator.host)-server-\(getpid())")
        case .ipc: return try Address("ipc://\(coordinator.host)-server-\(getpid())")
        case .tcp: return try Address("tcp://127.0.0.1:0")
        case .tls:
            guard coordinator.isLoopback else {
                throw NodeError(
                    .configuration,
                    "workers may be on other machines: say --listen tls+tcp://HOST:0 with this machine's own name or address"
                )
            }
            return coordinator.with(known: 0)
        }
    }
}

extension ServerNode: CustomStringConvertible {
    public var description: String { "a server at \(listen) of the job at \(coordinator)" }
}
