public import ArgumentParser
public import Cluster

struct LaunchCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Trains on this machine, with a process for each server and worker.",
        discussion: """
            The coordinator runs in this process and starts the others; they end with it. If a process dies, its name, \
            exit status and last lines are printed. The job continues without a worker, not without a server.

              tributary launch job.yaml
              tributary launch job.yaml --servers 2 --workers 4 --transport tcp --verbose

            Ctrl-C ends the job, after a checkpoint if it has a checkpoint directory; a second Ctrl-C ends it at once.
            With --transport tls+tcp and no cluster.tls keys, launch makes a certificate for this job.
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions

    @Option(help: "The transport between the processes: ipc (the default), tcp or tls+tcp.")
    var transport: JobConfig.Cluster.Transport?

    @Flag(name: [.long, .short], help: "Shows the output of servers and workers.")
    var verbose = false

    func validate() throws {
        if transport == .inproc {
            throw ValidationError(
                "--transport inproc reaches no other process; use ipc, tcp or tls+tcp, or 'tributary train'")
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
