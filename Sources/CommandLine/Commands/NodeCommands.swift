internal import ArgumentParser
internal import Cluster
internal import Messaging

struct ServerCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Runs a parameter server: holds Variables and applies updates.",
        discussion: """
            It needs no configuration: the coordinator sends its part of the Variables. It ends with the job.

              tributary server --coordinator ipc://$PWD/job

            Without --listen it listens for this machine only: on an ipc socket beside the coordinator's, or on any free \
            port of 127.0.0.1.

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
            "PEM file of the authority that must have signed the certificates of workers.", valueName: "file"))
    var tlsClientCa: String?

    func validate() throws {
        if tlsClientCa != nil, node.tls.tlsCertificate == nil {
            throw ValidationError("--tls-client-ca has no effect without --tls-certificate and --tls-key")
        }
    }

    func run(_ invocation: Invocation) throws {
        // A server that is asked to end stays until the checkpoint is written.
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
        abstract: "Runs a worker: computes gradients on its share of the data.",
        discussion: """
            It gets the configuration from the coordinator and reads the data from the paths in it. It ends with the \
            job. More workers can join while the job runs.

              tributary worker --coordinator ipc://$PWD/job

            On another machine, with the files of 'tributary certificates':

              tributary worker --coordinator tls+tcp://10.0.0.5:7000 --token-file token \
                --tls-ca authority.pem --tls-certificate client.pem --tls-key client.key
            """)

    @OptionGroup var node: NodeProcessOptions

    func run(_ invocation: Invocation) throws {
        // A worker that is asked to end finishes its step and leaves; other workers get its remaining batches.
        Interruption.listen(invocation.stop, console: invocation.console)
        let options = try node.prepare(invocation)
        try WorkerNode(coordinator: node.coordinator, options: options).run()
    }
}
