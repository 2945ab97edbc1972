import ArgumentParser
import Dataflow

/// Training of a 784-512-256-10 network in one process, random batches fed.
struct MLP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mlp", abstract: "Training of a 784-512-256-10 network in one process.")

    @Option(help: "Threads of the session.") var threads = 2
    @Option(help: "Length of the timed part.") var seconds = 10.0
    @Option(help: "Examples of a step.") var batch = 128
    @Option(help: "Untimed steps first.") var warmup = 30
    @Option(help: "Seed of the data and the initial values.") var seed = 1

    func run() throws {
        let graph = Graph(seed: seed)
        let network = BenchNetwork(in: graph)
        let feeds = try BenchNetwork.batches(16, batch: batch, seed: seed).map {
            [network.images: $0.images, network.labels: $0.labels]
        }
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let timing = try Timing(warmup: warmup, seconds: seconds) { step in
            _ = try session.run(network.train, feeds: feeds[step % 16])
        }
        let final: Float = try session.run(network.loss, feeds: feeds[0]).scalar()
        print(
            JSONLine(
                bench: "mlp",
                [("threads", .integer(threads)), ("batch", .integer(batch))] + timing.rates(batch: batch)
                    + [("final_loss", .number(Double(final)))]))
    }
}
