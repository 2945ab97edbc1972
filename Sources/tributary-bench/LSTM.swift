import ArgumentParser
import Dataflow

/// Training of one layer of long short-term memory in one process, random batches fed.
struct LSTM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lstm", abstract: "Training of a layer of long short-term memory in one process.")

    @OptionGroup var options: TrainingCase
    @Option(help: "Examples of a step.") var batch = 32
    @Option(help: "Features of a time step.") var input = 128
    @Option(help: "Units of the layer.") var hidden = 256
    @Option(help: "Time steps.") var seq = 50

    func run() throws {
        let extents: [(String, JSONLine.Value)] = [
            ("input", .integer(input)), ("hidden", .integer(hidden)), ("seq", .integer(seq)),
        ]
        try options.run("lstm", batch: batch, shape: [seq, batch, input], batches: 4, extents: extents) {
            .lstm(in: $0, steps: seq, batch: batch, inputs: input, units: hidden)
        }
    }
}
