import Cluster
import Dataflow
import Testing
import Training

/// y = 3 x₀ − 2 x₁ + 1, with data of its own.
private struct Line: TrainingJob {
    static let kind = "line"

    func data(_ config: JobConfig) -> DataSplit {
        let grid = (0..<20).map { Float($0) / 10 - 1 }
        let x = grid.flatMap { row in grid.map { [row, $0] } }
        let y: [[Float]] = x.map { [3 * $0[0] - 2 * $0[1] + 1] }
        return DataSplit(
            Dataset(features: Tensor(x), labels: Tensor(y), classes: 0), testFraction: 0.25,
            seed: UInt64(config.seed))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 2])
        let y = graph.placeholder(.float32, [nil, 1])
        let loss = meanSquaredError(labels: y, predictions: dense(x, units: 1))
        return TrainingModel(
            features: x, labels: y, loss: loss, train: GradientDescent(learningRate: 0.1).minimize(loss))
    }
}

@Test("a job of one's own on a cluster in this process")
func localCluster() throws {
    var config = JobConfig()
    config.model.kind = Line.kind
    config.train.batch = 20
    config.train.length = .epochs(20)
    config.cluster.workers = 2
    let report = try LocalCluster.train(config: config, job: Line())
    #expect(report.status == "finished" && report.steps == 300)
    #expect((report.loss ?? 1) < 1e-4)
}
