internal import ArgumentParser
internal import Cluster
internal import Foundation
internal import Interchange

struct EvaluateCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Evaluates a checkpoint on the test part of the data.",
        discussion: "  tributary evaluate job.yaml --checkpoint out --json")

    @Argument(help: "The job's YAML file.") var config: String
    @Option(
        help: ArgumentHelp("The checkpoint directory; the newest checkpoint in it is used.", valueName: "directory"))
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
        commandName: "predict", abstract: "Predicts examples with a checkpoint.",
        discussion: """
            Writes CSV, a line for each example of --input, or of the test part of the job's data. Columns are found by \
            name, in any order. Scale, categories and classes come from the checkpoint; no training data is needed.

              tributary predict job.yaml --checkpoint out --input new.csv --output predictions.csv
            """)

    @Argument(help: "The job's YAML file.") var config: String
    @Option(
        help: ArgumentHelp("The checkpoint directory; the newest checkpoint in it is used.", valueName: "directory"))
    var checkpoint: String
    @Option(
        help: ArgumentHelp(
            "Examples: .csv, .npy, .npz, or IDX, plain or gzipped; labels in it are ignored.", valueName: "file"))
    var input: String?
    @Option(help: ArgumentHelp("The file for the predictions (default: -, standard output).", valueName: "file"))
    var output: String?
    @OptionGroup var set: SetOptions

    func run(_ invocation: Invocation) throws {
        let config = try set.load(config, more: [checkpointOverride(checkpoint)], jobs: invocation.registry)
        let predictions = try Inference.predict(
            config: config, job: invocation.job(for: config), checkpoint: absolute(checkpoint),
            input: input.map(absolute), onEvent: { [console = invocation.console] in console.log($0) })
        let lines = [csvLine(predictions.columns)] + predictions.rows.map(Self.line)
        if let output {
            try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: outputPath(output))
        } else {
            try invocation.console.write(lines.joined(separator: "\n"))
        }
    }

    /// A line of the CSV; whole numbers, such as classes, have no decimal point.
    private static func line(_ row: [Double]) -> String {
        csvLine(row.map { value in Int(exactly: value).map(String.init) ?? "\(value)" })
    }
}
