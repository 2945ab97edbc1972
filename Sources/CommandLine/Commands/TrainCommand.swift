internal import ArgumentParser
internal import Cluster

struct TrainCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains in this process: servers and workers are threads.",
        discussion: """
            Without a file it trains on the handwritten digits that come with Tributary.

              tributary train
              tributary train job.yaml --workers 4 --set train.learning_rate=0.01
              tributary train job.yaml --checkpoint out --resume --json

            Ctrl-C writes a checkpoint, where there is a directory for it, and ends; twice ends at once.
            """)

    @Argument(help: "The job's YAML file.") var config: String?
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions

    func run(_ invocation: Invocation) throws {
        let stop = StopSignal()
        Interruption.listen(stop, console: invocation.console)
        let config = try set.load(config, more: options.overrides, jobs: invocation.registry)
        try options.check(config)
        let report = try LocalCluster.train(
            config: config, job: invocation.job(for: config), options: options.coordinator(config), stop: stop,
            onProgress: { [console = invocation.console] in console.show($0) },
            onEvent: { [console = invocation.console] in console.log($0) })
        try Results.finish(report, asJSON: options.json, invocation.console)
    }
}
