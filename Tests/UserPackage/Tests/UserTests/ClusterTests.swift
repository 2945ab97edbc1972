import Cluster
import Dataflow
import Testing
import Training

/// y = 3 x₀ − 2 x₁ + 1, with data of its own.
private struct Line: TrainingJob {
    static let kind = "line"

    func data(_ config: JobConfig) throws -> DataSplit {
        let grid = (0..<20).map { Float($0) / 10 - 1 }
        let x = grid.flatMap { row in grid.map { [row, $0] } }
        let y: [[Float]] = x.map { [3 * $0[0] - 2 * $0[1] + 1] }
        return try DataSplit(
            Dataset(features: Tensor(x), labels: Tensor(y), classes: 0), testFraction: 0.25, seed: UInt64(config.seed))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 2])
        let y = graph.placeholder(.float32, [nil, 1])
        let out = dense(x, units: 1)
        let loss = meanSquaredError(labels: y, predictions: out)
        return TrainingModel(
            features: x, labels: y, loss: loss, metrics: [.rmse, .r2], predictions: out,
            train: GradientDescent(learningRate: 0.1).minimize(loss))
    }
}

@Test("a job of one's own on a cluster in this process")
func localCluster() async throws {
    var config = JobConfig()
    config.train.batch = 20
    config.train.epochs = 20
    config.cluster.workers = 2
    let report = try await LocalCluster.train(config, job: Line())
    #expect(report.status == .finished && report.steps == 300)
    #expect((report.loss ?? 1) < 1e-4 && (report.metrics["rmse"] ?? 1) < 1e-2 && (report.metrics["r2"] ?? 0) > 0.999)
}

@Test("a job that is cancelled by its task stops in good order")
func cancellation() async throws {
    var config = JobConfig()
    config.train.epochs = 1_000_000
    config.train.batch = 20
    let cluster = Task { [config] in try await LocalCluster.train(config, job: Line()) }
    try await Task.sleep(for: .seconds(1))
    cluster.cancel()
    #expect(try await cluster.value.status == .stopped)
}

@Test("a configuration made in Swift is checked before anything starts")
func mistakenConfiguration() async throws {
    var config = JobConfig()
    config.train.batch = 0
    await #expect(throws: ConfigurationError.self) { try await LocalCluster.train(config, job: Line()) }
}
