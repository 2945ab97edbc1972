import ArgumentParser
import Dataflow

/// Training of a 784-512-256-10 network in one process, random batches fed.
struct MLP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mlp", abstract: "Training of a 784-512-256-10 network in one process.")

    @OptionGroup var options: TrainingCase
    @Option(help: "Examples of a step.") var batch = 128

    func run() throws {
        try options.run("mlp", batch: batch, shape: [batch, 784], batches: 16) { .mlp(in: $0) }
    }
}
