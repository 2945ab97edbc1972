internal import ArgumentParser
internal import Cluster
internal import Interchange
internal import Messaging

struct CoordinatorCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Coordinates a job whose servers and workers are started elsewhere.",
        discussion: """
            It waits for as many servers and workers as the configuration says, hands out the work, and ends when \
            the job does. Beyond this machine a job needs a token, and TLS unless cluster.insecure is true.

              tributary coordinator job.yaml --listen tcp://127.0.0.1:7000
              tributary coordinator job.yaml --address-file address

            The second takes any free port and writes the address where others can read it.
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions

    @Option(
        help: ArgumentHelp("Where to listen (default: cluster.address, or tcp://127.0.0.1:0).", valueName: "address"),
        transform: { try Address($0) })
    var listen: Address?

    @Option(help: ArgumentHelp("Writes the address, with the port that was free, to a file.", valueName: "file"))
    var addressFile: String?

    @OptionGroup var token: TokenOptions

    func run(_ invocation: Invocation) throws {
        let console = invocation.console
        Interruption.listen(invocation.stop, console: console)
        let config = try set.load(config, more: options.overrides, jobs: invocation.registry)
        try options.check(config)
        var coordinatorOptions = try options.coordinator(config)
        if let token = try token.token() { coordinatorOptions.token = token }
        let listen = try listen ?? Address(config.cluster.address ?? "tcp://127.0.0.1:0")
        if listen.transport == .tls { coordinatorOptions.tls = try config.cluster.tls.forServer() }
        let coordinator = try Coordinator(
            config: config, job: invocation.job(for: config),
            listen: listen, options: coordinatorOptions)
        console.log("coordinator listens on \(coordinator.address)")
        if let addressFile { try AtomicFile.write(Array("\(coordinator.address)\n".utf8), to: outputPath(addressFile)) }
        let report = try coordinator.run(
            stop: invocation.stop, onProgress: { console.show($0) }, onEvent: { console.log($0) })
        try Results.finish(report, asJSON: options.json, isOutputTaken: options.losses == "-", console)
    }
}
