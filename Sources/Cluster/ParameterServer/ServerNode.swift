internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import SwiftProtobuf

/// A parameter server: generic, without user code. It registers, gets its subgraph, initialises or restores it, and serves
/// pulls and pushes until the coordinator says that the job is over.
public struct ServerNode: Sendable {
    private let coordinator: Address
    private let listen: Address
    private let options: NodeOptions

    /// - Parameters:
    ///   - coordinator: the only address that must be known.
    ///   - listen: where the executors listen; port 0 takes any free one. Of several executors, those after the first take a
    ///     free port, or a name with "-1", "-2", … behind it.
    public init(coordinator: Address, listen: Address, options: NodeOptions) {
        self.coordinator = coordinator
        self.listen = listen
        self.options = options
    }

    /// Serves on the caller's thread and one for each executor until the job ends.
    ///
    /// Asked to end, it has the coordinator stop the job, and stays until the last checkpoint is written.
    /// - Throws: `NodeError`.
    public func run() throws {
        let stops = StopWatcher()
        defer { stops.end() }
        do { try join(stops) } catch is NodeStopped { options.onEvent("stopped before the job began") }
    }

    private func join(_ stops: StopWatcher) throws {
        try checkAddress()
        let (control, config) = try NodeStart.connect(coordinator, options)
        defer { control.close() }
        let options = options.joined(by: control)
        try options.rules.checkListening(listen, token: options.token)
        control.persist(for: config.cluster.heartbeatTimeout, stop: options.stop)
        // More executors than a coordinator takes of one server serve nobody.
        let count = min(options.threads ?? config.cluster.threadsPerNode ?? 1, ServerNode.mostExecutors)
        let sockets = try (0..<count).map { try socket(ofExecutor: $0, options) }
        defer { sockets.forEach { $0.close() } }
        var registration = NodeRegistration(
            .server, host: NodeStart.host, pid: Int(getpid()), version: NodeStart.version,
            incarnation: UInt64.random(in: 1...(.max)))
        registration.addresses = sockets.map { "\($0.boundAddress)" }
        registration.wanted = options.number
        guard case .serverAssigned(let assigned) = try control.ask(.registerServer(registration.server)) else {
            throw control.unexpected()
        }
        let number = try Limit.node.check(assigned.number, "ServerAssigned.number")
        options.onEvent("server \(number) listens on \(registration.addresses.joined(separator: ", "))")
        let service = ServerService(
            number: number, incarnation: registration.incarnation, control: control, config: config, options: options)
        let program = try service.fetchProgram(executors: count)
        // What must stay in one shard may be larger than what is cut into blocks.
        let longest = program.program.shards.map { max($0.valueBytes, $0.pushBytes) }.max() ?? 0
        for socket in sockets { socket.allow(messagesOf: ExchangeCodec.longestMessage(shardBytes: Int(longest))) }
        let (executors, checkpoints) = try service.prepare(program, sockets, jobKey: assigned.jobKey)
        do { try service.serve(executors, checkpoints, stops) } catch let error as NodeError {
            throw stops.explain(error, timeout: config.cluster.heartbeatTimeout)
        }
    }

    /// The most executors of one server.
    static let mostExecutors = 256

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

    private func socket(ofExecutor executor: Int, _ options: NodeOptions) throws -> ReplySocket {
        let address =
            executor == 0
            ? listen : listen.port != nil ? listen.with(known: 0) : try Address("\(listen)-\(executor)")
        do {
            return try ReplySocket(
                listen: address, tls: options.serverTLS, secret: options.token ?? "",
                maximumMessage: ExchangeCodec.usualMessage)
        } catch { throw NodeError(.cannotCreate, "\(error)") }
    }

    /// Where a server listens if nothing says so: for this machine alone, as its coordinator is reached.
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
