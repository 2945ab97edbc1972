internal import ArgumentParser
internal import Cluster
internal import Messaging

/// The options of both `server` and `worker`.
struct NodeProcessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the job's coordinator listens.", valueName: "address"),
        transform: { try Address($0) })
    var coordinator: Address

    @Option(
        help: ArgumentHelp(
            "Threads for computing (default: cluster.threads_per_node, or 1 for a server and a share of the cores for a worker).",
            valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The number to ask for, such as a pod's ordinal (default: the lowest free one).", valueName: "n"))
    var number: Int?

    @Option(help: .init("The id of the parent process; this process ends when the parent does.", visibility: .hidden))
    var parent: Int32?

    @OptionGroup var token: TokenOptions
    @OptionGroup var insecure: InsecureOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions

    func validate() throws {
        if let number, number < 0 { throw ValidationError("--number is \(number); numbers start at 0") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); it must be at least 1") }
    }

    /// The options of the node. Ties this process to its parent if `--parent` is given.
    func prepare(_ invocation: Invocation) throws -> NodeOptions {
        if let parent { try ParentProcess.follow(parent) }
        var options = NodeOptions()
        options.token = try token.token(invocation.console)
        options.isInsecure = insecure.insecure
        options.clientTLS = tls.tls.forClient
        options.threads = threads
        options.stop = invocation.stop
        options.jobs = invocation.jobs
        options.number = number
        options.onEvent = { [console = invocation.console] in console.log($0) }
        return options
    }
}
