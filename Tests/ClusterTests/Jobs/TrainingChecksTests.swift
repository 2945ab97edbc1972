import Cluster
import Dataflow
import Foundation
import Synchronization
import Testing
import Training

/// A line through points, by a graph of the user's own.
private struct Line: TrainingJob {
    static let kind = "line"
    var batch: Int?
    var sums = false
    var rate: Double?

    func data(_ config: JobConfig) throws -> DataSplit {
        let count = config.data.limit ?? 96
        let x = (0..<count).map { Float($0 % 7) / 7 - 0.5 }
        let set = try Dataset(
            features: Tensor(x).reshaped([count, 1]), labels: Tensor(x.map { 3 * $0 - 1 }).reshaped([count, 1]),
            classes: 0)
        return try DataSplit(training: set, test: set.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [batch, 1], name: "x")
        let y = graph.placeholder(.float32, [batch, 1], name: "y")
        let error = square(dense(x, units: 1, name: "line") - y)
        let loss = sums ? sum(error) : mean(error)
        return TrainingModel(
            features: x, labels: y, loss: loss,
            train: GradientDescent(learningRate: LearningRate.constant(rate ?? config.train.learningRate)).minimize(
                loss))
    }
}

@Suite("What a job checks of its training", .serialized)
struct TrainingChecksTests {
    private func config(_ overrides: String) throws -> JobConfig {
        var config = try JobConfig.parse(
            yaml: """
                job: checks
                train: { batch: 32, epochs: 2, learning_rate: 0.01 }
                cluster: { workers: 1, threads_per_node: 1, consistency: sync }
                """, overrides: overrides.split(separator: " ").map(String.init))
        config.model.kind = Line.kind
        return config
    }

    private func events(_ config: JobConfig, _ job: Line) throws -> [String] {
        let lines = Mutex<[String]>([])
        let report = try LocalCluster.train(
            config, job: job, onEvent: { line in lines.withLock { $0.append(line) } })
        #expect(report.status == .finished, "\(report.reason ?? "")")
        return lines.withLock { $0 }
    }

    @Test("a job whose updates change no Variable says so, and no other does")
    func nothingTrained() throws {
        let sentence = "has changed a Variable"
        #expect(try events(config(""), Line(rate: 0)).contains { $0.contains(sentence) })
        #expect(try !events(config(""), Line()).contains { $0.contains(sentence) })
    }

    @Test("a batch that placeholders fix is checked before training begins")
    func fixedBatch() throws {
        func mistake(_ overrides: String, batch: Int = 32) throws -> String {
            let error = #expect(throws: NodeError.self) { try PreparedJob(config(overrides), Line(batch: batch)) }
            return error?.description ?? ""
        }
        #expect(try mistake("train.batch=16").contains("set it to 32"))
        #expect(try mistake("cluster.workers=2").contains("use one worker"))
        let rest = try mistake("", batch: 36)
        #expect(rest.contains("train.batch is 32"), "\(rest)")
        #expect(try mistake("train.batch=36", batch: 36).contains("has 24 of the 96 examples"))
        #expect(try events(config(""), Line(batch: 32)).count > 0)
        #expect(try events(config("cluster.workers=2 cluster.consistency=async"), Line(batch: 32)).count > 0)
    }

    @Test("a loss that is a sum is added up, not averaged, whatever the workers' parts")
    func sums() throws {
        let one = try AggregationTests.losses(config("train.learning_rate=0.001"), Line(sums: true))
        for workers in [2, 3] {
            let several = try AggregationTests.losses(
                config("train.learning_rate=0.001 cluster.workers=\(workers)"), Line(sums: true))
            #expect(several.count == one.count && zip(several, one).allSatisfy { Swift.abs($0 - $1) < 1e-4 * $1 })
        }
    }
}
