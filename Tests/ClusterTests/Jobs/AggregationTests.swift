import Cluster
import Dataflow
import Foundation
import Testing
import Training

/// A regression by a table's rows or by whole Variables alone.
private struct Regression: TrainingJob {
    static let kind = "regression"
    var hasTable: Bool
    /// Another table, with more rows, by the same indices.
    var hasSecond = false

    func data(_ config: JobConfig) throws -> DataSplit {
        let count = 120
        // Some examples name an id twice, and all workers' parts of a batch share some.
        let ids = (0..<count * 3).map { ($0 * $0 * 7 + $0 * 13) % 17 }
        let labels = (0..<count).map { i in Float(ids[i * 3..<i * 3 + 3].reduce(0, +)) / 17 - 1.5 }
        let set = try Dataset(
            features: Tensor(ids.map { Float($0) }).reshaped([count, 3]), labels: Tensor(labels).reshaped([count, 1]),
            classes: 0)
        return try DataSplit(training: set, test: set.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 3], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        func rows(_ name: String, _ shape: Shape) -> Node {
            let table = graph.variable(graph.randomUniform(shape: shape, min: -0.1, max: 0.1), name: name)
            return sum(gather(table, cast(x, to: .int32)), axes: [1])
        }
        var inputs = hasTable ? rows("table", [17, 4]) : tanh(dense(x / 17, units: 6, name: "hidden"))
        if hasSecond { inputs = concat([inputs, rows("second", [23, 3])], axis: 1) }
        let loss = meanSquaredError(labels: y, predictions: dense(inputs, units: 1, name: "output"))
        return TrainingModel(features: x, labels: y, loss: loss, train: config.minimize(loss, data: data))
    }
}

/// A line through points, with gradients of bfloat16.
private struct HalfLine: TrainingJob {
    static let kind = "half"

    func data(_ config: JobConfig) throws -> DataSplit {
        let x = (0..<80).map { Float($0 % 16) / 8 - 1 }
        let set = try Dataset(
            features: Tensor(x).reshaped([80, 1]), labels: Tensor(x.map { 3 * $0 }).reshaped([80, 1]), classes: 0)
        return try DataSplit(training: set, test: set.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 1], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let slope = graph.variable(graph.constant([[1.0]]), name: "slope")
        let half = cast(slope, to: .bfloat16)
        let loss = meanSquaredError(labels: y, predictions: matmul(x, cast(half, to: .float32)))
        let gradient = graph.gradients(of: loss, by: [half])[0]!
        let train = slope.assignSub(cast(gradient, to: .float32) * 0.25)
        return TrainingModel(features: x, labels: y, loss: loss, train: train)
    }
}

