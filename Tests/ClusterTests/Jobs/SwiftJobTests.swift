import Cluster
import Dataflow
import Foundation
import Synchronization
import Testing
import Training

/// Whether points lie above a line, by one sigmoid.
private struct Above: TrainingJob {
    static let kind = "above"
    var metrics: ModelMetrics = [.accuracy]

    static func examples(_ count: Int, offset: Int = 0) -> Dataset {
        let points = (0..<count).map { i -> (Float, Float) in
            let i = i + offset
            return (Float(i * 37 % 101) / 50 - 1, Float(i * 53 % 97) / 48 - 1)
        }
        // Some are on the wrong side.
        let labels = points.enumerated().map { i, p in Int32((p.0 + p.1 / 2 > 0) != (i % 11 == 0) ? 1 : 0) }
        return try! Dataset(
            features: Tensor(points.flatMap { [$0.0, $0.1] }, sized: [count, 2]), labels: Tensor(labels), classes: 2)
    }

    func data(_ config: JobConfig) throws -> DataSplit {
        try DataSplit(training: Self.examples(400), test: Self.examples(700, offset: 5000))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, data.training.width], name: "x")
        let y = graph.placeholder(.int32, [nil], name: "y")
        let logits = dense(x, units: 1, name: "line")
        let labels = reshape(cast(y, to: .float32), [-1, 1])
        let loss = sigmoidCrossEntropyLoss(labels: labels, logits: logits)
        return TrainingModel(
            features: x, labels: y, loss: loss, metrics: metrics, predictions: sigmoid(logits),
            train: config.minimize(loss, data: data))
    }
}

/// Jobs as a Swift program begins them: without YAML.
@Suite("Jobs from Swift", .serialized)
struct SwiftJobTests {
    private func config(epochs: Int = 4) -> JobConfig {
        var config = JobConfig()
        config.train.epochs = epochs
        config.train.batch = 20
        config.train.learningRate = 0.05
        config.cluster.threadsPerNode = 1
        return config
    }

    @Test("the job that is passed is every node's, whatever kind the configuration names")
    func job() throws {
        #expect(config().model.kind == "mlp")
        let report = try LocalCluster.train(config(), job: Above())
        #expect(report.status == .finished && report.steps == 80 && report.metrics["accuracy"] ?? 0 > 0.8, "\(report)")
        #expect("\(report)".hasPrefix("finished: 80 steps, 1600 samples in "))
    }

    @Test("a job that fails throws, with what was finished and where the checkpoint is")
    func failure() throws {
        let folder = CheckpointFolder()
        var config = config()
        config.checkpoint.directory = folder.path
        config.checkpoint.everySteps = 20
        config.cluster.workers = 1
        config.cluster.consistency = .sync
        config.train.optimizer = .gradientDescent
        config.train.learningRate = 1e300
        let error = #expect(throws: JobError.self) { try LocalCluster.train(config, job: Above()) }
        #expect(error?.report.status == .failed && error?.report.hasDiverged == true)
        #expect(error?.reason.contains("diverged at step") == true, "\(String(describing: error))")
        #expect(error.map { "\($0)".hasPrefix("the job failed after ") } == true)
        config.train.learningRate = 0.1
        config.devices.worker = "/gpu:7"
        let missing = #expect(throws: JobError.self) { try LocalCluster.train(config, job: Above()) }
        #expect(missing?.reason.contains("/device:GPU:7") == true, "\(String(describing: missing))")
    }

