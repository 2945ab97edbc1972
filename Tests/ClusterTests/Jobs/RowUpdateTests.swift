import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

/// Which of a few ids are in an example, and a number that is their sum: learned by rows of a table.
private struct EmbeddingJob: TrainingJob {
    static let kind = "embedding"
    var rows = 40
    var width = 4

    func data(_ config: JobConfig) throws -> DataSplit {
        let count = 240
        let ids = (0..<count * 3).map { ($0 * $0 * 7 + $0 * 13) % 40 }
        // Some example names an id twice.
        let labels = (0..<count).map { i in Float(ids[i * 3..<i * 3 + 3].reduce(0, +)) / 40 - 1.5 }
        let set = try Dataset(
            features: Tensor(ids.map { Float($0) }).reshaped([count, 3]), labels: Tensor(labels).reshaped([count, 1]),
            classes: 0)
        return try DataSplit(training: set, test: set.prefix(40))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 3], name: "ids")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let table = graph.variable(graph.randomUniform(shape: [rows, width], min: -0.1, max: 0.1), name: "table")
        let sums = sum(gather(table, cast(x, to: .int32)), axes: [1])
        let loss = meanSquaredError(labels: y, predictions: dense(sums, units: 1, name: "output"))
        return TrainingModel(features: x, labels: y, loss: loss, train: config.minimize(loss, data: data))
    }
}

@Suite("Rows on servers", .serialized)
struct RowUpdateTests {
    private func config(_ overrides: String) throws -> JobConfig {
        var config = try JobConfig.parse(
            yaml: """
                job: rows
                train: { optimizer: adagrad, learning_rate: 0.1, batch: 24, epochs: 3 }
                cluster: { servers: 2, workers: 2, threads_per_node: 1, consistency: sync }
                """, overrides: overrides.split(separator: " ").map(String.init))
        config.model.kind = EmbeddingJob.kind
        return config
    }

    private func losses(_ config: JobConfig, _ job: some TrainingJob) throws -> (losses: [Double], report: JobReport) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("losses-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let report = try LocalCluster.train(config, job: job, options: CoordinatorOptions(lossesFile: file))
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
        return (lines.compactMap { Double($0.split(separator: ",")[1]) }, report)
    }

    private static func agree(_ got: [Double], _ expected: [Double], within tolerance: Double = 1e-4) -> Bool {
        guard got.count == expected.count else { return false }
        return zip(got, expected).allSatisfy { a, b in
            let scale = max(1, abs(b))
            return abs(a - b) < tolerance * scale
        }
    }

    /// The losses of the same steps in one session, and the table that they end with.
    private func local(_ config: JobConfig, _ job: some TrainingJob) throws -> (losses: [Double], table: Tensor) {
        let prepared = try PreparedJob(config, job)
        let session = try Session(prepared.graph, options: SessionOptions(threads: 1))
        try session.execute(prepared.graph.globalVariablesInitializer())
        var schedule = prepared.schedule
        let losses = try (0..<prepared.totalSteps).map { step in
            let feeds = prepared.feeds(prepared.data.training, schedule.indices(ofBatch: step), training: true)
            let before = try session.run(prepared.model.loss, feeds: feeds).doubles[0]
            _ = try session.run([prepared.model.train], feeds: feeds)
            return before
        }
        let table = try #require(prepared.graph.variables.first { $0.name == "table" })
        return (losses, try session.value(of: table))
    }

    @Test(
        "synchronous steps are those of one session, for every rule",
        arguments: [
            "gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "adadelta", "ftrl",
        ])
    func everyRule(optimizer: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rows-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = try config(
            "train.optimizer=\(optimizer) train.learning_rate=0.02 cluster.workers=1 checkpoint.directory=\(folder)")
        let (expected, table) = try local(config, EmbeddingJob())
        let (got, report) = try losses(config, EmbeddingJob())
        #expect(report.status == .finished, "\(report.reason ?? "")")
        #expect(got.count == 30 && RowUpdateTests.agree(got, expected), "\(got)")
        let manifest = try #require(try Manifest.newest(in: folder))
        let saved = try CheckpointReader(manifest, directory: folder)
            .tensor(named: "table", dtype: .float32, shape: table.shape)
        #expect(try RowUpdateTests.agree(saved.doubles, table.doubles))
    }

    @Test("two workers learn, in step and each for itself", arguments: ["sync", "async"])
    func twoWorkers(consistency: String) throws {
        let config = try config("cluster.consistency=\(consistency)")
        let (losses, report) = try losses(config, EmbeddingJob())
        #expect(report.status == .finished && losses.count == 30, "\(report.reason ?? "")")
        let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        #expect(last < 0.5 * first, "\(losses)")
        if consistency == "sync" {
            let (expected, _) = try local(config, EmbeddingJob())
            #expect(RowUpdateTests.agree(losses, expected, within: 1e-3))
        }
    }

