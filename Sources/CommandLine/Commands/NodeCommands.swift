internal import ArgumentParser
internal import Cluster
internal import Messaging

struct ServerCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Serves parameters to a job: holds variables and applies updates.",
        discussion: """
            It needs no configuration: the coordinator sends it what to hold. It ends with the job.

              tributary server --coordinator ipc://$PWD/job

            Without --listen it listens as the coordinator does, for this machine alone: on ipc beside the \
            coordinator's socket, or on any free port of 127.0.0.1.

            On another machine, with the files of 'tributary certificates':

              tributary server --coordinator tls+tcp://10.0.0.5:7000 \
                --listen tls+tcp://10.0.0.6:0 --token-file token --tls-ca authority.pem \
                --tls-certificate server.pem --tls-key server.key --tls-client-ca authority.pem
            """)

    @OptionGroup var node: NodeProcessOptions

    @Option(
        help: ArgumentHelp("Where to listen for workers; port 0 is any free one.", valueName: "address"),
        transform: { try Address($0) })
    var listen: Address?

    @Option(
        help: ArgumentHelp(
            "PEM file of the authority whose certificate workers must show.", valueName: "file"))
    var tlsClientCa: String?

    func validate() throws {
        if tlsClientCa != nil, node.tls.tlsCertificate == nil {
            throw ValidationError("--tls-client-ca has no effect without --tls-certificate and --tls-key")
        }
    }

    func run(_ invocation: Invocation) throws {
        // Asked to end, it stays until the job is saved.
        Interruption.listen(invocation.stop, console: invocation.console)
        var options = try node.prepare(invocation)
        if node.tls.tlsCertificate != nil {
            var tls = node.tls.tls
            tls.clientCA = tlsClientCa.map(absolute)
            options.serverTLS = try tls.forServer()
        }
        try ServerNode(
            coordinator: node.coordinator, listen: listen ?? ServerNode.standardListen(beside: node.coordinator),
            options: options
        ).run()
    }
}

struct WorkerCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Works for a job: computes gradients on its share of the data.",
        discussion: """
            It gets the configuration from the coordinator and reads the data by the paths in there. It ends with \
            the job. More may join while the job runs.

              tributary worker --coordinator ipc://$PWD/job

            On another machine, with the files of 'tributary certificates':

              tributary worker --coordinator tls+tcp://10.0.0.5:7000 --token-file token \
                --tls-ca authority.pem --tls-certificate client.pem --tls-key client.key
            """)

    @OptionGroup var node: NodeProcessOptions

    func run(_ invocation: Invocation) throws {
        // Asked to end, it finishes its step and leaves; the batches it holds go to others.
        Interruption.listen(invocation.stop, console: invocation.console)
        let options = try node.prepare(invocation)
        try WorkerNode(coordinator: node.coordinator, options: options).run()
    }
}
