import ArgumentParser
import Dataflow

/// Training of a LeNet-like network in one process, random batches fed.
struct CNN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cnn", abstract: "Training of a LeNet-like network on 28 x 28 x 1 images in one process.")

    @OptionGroup var options: TrainingCase
    @Option(help: "Examples of a step.") var batch = 64

    func run() throws {
        try options.run("cnn", batch: batch, shape: [batch, 28, 28, 1], batches: 8) { .cnn(in: $0) }
    }
}
