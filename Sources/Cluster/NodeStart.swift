internal import Foundation
internal import Messaging
internal import Training

/// What servers and workers do alike: ask for the configuration, and keep in touch with the coordinator.
package enum NodeStart {
    /// The program's version, which all nodes of a job must share.
    package static let version = "0.1.0"

    static var host: String { ProcessInfo.processInfo.hostName }

    /// A coordinator that listens has left its token after this time.
    private static let tokenDelay = Duration.seconds(2)

    /// Connects to the coordinator and asks for the job's configuration, again until the coordinator is there or the time
    /// to join is over.
    ///
    /// - Returns: The configuration, and the connection with the token that the coordinator took.
    /// - Throws: `NodeStopped` if the process is asked to end meanwhile.
    static func connect(
        _ coordinator: Address, _ options: NodeOptions
    ) throws -> (control: ControlClient, config: JobConfig) {
        let begin = ContinuousClock.now
        while true {
            let control = try ControlClient(
                coordinator, token: options.token, tls: options.clientTLS, isInsecure: options.isInsecure)
            do { return (control, try configuration(control, options, since: begin)) } catch let error as NodeError {
                control.close()
                // The coordinator leaves its token for others right after it begins to listen.
                guard error.kind == .refused, options.token == nil, coordinator.transport.hasPort,
                    ContinuousClock.now - begin < options.joinTimeout,
                    try TokenStore().token(for: coordinator) ?? "" != control.token
                        || ContinuousClock.now - begin < tokenDelay
                else { throw error }
                Thread.sleep(forTimeInterval: 0.05)
            } catch {
                control.close()
                throw error
            }
        }
    }

    private static func configuration(
        _ control: ControlClient, _ options: NodeOptions, since begin: ContinuousClock.Instant
    ) throws -> JobConfig {
        while true {
            if options.stop.isStopped { throw NodeStopped() }
            do {
                let (yaml, preprocessing) = try job(control)
                var config = try JobConfig.parse(
                    yaml: yaml, name: "the coordinator's configuration",
                    modelKinds: Set(options.jobs.map { type(of: $0).kind }))
                config.reading.preprocessing = try Preprocessing(
                    json: preprocessing, name: "the coordinator's preprocessing")
                return config
            } catch let error as NodeError where error.kind == .peerUnavailable {
                guard ContinuousClock.now - begin < options.joinTimeout else {
                    throw NodeError(
                        .peerUnavailable,
                        "no coordinator at \(control.address) within \(options.joinTimeout); is it running, and is the address right?"
                    )
                }
                // One that has come meanwhile has left another token.
                if options.token == nil, try TokenStore().token(for: control.address) ?? "" != control.token {
                    throw NodeError(.refused, "the token has changed")
                }
            }
        }
    }

    /// The configuration's YAML and, put together from its pieces, the preprocessing's JSON.
    private static func job(_ control: ControlClient) throws -> (yaml: String, preprocessing: [UInt8]) {
        var preprocessing: [UInt8] = []
        while true {
            var ask = WireGetConfiguration()
            ask.preprocessingOffset = Int64(preprocessing.count)
            guard case .configuration(let reply) = try control.ask(.getConfiguration(ask), timeout: .seconds(2)) else {
                throw control.unexpected()
            }
            preprocessing += reply.preprocessing
            if preprocessing.count >= reply.preprocessingTotal { return (reply.yaml, preprocessing) }
            guard !reply.preprocessing.isEmpty else { throw control.unexpected() }
        }
    }

    /// Sends a heartbeat; the answer is the view, at once if there is a newer one.
    ///
    /// - Parameter interval: how long the coordinator may hold it.
    static func beat(_ control: ControlClient, _ beat: WireHeartbeat, interval: Duration) throws -> ClusterView {
        guard case .view(let view) = try control.ask(.heartbeat(beat), timeout: interval + .seconds(5)) else {
            throw control.unexpected()
        }
        return try ClusterView(view)
    }

    @discardableResult
    static func heartbeat(
        _ control: ControlClient, _ role: WireRole, _ number: Int, _ incarnation: UInt64, interval: Duration,
        isLeaving: Bool = false
    ) throws -> ClusterView {
        var heartbeat = WireHeartbeat()
        heartbeat.leaving = isLeaving
        heartbeat.role = role
        heartbeat.number = Int32(number)
        heartbeat.incarnation = incarnation
        return try beat(control, heartbeat, interval: interval)
    }
}

/// The process was asked to end before it had a part in the job.
struct NodeStopped: Error {}

extension StopSignal {
    var isStopped: Bool { request != .none }
}

extension ClusterView {
    /// - Throws: `NodeError` for ranges of examples that are none.
    package init(_ wire: WireView) throws {
        self.init(
            number: wire.number, phase: Phase(rawValue: wire.phase) ?? .failed, reason: wire.reason,
            checkpointStep: Int(wire.checkpointStep),
            servers: wire.servers.map {
                ServerEntry(number: Int($0.number), addresses: $0.addresses, incarnation: $0.incarnation)
            },
            workers: wire.workers.map {
                WorkerEntry(
                    number: Int($0.number), rank: Int($0.rank), incarnation: $0.incarnation,
                    sharing: max(Int($0.sharing), 1))
            },
            leaving: wire.leaving.map { WorkerIdentity(worker: Int($0.number), incarnation: $0.incarnation) })
        makeUps = try wire.makeUps.map {
            MakeUp(view: $0.view, incarnation: $0.incarnation, positions: try RangeSet($0.examples))
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
        wire.makeUps = makeUps.map { makeUp in
            var entry = WireMakeUp()
            entry.view = makeUp.view
            entry.incarnation = makeUp.incarnation
            entry.examples = makeUp.positions.wire
            return entry
        }
        return wire
    }
}
