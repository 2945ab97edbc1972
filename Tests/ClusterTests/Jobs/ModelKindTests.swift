import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

/// Each built-in kind of model over one server and two workers.
@Suite("Kinds of model", .serialized)
struct ModelKindTests {
    /// Trains to the end with a checkpoint, and evaluates that: the report and the evaluation's metrics.
    private func train(_ yaml: String, _ job: any TrainingJob) throws -> (JobReport, [String: Double]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kinds-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = try JobConfig.parse(
            yaml: yaml + "\ncluster: { servers: 1, workers: 2, threads_per_node: 1 }",
            overrides: ["checkpoint.directory=\(folder)"])
        let report = try LocalCluster.train(config, job: job)
        #expect(report.status == .finished, "\(report.reason ?? "")")
        return (report, try Inference.evaluate(config: config, job: job, checkpoint: folder).metrics)
    }

    /// The same metrics, up to the order in which batches are added.
    private func agree(_ a: [String: Double], _ b: [String: Double]) -> Bool {
        a.keys == b.keys && a.allSatisfy { Swift.abs($0.value - (b[$0.key] ?? .nan)) < 1e-6 }
    }

    @Test("a convolutional network learns digits, with the images' shape from the data")
    func convolutional() throws {
        let (report, evaluation) = try train(
            """
            model: { kind: cnn, filters: [8, 16], kernel: 3, hidden: [32], dropout: 0.1 }
            data: { format: embedded, scale: min_max, limit: 2000 }
            train: { learning_rate: 0.003, batch: 40, epochs: 5 }
            """, ConvolutionalNetwork())
        #expect(report.metrics["accuracy"] ?? 0 > 0.85)
        #expect(agree(evaluation, report.metrics))
    }

    @Test(
        "batch normalisation's averages are trained on servers, kept, and used in evaluations",
        arguments: ["async", "sync"])
    func normalized(consistency: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("averages-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = try JobConfig.parse(
            yaml: """
                model: { kind: cnn, filters: [8, 8], kernel: 3, hidden: [32], batch_normalization: true }
                data: { format: embedded, scale: none, limit: 2000 }
                train: { learning_rate: 0.003, batch: 50, epochs: 7 }
                cluster: { servers: 1, workers: 2, threads_per_node: 1, consistency: \(consistency) }
                checkpoint: { directory: \(folder) }
                """)
        let job = ConvolutionalNetwork()
        let report = try LocalCluster.train(config, job: job)
        // Pixels up to 255: with averages that had stayed at mean 0 and variance 1 an evaluation would be far off.
        #expect(report.metrics["accuracy"] ?? 0 > 0.85, "\(report.reason ?? "")")
        #expect(agree(try Inference.evaluate(config: config, job: job, checkpoint: folder).metrics, report.metrics))

        // The averages come near those of the convolution's outputs over the data, under the final weights.
        let prepared = try PreparedJob(config, job)
        let manifest = try #require(try Manifest.newest(in: folder))
        let reader = try CheckpointReader(manifest, directory: folder)
        func read(_ name: String) throws -> (Variable, Tensor) {
            let variable = try #require(prepared.graph.variables.first { $0.name == name })
            return (variable, try reader.tensor(named: name, dtype: variable.dtype, shape: variable.shape))
        }
        let kernel = try read("convolution1/kernel")
        let means = try read("normalization1/moving_mean").1.array(of: Float.self)
        let graph = Graph()
        let x = graph.placeholder(.float32, [nil, 28, 28, 1])
        let sums = Dataflow.conv2d(x, graph.constant(kernel.1), padding: .same)
        let images = try prepared.data.training.batch((0..<500).map { Int32($0) }).features.reshaped([500, 28, 28, 1])
        let expected = try Session(graph).run(mean(sums, axes: [0, 1, 2]), feeds: [x: images]).array(of: Float.self)
        let size = expected.map { Swift.abs($0) }.max() ?? 0
        #expect(size > 1)
        for (got, wanted) in zip(means, expected) { #expect(Swift.abs(got - wanted) < 0.25 * size) }
    }

    @Test("recurrent networks learn digits row by row", arguments: ["lstm", "gru"])
    func recurrent(cell: String) throws {
        let (report, evaluation) = try train(
            """
            model: { kind: lstm, cell: \(cell), units: 48, layers: 1, dropout: 0.1 }
            data: { format: embedded, scale: min_max }
            train: { learning_rate: 0.01, batch: 50, epochs: 5, clip_norm: 5 }
            """, RecurrentNetwork())
        #expect(report.metrics["accuracy"] ?? 0 > 0.75)
        #expect(agree(evaluation, report.metrics))
    }

    /// Ratings that follow from a user's mood, an item's worth and whether their tastes agree.
    private static func ratings(_ path: String) throws {
        var random = Draws(state: 7)
        var lines = ""
        for user in 0..<40 {
            for item in 0..<50 where random.next() % 4 != 0 {
                let mood = Double(user % 5) / 4 - 0.5
                let worth = Double(item % 7) / 3 - 1
                let taste = user % 2 == item % 2 ? 0.75 : -0.75
                lines += "\(user * 3 + 1)\t\(item + 100)\t\(3 + mood + worth + taste)\t88125\(item)\n"
            }
        }
        try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test(
        "a wide and deep model learns ratings, tells their root mean square error, and predicts new ones",
        arguments: ["async", "{sync: {sparse: async}}"])
    func wideAndDeep(consistency: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ratings-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.ratings("\(folder)/u.data")
        let config = try JobConfig.parse(
            yaml: """
                model: { kind: wide_and_deep, embedding: 8, hidden: [32] }
                data: { format: ratings, path: \(folder)/u.data }
                train: { learning_rate: 0.01, batch: 32, epochs: 12 }
                cluster: { servers: 1, workers: 2, threads_per_node: 1, consistency: \(consistency) }
                checkpoint: { directory: \(folder)/out }
                """)
        let job = WideAndDeep()
        let report = try LocalCluster.train(config, job: job)
        // The best of linear models is off by 0.75 each.
        let error = try #require(report.metrics["rmse"])
        #expect(error < 0.4, "\(report.reason ?? "")")
        let loss = try #require(report.loss)
        #expect(Swift.abs(error * error - loss) < 1e-5 * loss && report.metrics["mse"] == nil)
        #expect(report.metrics["mae"] ?? 1 <= error)
        #expect(
            agree(try Inference.evaluate(config: config, job: job, checkpoint: "\(folder)/out").metrics, report.metrics)
        )

        // User 4 has the mood −0.25 and likes odd items; item 107 is odd and of worth −1, and 9999 is not known.
        let input = "\(folder)/new.tsv"
        try Data("user\titem\n4\t107\n9999\t9999\n".utf8).write(to: URL(fileURLWithPath: input))
        let rows = try Inference.predict(config: config, job: job, checkpoint: "\(folder)/out", input: input).rows
        #expect(rows.count == 2 && Swift.abs(rows[0][0] - 2.5) < 0.8 && (1...5).contains(rows[1][0]), "\(rows)")
        // With ratings, as with ratings and times, it is the same file.
        try Data("4\t107\t5\n9999\t9999\t1\n".utf8).write(to: URL(fileURLWithPath: input))
        let rated = try Inference.predict(config: config, job: job, checkpoint: "\(folder)/out", input: input).rows
        #expect(rated == rows)
        try Data("4\t107\t5\t1\t1\n".utf8).write(to: URL(fileURLWithPath: input))
        let refusal = #expect(throws: FormatError.self) {
            try Inference.predict(config: config, job: job, checkpoint: "\(folder)/out", input: input)
        }
        #expect(refusal?.description.contains("has 5 columns and no header; the model takes 2") == true)
    }

