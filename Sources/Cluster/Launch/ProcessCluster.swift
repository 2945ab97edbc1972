internal import Foundation
internal import Glibc
public import Messaging

/// A whole job on this machine: the coordinator in this process, each server and worker in a child process.
///
/// A child is the same program as this process, started with `server …` or `worker …`, so that the program's own kinds of
/// job work. Must be called from the main thread: the children end with the thread that started them.
public enum ProcessCluster {
    public struct Options: Sendable {
        /// ipc, tcp or tls+tcp; nil: `cluster.transport`, or ipc.
        public var transport: JobConfig.Cluster.Transport?
        public var coordinator = CoordinatorOptions()
        /// Passes on the lines that children print, each with the child's name.
        public var isVerbose = false
        /// The program with the commands `server` and `worker`.
        public var program = "/proc/self/exe"

        public init() {}
    }

    /// Runs the job and waits until every child has ended.
    ///
    /// - Parameters:
    ///   - onProgress: receives the progress several times a second.
    ///   - onEvent: receives lines for the log, on several threads.
    /// - Throws: `JobError` if the job fails; `ConfigurationError`, `NodeError`, or what building the graph or reading the
    ///   data throws. No child runs then.
    public static func launch(
        config: JobConfig, job: any TrainingJob, options: Options, stop: StopSignal,
        onProgress: @escaping @Sendable (JobProgress) -> Void, onEvent: @escaping @Sendable (String) -> Void
    ) throws -> JobReport {
        let folder = try TemporaryDirectory(onEvent: onEvent)
        defer { folder.remove() }
        // A process that ends at once does not run `defer`.
        return try stop.observed(by: { [folder] request, _ in if request == .now { folder.remove() } }) {
            try launch(config, job, options, stop, folder, onProgress, onEvent)
        }
    }

    private static func launch(
        _ config: JobConfig, _ job: any TrainingJob, _ options: Options, _ stop: StopSignal,
        _ folder: TemporaryDirectory, _ onProgress: (JobProgress) -> Void,
        _ onEvent: @escaping @Sendable (String) -> Void
    ) throws -> JobReport {
        var config = config
        let transport = options.transport ?? config.cluster.transport ?? .ipc
        guard transport != .inproc else {
            throw NodeError(.configuration, "inproc reaches no other process: launch takes ipc, tcp or tls+tcp")
        }
        config.cluster.transport = transport
        if transport == .tls, config.cluster.tls == .init() {
            config.cluster.tls = try CertificateFolder.makeForThisMachine(in: folder.path)
        }
        var coordinatorOptions = options.coordinator
        let token = coordinatorOptions.token ?? JobToken.random()
        coordinatorOptions.token = token
        coordinatorOptions.acceptsNodes = false
        if transport == .tls {
            coordinatorOptions.tls = try config.cluster.tls.forServer()
            guard config.cluster.tls.ca != nil else {
                throw NodeError(
                    .configuration, "launch over tls+tcp needs cluster.tls.ca, the authority of cluster.tls.certificate"
                )
            }
        }
        func listening(_ name: String) throws -> Address {
            try Address(transport == .ipc ? "ipc://\(folder.path)/\(name)" : "\(transport.rawValue)://127.0.0.1:0")
        }

        let coordinator = try Coordinator(
            config: config, job: job, listen: listening("coordinator"), options: coordinatorOptions)
        let children = ChildProcesses(
            onLine: { name, line in if options.isVerbose { onEvent("\(name) | \(line)") } },
            onExit: { exit in
                guard !exit.ending.isSuccess, stop.request != .now else { return }
                onEvent(exit.description)
                let role: NodeRole = exit.name.hasPrefix("server") ? .server : .worker
                coordinator.childDied(role: role, pid: Int(exit.pid), description: "\(exit.name) \(exit.ending)")
            })
        defer { children.terminate(grace: .milliseconds(200)) }
        var common = ["--coordinator", coordinator.address.description, "--parent", "\(getpid())"]
        // ipc does not use the certificates of a job that uses TLS elsewhere.
        if transport == .tls { common += config.cluster.tls.arguments }
        // Not in the environment: the children's own children would inherit it, and /proc shows it while they run.
        common += ["--token-file", try folder.keep(token, as: "token")]
        func start(_ role: String, _ number: Int, _ arguments: [String]) throws {
            try children.start(
                .init(
                    name: "\(role) \(number)", path: options.program, title: CommandLine.arguments.first,
                    arguments: [role] + common + ["--number", "\(number)"] + arguments,
                    // The processes share the cores: a thread that spins at a barrier would take a core from a process
                    // that still computes. GCC's OpenMP runtime reads the variable when a program starts.
                    environment: [
                        "GOMP_SPINCOUNT": ProcessInfo.processInfo.environment["GOMP_SPINCOUNT"] ?? "1000"
                    ]))
        }
        let ofServers = transport == .tls ? config.cluster.tls.clientCA.map { ["--tls-client-ca", $0] } ?? [] : []
        for number in 0..<config.cluster.servers {
            try start("server", number, ["--listen", listening("server-\(number)").description] + ofServers)
        }
        for number in 0..<config.cluster.workers { try start("worker", number, []) }

        var report = try stop.observed(by: { [children] request, _ in if request == .now { children.signal(SIGKILL) } })
        {
            try coordinator.report(stop: stop, onProgress: onProgress, onEvent: onEvent)
        }
        let isStopping = stop.request != .none || report.status != .finished
        if !children.waitForAll(atMost: isStopping ? .milliseconds(500) : .seconds(10)) {
            onEvent(
                "these still ran after the end of the job and are ended now: \(children.running.joined(separator: ", "))"
            )
            children.terminate(grace: .milliseconds(200))
        }
        let exits = children.exits
        func withStatus(_ node: JobReport.Node) -> JobReport.Node {
            var node = node
            if let exit = exits.first(where: { Int($0.pid) == node.pid }) { node.exitStatus = Int(exit.ending.status) }
            return node
        }
        report.servers = report.servers.map(withStatus)
        report.workers = report.workers.map(withStatus)
        return try report.checked()
    }
}

extension JobConfig.Cluster.TLS {
    /// These files as options of a node's command line.
    var arguments: [String] {
        [
            ("--tls-certificate", certificate), ("--tls-key", key), ("--tls-ca", ca),
            ("--tls-server-name", serverName),
        ].flatMap { option, value in value.map { [option, $0] } ?? [] }
    }

    /// The TLS options of a listener. With `clientCA`, clients must show a certificate.
    /// - Throws: `NodeError` if the certificate or its key is missing.
    public func forServer() throws -> TLS {
        guard let certificate, let key else {
            throw NodeError(.configuration, "tls+tcp needs cluster.tls.certificate and cluster.tls.key")
        }
        return .server(
            certificate: .file(certificate), key: .file(key), clientAuthority: clientCA.map { .file($0) })
    }

    /// The TLS options of a client, which shows the certificate if the server asks for one; nil without an authority.
    public var forClient: TLS? {
        ca.map {
            .client(
                authority: .file($0), serverName: serverName, certificate: certificate.map { .file($0) },
                key: key.map { .file($0) })
        }
    }
}
