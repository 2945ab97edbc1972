import Cluster
import Dataflow
import Foundation
import Testing
import Training

/// A line through points, with a learning rate of some kind.
private struct RatedLine: TrainingJob {
    enum Rate: CaseIterable {
        case schedule, node, doubleNode, variable, number, ofLoss
    }

    static let kind = "rated_line"
    var rate: Rate

    func data(_ config: JobConfig) throws -> DataSplit {
        let x = (0..<96).map { Float($0 % 7) / 7 - 0.5 }
        let set = try Dataset(
            features: Tensor(x, shape: [96, 1]), labels: Tensor(x.map { 3 * $0 - 1 }, shape: [96, 1]), classes: 0)
        return try DataSplit(training: set, test: set.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 1], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let loss = meanSquaredError(labels: y, predictions: dense(x, units: 1, name: "line"))
        let step = graph.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        func minimize(_ rate: some LearningRateConvertible) -> Node {
            Adam(learningRate: rate).minimize(loss, globalStep: step)
        }
        let train =
            switch rate {
            case .schedule: minimize(.exponentialDecay(initial: 0.25, steps: 1, rate: 0.5))
            case .node: minimize(0.25 * pow(graph.constant(Float(0.5)), cast(step, to: .float32)))
            case .doubleNode: minimize(0.25 * pow(graph.constant(0.5, dtype: .float64), cast(step, to: .float64)))
            case .variable: minimize(graph.variable(Tensor(0.25), name: "rate", trainable: false))
            case .number: minimize(0.25)
            case .ofLoss: minimize(0.25 * minimum(loss, graph.constant(Float(1))))
            }
        return TrainingModel(features: x, labels: y, loss: loss, train: train)
    }
}

@Suite("Learning rates of servers", .serialized)
struct RateNodeTests {
    private func losses(_ rate: RatedLine.Rate, workers: Int = 1) throws -> [Double] {
        var config = try JobConfig.parse(
            yaml: """
                job: rates
                train: { batch: 32, epochs: 3 }
                cluster: { workers: \(workers), threads_per_node: 1, consistency: sync }
                """)
        config.model.kind = RatedLine.kind
        return try AggregationTests.losses(config, RatedLine(rate: rate))
    }

    private func close(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { Swift.abs($0 - $1) <= 1e-5 * Swift.max(1, Swift.abs($1)) }
    }

    @Test("a node over the global step is the schedule that it computes, a Variable the number that it holds")
    func nodes() throws {
        let schedule = try losses(.schedule)
        #expect(try close(losses(.node), schedule) && close(losses(.doubleNode), schedule))
        #expect(try close(losses(.node, workers: 2), schedule))
        #expect(try close(losses(.variable), losses(.number)))
        #expect(try !close(losses(.number), schedule))
    }

    @Test("a rate of the batch's loss is of the whole batch's, however many workers share it")
    func dataDependent() throws {
        #expect(try close(losses(.ofLoss), losses(.ofLoss, workers: 2)))
    }
}
