import ArgumentParser
import Dataflow
import Foundation

/// What the cases that train a network in one process have in common.
struct TrainingCase: ParsableArguments {
    @Option(help: "Threads of the session.") var threads = 2
    @Option(help: "Length of the timed part.") var seconds = 10.0
    @Option(help: "Untimed steps first.") var warmup = 30
    @Option(help: "Seed of the data and the initial values.") var seed = 1

    /// Trains on random batches in turn, fed anew in each step, and prints the figures.
    ///
    /// - Parameters:
    ///   - shape: of a batch of features.
    ///   - batches: how many different ones.
    ///   - extents: what else describes the case.
    func run(
        _ name: String, batch: Int, shape: Shape, batches: Int, extents: [(String, JSONLine.Value)] = [],
        _ network: (Graph) -> BenchNetwork
    ) throws {
        let graph = Graph(seed: seed)
        let network = network(graph)
        let feeds = try BenchNetwork.batches(batches, shape: shape, batch: batch, seed: seed).map {
            [network.images: $0.images, network.labels: $0.labels]
        }
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let timing = try Timing(warmup: warmup, seconds: seconds) { step in
            _ = try session.run(network.train, feeds: feeds[step % batches])
        }
        let final: Float = try session.run(network.loss, feeds: feeds[0]).scalar()
        print(
            JSONLine(
                bench: name,
                [("threads", .integer(threads)), ("batch", .integer(batch))] + extents + timing.rates(batch: batch)
                    + [("final_loss", .number(Double(final))), ("peak_rss_mb", .number(peakResidentMegabytes()))]))
    }
}

/// The most memory that this process has had resident.
private func peakResidentMegabytes() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
}
