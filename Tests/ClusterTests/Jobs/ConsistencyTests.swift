import Cluster
import Dataflow
import Foundation
import Testing

/// Every model of consistency over real sockets.
@Suite("Models of consistency", .serialized)
struct ConsistencyTests {
    private func train(_ overrides: [String], epochs: Int = 6) throws -> JobReport {
        let config = try JobConfig.parse(
            yaml: """
                job: consistency
                model: { kind: mlp, hidden: [64] }
                data: { format: embedded, scale: min_max }
                train: { optimizer: adam, learning_rate: 0.003, schedule: cosine, batch: 50, epochs: \(epochs) }
                cluster: { servers: 2, workers: 3, threads_per_node: 1 }
                """, overrides: overrides)
        let report = try LocalCluster.train(config, job: MultilayerPerceptron())
        #expect(report.status == .finished && report.steps == 80 * epochs, "\(report.reason ?? "")")
        return report
    }

    private static let single = Result { () throws -> Double in
        let config = try JobConfig.parse(
            yaml: """
                model: { kind: mlp, hidden: [64] }
                data: { format: embedded, scale: min_max }
                train: { optimizer: adam, learning_rate: 0.003, schedule: cosine, batch: 50, epochs: 6 }
                cluster: { servers: 1, workers: 1, threads_per_node: 1, consistency: sync }
                """)
        return try LocalCluster.train(config, job: MultilayerPerceptron()).metrics["accuracy"] ?? 0
    }

    @Test(
        "each learns as well as a single process",
        arguments: [
            "async", "{async: {pipeline: true}}", "sync", "{sync: {backup: 1}}", "{staleness: 0}", "{staleness: 4}",
            "{sync: {sparse: async}}",
        ])
    func converges(consistency: String) throws {
        // Staler gradients want more steps.
        let report = try train(
            ["cluster.consistency=\(consistency)"], epochs: consistency.contains("pipeline") ? 12 : 6)
        let accuracy = try #require(report.metrics["accuracy"])
        let expected = try Self.single.get()
        print("\(consistency): \(accuracy), one process: \(expected)")
        #expect(expected > 0.9 && accuracy > expected - 0.01, "\(accuracy), a single process \(expected)")
    }

    @Test("a gradient divided by its staleness learns too")
    func scaled() throws {
        // Smaller steps want more of them.
        let report = try train(
            ["train.staleness_scaling=true", "train.optimizer=momentum", "train.learning_rate=0.05"], epochs: 24)
        let accuracy = try #require(report.metrics["accuracy"])
        #expect(accuracy > 0.9, "\(accuracy), staleness \(report.meanStaleness)")
    }

    @Test("bounded staleness keeps to its bound, and the report counts every gradient", arguments: [0, 2])
    func bounded(staleness: Int) throws {
        let report = try train(["cluster.consistency={staleness: \(staleness)}"])
        #expect(report.maxStaleness <= 2 * (2 * staleness + 2))
        let shards = report.gradients.applied / 480
        #expect(report.gradients.applied == 480 * shards && shards > 0)
        #expect(report.gradients.dropped.keys.allSatisfy { $0 == .repeated })
        #expect(report.gradients.staleness.values.reduce(0, +) == report.gradients.applied)
        #expect(report.workers.compactMap(\.gradients?.applied).reduce(0, +) == report.gradients.applied)
        #expect(report.missedExamples == 0 && report.samples == 24_000)
    }

    @Test("with a backup worker the slowest gradient of a step is dropped and told")
    func backup() throws {
        let report = try train(["cluster.consistency={sync: {backup: 1}}"])
        let late = report.gradients.dropped[.late] ?? 0
        #expect(late > 0 && report.gradients.dropped.keys.allSatisfy { $0 == .late })
        #expect(report.missedExamples > 0 && report.missedExamples < 12_000)
        let whole = try train(["cluster.consistency=sync"])
        #expect(whole.gradients.dropped == [:] && whole.missedExamples == 0 && whole.maxStaleness == 0)
    }
}
