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
            the job does. On one machine a socket in a folder of yours is the simplest; only you can connect to it:

              tributary coordinator job.yaml --listen ipc://$PWD/job

            On TCP all nodes must know one token: --token-file, TRIBUTARY_TOKEN, or cluster.token_file. Without \
            these the coordinator makes one and logs the file it is in; nodes of the same user on the same machine find \
            it by the address. Beyond this machine a job needs TLS (see 'tributary help certificates'), unless \
            cluster.insecure is true.

              tributary coordinator job.yaml --listen tcp://127.0.0.1:7000
              tributary coordinator job.yaml --address-file address

            The last takes any free port and writes the address, and the token it makes to address.token.
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions

    @Option(
        help: ArgumentHelp("Where to listen (default: cluster.address, or tcp://127.0.0.1:0).", valueName: "address"),
        transform: { try Address($0) })
    var listen: Address?

    @Option(
        help: ArgumentHelp(
            "Writes the address, with the port that was free, to a file, and a token that was made to FILE.token.",
            valueName: "file"))
    var addressFile: String?

    @OptionGroup var token: TokenOptions

    func run(_ invocation: Invocation) throws {
        let console = invocation.console
        Interruption.listen(invocation.stop, console: console)
        let config = try set.load(config, more: options.overrides, jobs: invocation.registry)
        try options.check(config)
        var coordinatorOptions = try options.coordinator(
            config, file: self.config, token: token.token(console), console)
        let listen = try listen ?? Address(config.cluster.address ?? "tcp://127.0.0.1:0")
        if listen.transport == .tls { coordinatorOptions.tls = try config.cluster.tls.forServer() }
        let coordinator = try Coordinator(
            config: config, job: invocation.job(for: config),
            listen: listen, options: coordinatorOptions)
        let place = coordinator.tokenFile.map { "; its token is in \($0)" } ?? ""
        console.log("coordinator listens on \(coordinator.address)\(place)")
        if let addressFile {
            let path = outputPath(addressFile)
            // Before the address: whoever sees that finds the token.
            if isFile(path) { try coordinator.writeToken(to: "\(path).token") }
            try AtomicFile.write(Array("\(coordinator.address)\n".utf8), to: path)
        }
        let report = try Results.report {
            try coordinator.run(
                stop: invocation.stop, onProgress: { console.show($0) }, onEvent: { console.log($0) })
        }
        try Results.finish(report, asJSON: options.json, isOutputTaken: options.losses == "-", console)
    }
}
