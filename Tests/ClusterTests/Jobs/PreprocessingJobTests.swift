import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import Testing
import Training

/// What was fitted to the training data goes through checkpoints and to all nodes.
@Suite("Preprocessing of jobs", .serialized)
final class PreprocessingJobTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fitted-\(UUID())").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func config(
        _ data: String, model: String = "mlp, hidden: [4]", _ overrides: [String] = []
    ) throws -> JobConfig {
        try JobConfig.parse(
            yaml: """
                model: { kind: \(model) }
                data: { \(data) }
                train: { learning_rate: 0.01, batch: 8, epochs: 2 }
                cluster: { servers: 1, workers: 2, threads_per_node: 1 }
                checkpoint: { directory: \(folder)/out }
                """, overrides: overrides)
    }

    /// Trains, takes the training part away, and evaluates as before.
    private func evaluatesWithoutTrainingPart(_ config: JobConfig, remove: () throws -> Void) throws {
        let job = MultilayerPerceptron()
        let report = try LocalCluster.train(config, job: job)
        try remove()
        let evaluation = try Inference.evaluate(config: config, job: job, checkpoint: "\(folder)/out")
        #expect(abs(evaluation.loss - (report.loss ?? 0)) < 1e-6 * evaluation.loss, "\(report.reason ?? "")")
    }

    private let x = Tensor((0..<120).map { Float(($0 * 7) % 13) }, sized: [40, 3])
    private let y = Tensor((0..<40).map { Int32($0 % 4) })

    @Test("arrays: the test part alone is evaluated, by the scale and the classes of training")
    func npz() throws {
        let path = "\(folder)/a.npz"
        // The test part has neither the last class nor the training part's range.
        let test = (Tensor([[1, 2, 3], [20, 0, 1]], dtype: .float32), Tensor([0, 1] as [Int32]))
        try Npz.write([("x_train", x), ("y_train", y), ("x_test", test.0), ("y_test", test.1)], to: path)
        let config = try config("format: npz, path: \(path), scale: standardize")
        try evaluatesWithoutTrainingPart(config) {
            try Npz.write([("x_test", test.0), ("y_test", test.1)], to: path)
        }
        try Npz.write([("x", test.0)], to: "\(folder)/new.npz")
        try Npy.write(test.0, to: "\(folder)/new.npy")
        let job = MultilayerPerceptron()
        let rows = try ["", "new.npz", "new.npy"].map { name in
            try Inference.predict(
                config: config, job: job, checkpoint: "\(folder)/out", input: name.isEmpty ? nil : "\(folder)/\(name)"
            ).rows
        }
        #expect(rows[0].count == 2 && rows[0][0].count == 5 && rows[1] == rows[0] && rows[2] == rows[0])
        try Npz.write([("x_test", test.0), ("y_test", Tensor([0, 4] as [Int32]))], to: path)
        let error = #expect(throws: FormatError.self) {
            try Inference.evaluate(config: config, job: job, checkpoint: "\(folder)/out")
        }
        #expect(error?.what.contains("the class 4; the checkpoint's model has 4 classes") == true)
    }

    @Test("IDX: the test part's files alone are evaluated")
    func idx() throws {
        func write(_ name: String, _ header: [UInt8], _ bytes: [UInt8]) throws {
            try Data(header + bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        for (name, count) in [("train", UInt8(40)), ("t10k", 10)] {
            let pixels = (0..<Int(count) * 4).map { UInt8(($0 * 31) % 256) }
            try write("\(name)-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2], pixels)
            try write("\(name)-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, count], (0..<count).map { $0 % 3 })
        }
        try evaluatesWithoutTrainingPart(config("format: idx, path: \(folder), scale: min_max")) {
            try FileManager.default.removeItem(atPath: "\(folder)/train-images-idx3-ubyte")
            try FileManager.default.removeItem(atPath: "\(folder)/train-labels-idx1-ubyte")
        }
    }

    @Test("the digits that ship need nothing")
    func digits() throws {
        try evaluatesWithoutTrainingPart(config("format: embedded, limit: 64, scale: standardize")) {}
    }

    @Test("a vocabulary longer than a message reaches the workers")
    func longVocabulary() throws {
        let count = 60_000
        let name = String(repeating: "n", count: 90)
        let rows = (0..<count).map { "\(name)\($0),\($0 % 5)" }
        try Data(("user,y\n" + rows.joined(separator: "\n") + "\n").utf8)
            .write(to: URL(fileURLWithPath: "\(folder)/a.csv"))
        let config = try config(
            "format: csv, path: \(folder)/a.csv, categorical: [user], task: regression, test_fraction: 0",
            model: "wide_and_deep, embedding: 1, hidden: []", ["train.steps=2"])
        let report = try LocalCluster.train(config, job: WideAndDeep())
        #expect(report.status == .finished, "\(report.reason ?? "")")
        let manifest = try #require(try Manifest.newest(in: "\(folder)/out"))
        let fitted = try #require(try manifest.readPreprocessing(in: "\(folder)/out"))
        #expect(try fitted.vocabularies[0]?.values.count == count && fitted.json().count > 5 << 20)
        #expect(manifest.data?.training == count)
    }

    @Test("a worker with other training examples is refused, and told that they are")
    func otherData() throws {
        let config = try config("format: embedded, limit: 64")
        let coordinator = try Coordinator(
            config: config, job: MultilayerPerceptron(), listen: Address("tcp://127.0.0.1:0"),
            options: CoordinatorOptions())
        Thread.detachNewThread { _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in }) }
        defer { coordinator.stop(now: true, reason: "over") }
        // The same graph, over one example less.
        let other = try PreparedJob(self.config("format: embedded, limit: 63"), MultilayerPerceptron())
        var registration = WireRegisterWorker()
        registration.version = NodeStart.version
        registration.incarnation = 1
        registration.fingerprint = other.fingerprint
        registration.variables = other.variables.map(\.wire)
        let error = #expect(throws: NodeError.self) {
            try ControlClient(coordinator.address).ask(.registerWorker(registration))
        }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("the training examples differ") == true, "\(error?.message ?? "")")
    }

    @Test("a user's own data is held to the checkpoint, too")
    func ownData() throws {
        struct Own: TrainingJob {
            static let kind = "mlp"
            let width: Int
            func data(_ config: JobConfig) throws -> DataSplit {
                let set = try Dataset(
                    features: Tensor.zeros(.float32, sized: [16, width]),
                    labels: Tensor((0..<16).map { Int32($0 % 2) }), classes: 2)
                return try DataSplit(training: set, test: set)
            }
            func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
                try MultilayerPerceptron().build(graph, config: config, data: data)
            }
        }
        let config = try config("format: embedded")
        _ = try LocalCluster.train(config, job: Own(width: 3))
        let evaluation = try Inference.evaluate(config: config, job: Own(width: 3), checkpoint: "\(folder)/out")
        #expect(evaluation.examples == 16)
        let error = #expect(throws: FormatError.self) {
            try Inference.evaluate(config: config, job: Own(width: 4), checkpoint: "\(folder)/out")
        }
        #expect(error?.what.contains("holds 4 features an example; the checkpoint's model takes 3") == true)
    }
}
