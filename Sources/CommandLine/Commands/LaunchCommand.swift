public import ArgumentParser
public import Cluster

struct LaunchCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Trains on this machine, every server and worker a process.",
        discussion: """
            The coordinator runs here and starts the others; they end with it. A process that dies is named with \
            its exit status and its last words, and the job goes on without it if it was a worker.

              tributary launch job.yaml
              tributary launch job.yaml --servers 2 --workers 4 --transport tcp --verbose

            Ctrl-C writes a checkpoint, where there is a directory for it, and ends all; twice ends them at once.
            With --transport tls+tcp and no cluster.tls keys, a certificate for this one job is made.
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions

    @Option(help: "How the processes talk: ipc (the default), tcp or tls+tcp.")
    var transport: JobConfig.Cluster.Transport?

    @Flag(name: [.long, .short], help: "Shows what the servers and workers print.")
    var verbose = false

    func validate() throws {
        if transport == .inproc {
            throw ValidationError("--transport inproc reaches no other process; take ipc, tcp or tls+tcp, or 'train'")
        }
    }

    func run(_ invocation: Invocation) throws {
        Interruption.listen(invocation.stop, console: invocation.console)
        let config = try set.load(config, more: options.overrides, jobs: invocation.registry)
        try options.check(config)
        var launch = ProcessCluster.Options()
        launch.transport = transport
        launch.coordinator = try options.coordinator(config, file: self.config, invocation.console)
        launch.isVerbose = verbose
        let report = try Results.report {
            try ProcessCluster.launch(
                config: config, job: invocation.job(for: config), options: launch, stop: invocation.stop,
                onProgress: { [console = invocation.console] in console.show($0) },
                onEvent: { [console = invocation.console] in console.log($0) })
        }
        try Results.finish(report, asJSON: options.json, isOutputTaken: options.losses == "-", invocation.console)
    }
}

extension JobConfig.Cluster.Transport: ExpressibleByArgument {}