    @Test("a table of several blocks is cut between rows")
    func blocks() throws {
        let job = EmbeddingJob(rows: 300_000, width: 5)
        let config = try config("train.steps=4 train.optimizer=adam cluster.workers=1")
        let cut = try PreparedJob(config, job).cut
        let blocks = ShardLayout(cut, executors: [1, 1]).shards.flatMap(\.blocks).filter { $0.variable == "table" }
        #expect(blocks.count > 1 && blocks.allSatisfy { $0.offset % 5 == 0 && $0.count % 5 == 0 })
        #expect(blocks.map(\.count).reduce(0, +) == 1_500_000)
        #expect(ShardLayout(cut, executors: [1, 1]).shards.allSatisfy { $0.pushBytes <= ShardLayout.limit })
        let (expected, _) = try local(config, job)
        let (got, report) = try losses(config, job)
        #expect(report.status == .finished, "\(report.reason ?? "")")
        #expect(RowUpdateTests.agree(got, expected), "\(got) \(expected)")
    }

    static let graphs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../InterchangeTests/Graphs").standardizedFileURL
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: graphs.path)) ?? [])
        .filter { $0.hasPrefix("optimizer_") && $0.contains("rows") }.sorted()

    @Test("TensorFlow's own graphs that update rows end at its numbers", arguments: names)
    func imported(name: String) throws {
        let folder = RowUpdateTests.graphs.appendingPathComponent(name)
        let run = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("run.json")))
                as? [String: Any])
        let steps = try #require(run["steps"] as? Int)
        func tensor(_ file: String) throws -> Tensor { try Npy.read(folder.appendingPathComponent(file).path) }
        let (x, ids) = (try tensor("feed_x_0.npy"), try tensor("feed_ids_0.npy"))
        // The loss of one step more is that after the last one.
        var config = try config("cluster.workers=1 train.batch=\(x.shape.concrete[0]) train.steps=\(steps + 1)")
        config.train.shuffle = false
        (config.train.optimizer, config.train.learningRate) = (
            JobConfig().train.optimizer, JobConfig().train.learningRate
        )
        config.model.kind = ImportedGraph.kind
        config.model.file = folder.appendingPathComponent("graph.pb").path
        config.model.initialize = run["init"] as? String
        config.model.train = run["train"] as? String
        config.model.loss = .node("Mean:0")
        config.model.feeds = ["x:0": .features, "ids:0": .labels]
        let (losses, report) = try losses(config, Fed(x: x, ids: ids))
        #expect(report.status == .finished, "\(report.reason ?? "")")
        let expected = try ["first_Mean_0.npy", "expected_Mean_0.npy"].map { try tensor($0).doubles[0] }
        let got = [losses.first, losses.last].map { $0 ?? .nan }
        #expect(RowUpdateTests.agree(got, expected), "\(got) \(expected)")
    }

    /// An imported graph that is fed the same in every step.
    private struct Fed: TrainingJob {
        static let kind = ImportedGraph.kind
        let x: Tensor
        let ids: Tensor

        func data(_ config: JobConfig) throws -> DataSplit {
            let set = try Dataset(features: x, labels: ids, classes: 100)
            return try DataSplit(training: set, test: set)
        }

        func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
            try ImportedGraph().build(graph, config: config, data: data)
        }
    }

    @Test("what servers cannot do is refused with what to do")
    func refused() throws {
        func mistake(_ build: (Graph, Variable, Node, Node) -> Node) -> String {
            let g = Graph()
            let table = g.variable(Tensor.zeros(.float32, sized: [5, 2]), name: "table")
            let train = build(
                g, table, g.placeholder(.int32, [nil], name: "ids"), g.placeholder(.float32, [nil, 2], name: "rows"))
            let error = #expect(throws: GraphError.self) { try TrainingCut(train: train) }
            return error?.description ?? ""
        }
        #expect(
            mistake { g, table, ids, rows in g.add(ScatterUpdate.self, [table.reference, ids, rows]).node }
                .contains("servers do not run ScatterUpdate"))
        let twice = mistake { g, table, ids, rows in
            let first = g.add(ScatterAdd.self, [table.reference, ids, rows]).node
            return g.group([first, g.add(ScatterSub.self, [table.reference, ids, rows]).node])
        }
        #expect(twice.contains("nothing says which is first"), "\(twice)")
    }
}
