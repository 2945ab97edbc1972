import Cluster
import Dataflow
import Foundation
import Testing
import Training

/// A table of weights beside a dense layer, each with a loss of its own: what the dense layer learns follows from the data
/// alone, whatever the table is at.
private struct TwoTowers: TrainingJob {
    static let kind = "two_towers"
    private static let rows = 60

    func data(_ config: JobConfig) throws -> DataSplit {
        let count = 300
        var random = Draws(state: 11)
        var features: [Float] = []
        var labels: [Float] = []
        for _ in 0..<count {
            let ids = (0..<3).map { _ in Float(random.next() % UInt64(Self.rows)) }
            let numbers = (0..<4).map { _ in Float(random.next() % 1000) / 500 - 1 }
            features += ids + numbers
            labels += [ids.reduce(0, +) / 60 - 1.5, numbers[0] - 0.5 * numbers[3]]
        }
        let set = try Dataset(
            features: Tensor(features, sized: [count, 7]), labels: Tensor(labels, sized: [count, 2]), classes: 0)
        return try DataSplit(training: set, test: set.prefix(60))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 7], name: "features")
        let y = graph.placeholder(.float32, [nil, 2], name: "labels")
        let targets = (0..<2).map { gather(y, graph.constant([Int32($0)]), axis: 1) }
        let ids = cast(gather(x, graph.constant([0, 1, 2] as [Int32]), axis: 1), to: .int32)
        let numbers = gather(x, graph.constant([3, 4, 5, 6] as [Int32]), axis: 1)
        let table = graph.variable(graph.randomUniform(shape: [Self.rows, 1], min: -0.1, max: 0.1), name: "table")
        let sparse = meanSquaredError(labels: targets[0], predictions: sum(gather(table, ids), axes: [1]))
        let hidden = dense(numbers, units: 16, activation: .tanh, name: "hidden")
        let output = dense(hidden, units: 1, name: "output")
        let loss = sparse + meanSquaredError(labels: targets[1], predictions: output)
        return TrainingModel(features: x, labels: y, loss: loss, train: config.minimize(loss, data: data))
    }
}

@Suite("Asynchronous tables of synchronous jobs", .serialized)
struct AsynchronousTableTests {
    private func config(_ consistency: String, optimizer: String) throws -> JobConfig {
        var config = try JobConfig.parse(
            yaml: """
                job: tables
                train: { optimizer: \(optimizer), learning_rate: 0.1, batch: 30, epochs: 4 }
                cluster: { servers: 2, workers: 3, threads_per_node: 1 }
                """, overrides: ["cluster.consistency=\(consistency)"])
        config.model.kind = TwoTowers.kind
        return config
    }

    @Test(
        "tables take parts as they come, dense Variables stay in step: bit for bit those of a wholly synchronous job",
        arguments: ["adagrad", "adam"])
    func inStep(optimizer: String) throws {
        let job = TwoTowers()
        let config = try config("{sync: {backup: 0, sparse: async}}", optimizer: optimizer)
        let runs = try [UInt64(5), 6].map { try DelayedCluster.train(config, job, seed: $0, longest: 0.008) }
        let whole = try Trained(try self.config("sync", optimizer: optimizer), job) {
            try LocalCluster.train($0, job: job, options: $1)
        }
        let isEmbeddingTable = { (name: String) in name.contains("table") }
        let dense = whole.values.filter { !isEmbeddingTable($0.key) }
        #expect(dense.count >= 8 && whole.values.count > dense.count)
        #expect(whole.report.maxStaleness == 0)
        let shards = try PreparedJob(config, job).layout(executors: [1, 1]).shards
        let tables = shards.count { $0.isEmbeddingTable }
        #expect(tables > 0 && tables < shards.count)
        let pushes = 40 * 3
        for run in runs {
            #expect(run.report.status == .finished && run.report.steps == 40, "\(run.report.reason ?? "")")
            #expect(run.values.filter { !isEmbeddingTable($0.key) } == dense)
            #expect(Set(run.values.keys) == Set(whole.values.keys))
            // Every part goes in: with the dense shards' steps at staleness 0, and into tables behind those that came
            // between, at most three of each of the other workers, which go on when the dense parts are there.
            let ledger = run.report.gradients
            #expect(ledger.applied == pushes * shards.count && ledger.dropped.isEmpty)
            #expect(ledger.staleness[0, default: 0] >= pushes * (shards.count - tables))
            let stale = ledger.staleness.filter { $0.key != 0 }.values.reduce(0, +)
            #expect(stale > pushes * tables / 2 && stale <= pushes * tables, "\(ledger)")
            #expect(ledger.maxStaleness > 0 && ledger.maxStaleness <= 6)
            #expect(run.report.workers.allSatisfy { $0.gradients?.applied == 40 * shards.count })
            #expect(run.report.missedExamples == 0 && run.report.samples == 1200)
            let (first, last) = (run.losses[0] ?? 0, run.losses[39] ?? .nan)
            #expect(last < 0.3 * first, "\(first) to \(last)")
        }
    }
}
