internal import ArgumentParser
internal import Cluster

struct TrainCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains in this process, with a thread for each server and worker.",
        discussion: """
            Without a file it learns the handwritten digits that come with Tributary.

              tributary train
              tributary train job.yaml --workers 4 --set train.learning_rate=0.01
              tributary train job.yaml --checkpoint out --resume --json
              tributary train job.yaml --set train.steps=50 --trace trace.json     # open it in ui.perfetto.dev

            Ctrl-C ends the job, after a checkpoint if it has a checkpoint directory; a second Ctrl-C ends it at once.
            """)

    @Argument(help: "The job's YAML file.") var config: String?
    @OptionGroup var options: RunOptions
    @OptionGroup var set: SetOptions
    @Option(
        help: ArgumentHelp(
            "Writes the times of the operations of each node, the first 100,000 of each, for chrome://tracing or Perfetto.",
            valueName: "file"))
    var trace: String?

    func run(_ invocation: Invocation) throws {
        Interruption.listen(invocation.stop, console: invocation.console)
        let config = try set.load(config, more: options.overrides, jobs: invocation.registry)
        try options.check(config)
        let trace = trace == nil ? nil : Trace()
        let report = try Results.report {
            try LocalCluster.train(
                config, job: invocation.job(for: config), options: options.coordinator(config, invocation.console),
                stop: invocation.stop, trace: trace,
                onProgress: { [console = invocation.console] in console.show($0) },
                onEvent: { [console = invocation.console] in console.log($0) })
        }
        let traced = Result { if let file = self.trace { try trace?.write(to: outputPath(file)) } }
        try Results.finish(
            report, asJSON: options.json, isOutputTaken: [self.trace, options.losses].contains("-"), invocation.console)
        try traced.get()
    }
}
