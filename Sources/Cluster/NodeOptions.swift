public import Dataflow
public import Messaging

/// How a server or a worker runs.
public struct NodeOptions: Sendable {
    /// The job's shared secret; nil: what the coordinator left for this user on this machine, if it did.
    public var token: String?
    /// For `tls+tcp`: what to check the coordinator and servers against.
    public var clientTLS: TLS?
    /// For `tls+tcp`: the certificate that a server shows.
    public var serverTLS: TLS?
    /// Allows plain connections beyond this machine, whatever the job's configuration says.
    public var isInsecure: Bool
    /// Threads of a worker's session, executors of a server; nil: what the job's configuration says, or the node's share of
    /// the cores.
    public var threads: Int?
    /// The kinds of model that this program knows besides the built-in ones.
    public var jobs: [any TrainingJob]
    /// The number that the node asks for; it gets another where this one is taken.
    public var number: Int?
    /// How long to look for the coordinator.
    public var joinTimeout: Duration
    /// Receives a line for the log.
    public var onEvent: @Sendable (String) -> Void
    /// Collects what the operations of the node's sessions take.
    public var profile: Profile?
    /// True once the process was asked to end.
    public var stop: StopSignal

    public init(
        token: String? = nil, clientTLS: TLS? = nil, serverTLS: TLS? = nil, isInsecure: Bool = false,
        threads: Int? = nil,
        jobs: [any TrainingJob] = [], number: Int? = nil, joinTimeout: Duration = .seconds(60),
        stop: StopSignal = StopSignal(), profile: Profile? = nil,
        onEvent: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.token = token
        self.clientTLS = clientTLS
        self.serverTLS = serverTLS
        self.isInsecure = isInsecure
        self.threads = threads.map { max($0, 1) }
        self.jobs = jobs
        self.number = number
        self.joinTimeout = joinTimeout
        self.stop = stop
        self.profile = profile
        self.onEvent = onEvent
    }
}

extension NodeOptions {
    /// Where this node may listen and whom it may dial.
    var rules: ConnectionRules { ConnectionRules(client: clientTLS, server: serverTLS, isInsecure: isInsecure) }

    /// These options with the token that the coordinator took.
    func joined(by control: ControlClient) -> NodeOptions {
        var options = self
        options.token = control.token.isEmpty ? nil : control.token
        return options
    }
}

extension NodeOptions: CustomStringConvertible {
    /// Without its token.
    public var description: String {
        let kinds = jobs.map { type(of: $0).kind }.joined(separator: ", ")
        return
            "options of node \(number.map(String.init) ?? "any"), \(threads.map { "\($0) threads" } ?? "its share of the cores")"
            + (kinds.isEmpty ? "" : ", with the kinds \(kinds)")
    }
}