    @Test("from Swift's concurrency: the call suspends, tells of its progress, and returns the report")
    func suspends() async throws {
        let told = Mutex<[JobProgress]>([])
        let report = try await LocalCluster.train(config(), job: Above()) { progress in
            told.withLock { $0.append(progress) }
        }
        let last = try #require(told.withLock { $0.last })
        #expect(report.status == .finished && last.phase == .finished)
        #expect(last.step == 80 && last.epoch == 3 && last.epochs == 4 && last.loss != nil && last.samplesPerSecond > 0)
        #expect(last.metrics["accuracy"] != nil && last.evaluation?.metrics["accuracy"] == report.metrics["accuracy"])
        #expect("\(last)".hasPrefix("finished: step 80 of 80, epoch 4 of 4, loss "), "\(last)")
        await #expect(throws: ConfigurationError.self) {
            var config = config()
            config.train.batch = 0
            try await LocalCluster.train(config, job: Above())
        }
    }

    @Test("a task that is cancelled stops the job in good order, and has the report")
    func cancelled() async throws {
        let folder = CheckpointFolder()
        var config = config(epochs: 1_000_000)
        config.checkpoint.directory = folder.path
        let hasBegun = StopSignal()
        let task = Task { [config] in
            try await LocalCluster.train(config, job: Above()) { progress in
                if progress.step > 10 { hasBegun.stop() }
            }
        }
        while hasBegun.request == .none { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        let report = try await task.value
        #expect(
            report.status == .stopped && report.steps > 10 && report.reason == "the task was cancelled", "\(report)")
        #expect(report.checkpoint == "\(folder.path)/checkpoint-\(report.steps).json")
        // Cancelled before it began.
        let early = Task { [config] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await LocalCluster.train(config, job: Above())
        }
        #expect(try await early.value.status == .stopped)
    }

    // MARK: Metrics

    /// Labels and predictions of the held-out examples, by formulas.
    private func expected(_ labels: [Double], _ p: [Double]) -> [String: Double] {
        func count(_ isCounted: (Double, Double) -> Bool) -> Double {
            Double(zip(labels, p).count { isCounted($0, $1) })
        }
        let pairs = zip(labels, p)
        let hits = count { $0 == 1 && $1 > 0.5 }
        let (precision, recall) = (hits / count { $1 > 0.5 }, hits / count { y, _ in y == 1 })
        let logs = pairs.map { y, p in -(y == 1 ? log(p) : log(1 - p)) }
        let positives = pairs.filter { $0.0 == 1 }.map(\.1)
        let negatives = pairs.filter { $0.0 == 0 }.map(\.1)
        var wins = 0.0
        for a in positives { for b in negatives { wins += a > b ? 1 : a == b ? 0.5 : 0 } }
        return [
            "accuracy": count { ($1 > 0.5) == ($0 == 1) } / Double(p.count), "precision": precision, "recall": recall,
            "f1": 2 * precision * recall / (precision + recall), "log_loss": logs.reduce(0, +) / Double(p.count),
            "auc": wins / Double(positives.count * negatives.count),
            "sure": count { $0 == 1 && $1 > 0.8 } / count { $1 > 0.8 },
        ]
    }

    @Test(
        "metrics by name are right over all held-out examples, however many workers evaluate them",
        arguments: [JobConfig.Cluster.Consistency.sync, .async], [1, 3])
    func metrics(consistency: JobConfig.Cluster.Consistency, workers: Int) throws {
        let folder = CheckpointFolder()
        var config = config()
        config.cluster.consistency = consistency
        config.cluster.workers = workers
        config.checkpoint.directory = folder.path
        // Those of the configuration come beside the model's own.
        config.train.metrics = [.auc, .logLoss, .recall]
        let job = Above(metrics: [.accuracy, .recall, .precision, .f1, .precision(threshold: 0.8, name: "sure")])
        let report = try LocalCluster.train(config, job: job)
        let predictions = try Inference.predict(config: config, job: job, checkpoint: folder.path)
        let rows = predictions.rows
        #expect(predictions.columns == ["class", "p(1)"] && rows.allSatisfy { $0[0] == ($0[1] > 0.5 ? 1 : 0) })
        let wanted = expected(Above.examples(700, offset: 5000).labels.knownDoubles, rows.map { $0.last ?? 0 })
        #expect(Set(report.metrics.keys) == Set(wanted.keys))
        let evaluated = try Inference.evaluate(config: config, job: job, checkpoint: folder.path)
        for (name, value) in wanted {
            // The area is made of 200 thresholds.
            let tolerance = name == "auc" ? 0.005 : 1e-5
            #expect(
                abs((report.metrics[name] ?? .nan) - value) < tolerance,
                "\(name): \(report.metrics[name] ?? .nan), \(value)")
            #expect(abs((evaluated.metrics[name] ?? .nan) - value) < tolerance)
        }
    }

    @Test("a regression's root is of the mean over all, and R² of all")
    func regression() throws {
        var config = try JobConfig.parse(
            yaml: """
                model: { kind: mlp, hidden: [] }
                data: { format: csv, path: \(try regressionFile()), task: regression, test_fraction: 0.5 }
                train: { batch: 20, epochs: 3, learning_rate: 0.05, metrics: [r2, mse] }
                cluster: { threads_per_node: 1 }
                """)
        defer { try? FileManager.default.removeItem(atPath: config.data.path ?? "") }
        let report = try LocalCluster.train(config, job: MultilayerPerceptron())
        #expect(Set(report.metrics.keys) == ["rmse", "mae", "r2", "mse"])
        let (mse, rmse) = (report.metrics["mse"] ?? .nan, report.metrics["rmse"] ?? .nan)
        #expect(abs(rmse * rmse - mse) < 1e-9 && abs(mse - (report.loss ?? .nan)) < 1e-5 * mse)
        config.train.metrics = [.auc]
        #expect(throws: (any Error).self) { try LocalCluster.train(config, job: MultilayerPerceptron()) }
    }

    private func regressionFile() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("line-\(UUID()).csv").path
        let rows = (0..<1400).map { "\($0 % 17),\($0 % 5),\(Double($0 % 17) * 2 - Double($0 % 5) + 1)" }
        try (["a,b,y"] + rows).joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
