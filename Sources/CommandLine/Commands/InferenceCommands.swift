internal import ArgumentParser
internal import Cluster
internal import Foundation
internal import Interchange

struct EvaluateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measures what a checkpoint has learned, on the test part of the data.",
        discussion: "  tributary evaluate job.yaml --checkpoint out --json")

    @Argument(help: "The job's YAML file.") var config: String
    @Option(help: ArgumentHelp("The checkpoint's directory; the newest in it is taken.", valueName: "directory"))
    var checkpoint: String
    @OptionGroup var set: SetOptions
    @Flag(help: "Prints one JSON object.") var json = false

    func run(_ invocation: Invocation) throws {
        let config = try set.load(config, more: [checkpointOverride(checkpoint)], jobs: invocation.registry)
        let report = try Inference.evaluate(
            config: config, job: invocation.job(for: config), checkpoint: absolute(checkpoint),
            onEvent: { [console = invocation.console] in console.log($0) })
        if json { return try invocation.console.write(try Results.json(report)) }
        let values = ["loss \(ProgressLine.short(report.loss))"] + ProgressLine.list(report.metrics)
        try invocation.console.write(
            "\(ProgressLine.grouped(report.examples)) examples, step \(ProgressLine.grouped(report.step)): "
                + values.joined(separator: ", "))
    }
}

struct PredictCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Applies what a checkpoint has learned to examples.",
        discussion: """
            Writes CSV, a line for each example. Without --input it takes the test part of the job's data. Columns are found by \
            their names, in any order; scale, categories and classes are the checkpoint's, so that no training data is needed.

              tributary predict job.yaml --checkpoint out --input new.csv --output predictions.csv
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @Option(help: ArgumentHelp("The checkpoint's directory; the newest in it is taken.", valueName: "directory"))
    var checkpoint: String
    @Option(
        help: ArgumentHelp(
            "Features: .csv, .npy, .npz, or IDX, plain or gzipped; labels are passed over.", valueName: "file"))
    var input: String?
    @Option(help: ArgumentHelp("Where to write; - is standard output, as without it.", valueName: "file"))
    var output: String?
    @OptionGroup var set: SetOptions

    func run(_ invocation: Invocation) throws {
        let config = try set.load(config, more: [checkpointOverride(checkpoint)], jobs: invocation.registry)
        let predictions = try Inference.predict(
            config: config, job: invocation.job(for: config), checkpoint: absolute(checkpoint),
            input: input.map(absolute), onEvent: { [console = invocation.console] in console.log($0) })
        let lines = [csvLine(predictions.columns)] + predictions.rows.map(Self.line)
        if let output {
            try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: outputPath(output))
        } else {
            try invocation.console.write(lines.joined(separator: "\n"))
        }
    }

    /// Whole numbers, such as classes, without a decimal point.
    private static func line(_ row: [Double]) -> String {
        csvLine(row.map { value in Int(exactly: value).map(String.init) ?? "\(value)" })
    }
}
