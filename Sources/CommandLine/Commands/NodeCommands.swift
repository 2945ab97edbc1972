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

              tributary server --coordinator tcp://127.0.0.1:7000

            On another machine, with --token-file and the --tls options:

              tributary server --coordinator tls+tcp://10.0.0.5:7000 \
                --listen tls+tcp://10.0.0.6:0 …
            """)

    @OptionGroup var node: NodeProcessOptions

    @Option(
        help: ArgumentHelp("Where to listen for workers; port 0 is any free one.", valueName: "address"),
        transform: { try Address($0) })
    var listen: Address?

    func run(_ invocation: Invocation) throws {
        // Asked to end, it stays until the job is saved.
        Interruption.listen(invocation.stop, console: invocation.console)
        let options = try node.prepare(invocation)
        try ServerNode(
            coordinator: node.coordinator, listen: listen ?? Address("tcp://127.0.0.1:0"), options: options
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

              tributary worker --coordinator tcp://127.0.0.1:7000
            """)

    @OptionGroup var node: NodeProcessOptions

    func run(_ invocation: Invocation) throws {
        // Asked to end, it finishes its step and leaves; the batches it holds go to others.
        Interruption.listen(invocation.stop, console: invocation.console)
        let options = try node.prepare(invocation)
        try WorkerNode(coordinator: node.coordinator, options: options).run()
    }
}