    @Test("a wide and deep model learns from a CSV file's categories and numbers together")
    func table() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("table-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var random = Draws(state: 3)
        var lines = "colour,size,kind\n"
        for _ in 0..<600 {
            let size = Double(random.next() % 1000) / 100 - 5
            let isRed = random.next() % 2 == 0
            lines += "\(isRed ? "red" : "blue"),\(size),\((size > 0) == isRed ? "ripe" : "raw")\n"
        }
        try Data(lines.utf8).write(to: URL(fileURLWithPath: file))
        let (report, _) = try train(
            """
            model: { kind: wide_and_deep, embedding: 4, hidden: [16] }
            data: { format: csv, path: \(file), labels: kind, categorical: [colour], scale: standardize }
            train: { learning_rate: 0.02, batch: 20, epochs: 8 }
            """, WideAndDeep())
        #expect(report.metrics["accuracy"] ?? 0 > 0.9)
    }

    @Test("data that does not fit is told with what to write")
    func misfits() throws {
        func refusal(_ yaml: String, _ job: any TrainingJob, _ data: Dataset? = nil) -> String {
            do {
                let config = try JobConfig.parse(yaml: yaml)
                let data = try data ?? EmbeddedDigits.split().training
                _ = try job.build(Graph(), config: config, data: DataSplit(training: data, test: data))
                return ""
            } catch { return "\(error)" }
        }
        let rows = try Dataset(
            features: Tensor.zeros(.float32, sized: [2, 12]), labels: Tensor([0, 1] as [Int32]), classes: 2)
        let images = "model: { kind: cnn"
        #expect(
            refusal(images + " }", ConvolutionalNetwork(), rows).contains(
                "model.image is required: the data has 12 features an example"))
        #expect(
            refusal(images + ", image: [3, 5] }", ConvolutionalNetwork(), rows).contains(
                "model.image is [3, 5, 1], which is 15 features; the data has 12"))
        #expect(
            refusal(images + ", filters: [2, 2, 2, 2, 2] }", ConvolutionalNetwork()).contains(
                "images of 28 × 28 are smaller than a window of 2 × 2 at block 5"))
        #expect(
            refusal("model: { kind: lstm }", RecurrentNetwork(), rows).contains(
                "model.steps is required: the data has 12 features an example"))
        #expect(
            refusal("model: { kind: lstm, steps: 5 }", RecurrentNetwork(), rows).contains(
                "model.steps is 5, which does not divide the 12 features"))
        #expect(refusal(images + ", image: [3, 4], filters: [2] }", ConvolutionalNetwork(), rows) == "")
        #expect(refusal("model: { kind: lstm, steps: 4, layers: 2 }", RecurrentNetwork(), rows) == "")
    }
}
