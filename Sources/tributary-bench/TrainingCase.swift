import ArgumentParser
import Dataflow
import Foundation

/// What the cases that train a network in one process have in common.
struct TrainingCase: ParsableArguments {
    @Option(help: "Threads of the session.") var threads = 2
    @Option(help: "Length of the timed part.") var seconds = 10.0
    @Option(help: "Untimed steps first.") var warmup = 30
    @Option(help: "Seed of the data and the initial values.") var seed = 1
    @Flag(help: "Also print, to stderr, where the time of further steps goes.") var profile = false

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
        let feeds: [Feeds] = try BenchNetwork.batches(batches, shape: shape, batch: batch, seed: seed).map {
            [network.images: $0.images, network.labels: $0.labels]
        }
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let timing = try Timing(warmup: warmup, seconds: seconds) { step in
            _ = try session.run(network.train, feeds: feeds[step % batches])
        }
        if profile {
            try printProfile { _ = try session.run(network.train, feeds: feeds[$0 % batches], profile: $1) }
        }
        let final: Float = try session.run(network.loss, feeds: feeds[0]).scalar()
        print(
            JSONLine(
                bench: name,
                [("threads", .integer(threads)), ("batch", .integer(batch))] + extents + timing.rates(batch: batch)
                    + [("final_loss", .number(Double(final))), ("peak_rss_mb", .number(peakResidentMegabytes()))]))
    }
}

/// Runs 50 steps and prints to stderr the milliseconds that one takes, by operation.
func printProfile(_ step: (Int, Profile) throws -> Void) rethrows {
    let (profile, steps) = (Profile(), 50)
    for i in 0..<steps { try step(i, profile) }
    let lines = profile.byOperation.map { total in
        let milliseconds = String(format: "%9.4f", total.seconds / Double(steps) * 1e3)
        return "\(milliseconds) ms  \(total.count / steps) x \(total.operation)\n"
    }
    FileHandle.standardError.write(Data(lines.joined().utf8))
}

/// The most memory that this process has had resident.
private func peakResidentMegabytes() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
}
