internal import ArgumentParser
internal import Cluster
internal import Interchange
internal import Messaging

struct CoordinatorCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Coordinates a job; you start its servers and workers yourself.",
        discussion: """
            It waits for the servers and workers that the configuration asks for, hands out the work, and ends with \
            the job. On one machine, a socket in a folder of yours is the simplest; only you can connect to it:

              tributary coordinator job.yaml --listen ipc://$PWD/job

            On TCP all nodes need the same token: --token-file, TRIBUTARY_TOKEN, or cluster.token_file. Without \
            these the coordinator makes a token and logs its file; nodes of the same user on the same machine find \
            that file by the coordinator's address. A job on several machines needs TLS (see 'tributary help \
            certificates'), unless cluster.insecure is true.

              tributary coordinator job.yaml --listen tcp://127.0.0.1:7000
              tributary coordinator job.yaml --address-file address

            The last one listens on any free port, and writes the address to the file address and its token to address.token.
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
            "Writes the address, with its port, to a file, and a token that the coordinator made to FILE.token.",
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
            // Written before the address, so that a reader of the address finds the token.
            if isFile(path) { try coordinator.writeToken(to: "\(path).token") }
            try AtomicFile.write("\(coordinator.address)\n", to: path)
        }
        let report = try Results.report {
            try coordinator.run(
                stop: invocation.stop, onProgress: { console.show($0) }, onEvent: { console.log($0) })
        }
        try Results.finish(report, asJSON: options.json, isOutputTaken: options.losses == "-", console)
    }
}