@Suite("Synchronous steps do not depend on the number of workers", .serialized)
struct AggregationTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Programs").standardizedFileURL

    /// The losses that a job tells.
    static func losses(_ config: JobConfig, _ job: some TrainingJob) throws -> [Double] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("losses-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let report = try LocalCluster.train(config, job: job, options: CoordinatorOptions(lossesFile: file))
        #expect(report.status == .finished, "\(report.reason ?? "")")
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
        return lines.compactMap { Double($0.split(separator: ",")[1]) }
    }

    /// The losses of the same steps in one session.
    private func local(_ config: JobConfig, _ job: some TrainingJob) throws -> [Double] {
        let prepared = try PreparedJob(config, job)
        let session = try Session(prepared.graph, options: SessionOptions(threads: 1))
        try session.execute(prepared.graph.globalVariablesInitializer())
        var schedule = prepared.schedule
        return try (0..<prepared.totalSteps).map { step in
            let feeds = prepared.feeds(prepared.data.training, schedule.indices(ofBatch: step), training: true)
            let before = try session.run(prepared.model.loss, feeds: feeds).doubles[0]
            _ = try session.run([prepared.model.train], feeds: feeds)
            return before
        }
    }

    private static func difference(_ got: [Double], _ expected: [Double]) -> Double {
        got.count == expected.count
            ? zip(got, expected).map { Swift.abs($0 - $1) / max(1, Swift.abs($1)) }.max() ?? 0 : .nan
    }

    @Test(
        "every rule, of whole Variables and of rows, clipped and not, with 1 to 4 workers",
        arguments: [
            "gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "adadelta", "ftrl",
        ])
    func everyRule(optimizer: String) throws {
        #expect(AggregationTests.names.count >= 20, "the programs of the next test are there")
        for hasTable in [false, true] {
            for clip in ["", "train.clip_norm=0.3"] {
                let job = Regression(hasTable: hasTable)
                func config(workers: Int) throws -> JobConfig {
                    var config = try JobConfig.parse(
                        yaml: """
                            job: steps
                            train: { optimizer: \(optimizer), learning_rate: 0.02, batch: 25, epochs: 4, epsilon: 0.001 }
                            cluster: { servers: 2, workers: \(workers), threads_per_node: 1, consistency: sync }
                            """.replacingOccurrences(
                                of: ", epsilon: 0.001",
                                with: ["rmsprop", "adam", "adamw"].contains(optimizer) ? ", epsilon: 0.001" : ""),
                        overrides: clip.isEmpty ? [] : [clip])
                    config.model.kind = Regression.kind
                    return config
                }
                let expected = try local(config(workers: 1), job)
                #expect(expected.count == 20)
                for workers in 1...4 {
                    let got = try AggregationTests.losses(config(workers: workers), job)
                    let difference = AggregationTests.difference(got, expected)
                    #expect(difference < 1e-6, "\(optimizer), table \(hasTable), \(clip), \(workers) workers")
                }
            }
        }
    }

    @Test("tables of other sizes that share indices are clipped together", arguments: ["adam", "adagrad"])
    func severalTables(optimizer: String) throws {
        let job = Regression(hasTable: true, hasSecond: true)
        func config(workers: Int) throws -> JobConfig {
            var config = try JobConfig.parse(
                yaml: """
                    job: steps
                    train: { optimizer: \(optimizer), learning_rate: 0.02, batch: 25, epochs: 4, clip_norm: 0.3 }
                    cluster: { servers: 2, workers: \(workers), threads_per_node: 1, consistency: sync }
                    """)
            config.model.kind = Regression.kind
            return config
        }
        let expected = try local(config(workers: 1), job)
        for workers in 1...3 {
            let got = try AggregationTests.losses(config(workers: workers), job)
            #expect(AggregationTests.difference(got, expected) < 1e-5, "\(workers) workers")
        }
    }

    @Test("gradients of bfloat16 are added up the same, whatever the form of those of float32")
    func halves() throws {
        func losses(_ overrides: [String]) throws -> [Double] {
            var config = try JobConfig.parse(
                yaml: """
                    job: steps
                    train: { batch: 5, epochs: 1, shuffle: false }
                    cluster: { servers: 1, workers: 2, threads_per_node: 1, consistency: sync }
                    """, overrides: overrides)
            config.model.kind = HalfLine.kind
            return try AggregationTests.losses(config, HalfLine())
        }
        let shared = try losses([])
        #expect(shared.count == 16)
        #expect(try losses(["cluster.wire=int8"]) == shared)
        #expect(try losses(["cluster.shared_memory=false"]) == shared)
    }

    /// Graphs that TensorFlow wrote and trained: rates that follow from control flow, moving averages, target networks, clipping,
    /// signs, rules written by hand, embeddings.
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".pb") }.map { String($0.dropLast(3)) }.sorted()

    @Test("TensorFlow's programs train as there, alone and with others", arguments: names)
    func programs(name: String) throws {
        let folder = AggregationTests.folder
        let expected = try String(contentsOf: folder.appendingPathComponent("\(name).losses"), encoding: .utf8)
            .split(whereSeparator: \.isNewline).compactMap { Double($0) }
        // Statistics of a batch are each worker's own.
        let counts = name == "bnzd" ? [1] : [1, 3]
        for workers in counts {
            for consistency in workers == 1 ? ["sync", "async"] : ["sync"] {
                let config = try JobConfig.parse(
                    yaml: """
                        job: program
                        model: { kind: graph, file: \(folder.path)/\(name).pb, train: train, loss: "loss:0",
                                 feeds: { x: features, y: labels } }
                        data: { format: npz, path: \(folder.path)/data.npz, test_fraction: 0 }
                        train: { batch: 32, epochs: 6, shuffle: false }
                        cluster: { workers: \(workers), threads_per_node: 1, consistency: \(consistency) }
                        """)
                let got = try AggregationTests.losses(config, ImportedGraph())
                let difference = AggregationTests.difference(got, expected)
                #expect(difference < 1e-5, "\(name), \(workers) workers, \(consistency)")
            }
        }
    }
}
