import Cluster
import Dataflow
import Foundation
import Synchronization
import Testing

/// Graphs that TensorFlow wrote, trained by clusters; what TensorFlow's losses are lies beside each.
/// `Tests/conformance/make_cluster_graphs.py` makes them, with many more.
@Suite("Imported graphs train as in TensorFlow", .serialized)
struct ImportedTrainingTests {
    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Graphs")

    private struct Run {
        var losses: [Double] = []
        var events: [String] = []
    }

    private func train(_ name: String, workers: Int, consistency: String = "sync") throws -> Run {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("losses-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let folder = Self.folder.path
        let config = try JobConfig.parse(
            yaml: String(contentsOfFile: "\(folder)/\(name).yaml", encoding: .utf8),
            overrides: [
                "model.file=\(folder)/\(name).pb", "data.path=\(folder)/data.npz", "cluster.workers=\(workers)",
                "cluster.consistency=\(consistency)",
            ])
        let events = Mutex<[String]>([])
        _ = try LocalCluster.train(
            config, job: ImportedGraph(), options: CoordinatorOptions(lossesFile: file),
            onEvent: { line in events.withLock { $0.append(line) } })
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
        return Run(
            losses: lines.compactMap { Double($0.split(separator: ",")[1]) }, events: events.withLock { $0 })
    }

    private func expected(_ name: String) throws -> [Double] {
        try String(contentsOf: Self.folder.appendingPathComponent("\(name).losses"), encoding: .utf8)
            .split(separator: "\n").compactMap { Double($0) }
    }

    private func agrees(_ run: Run, _ name: String) throws -> Bool {
        let expected = try expected(name)
        return run.losses.count == expected.count && zip(run.losses, expected).allSatisfy { abs($0 - $1) < 1e-5 }
    }

    @Test(
        "with any number of workers",
        arguments: [
            // `0.01 * w` after the step: the order hangs on a constant.
            "decay_decoupled_ref",
            // A rate is a Variable that nobody trains.
            "rate_variable_res", "opt_keras_schedule_res",
            // A rate comes out of a loop, or is written in two branches.
            "rate_while_ref", "rate_plateau_ref",
            // Steps that a condition leaves out.
            "nan_guard_ref", "accumulated_ref", "anchor_by_cond_before_ref",
            // Gradients that come out of a loop are clipped together.
            "recurrent_ref",
        ])
    func equal(name: String) throws {
        for workers in 1...3 {
            #expect(try agrees(train(name, workers: workers), name), "\(workers) workers")
        }
        #expect(try agrees(train(name, workers: 1, consistency: "async"), name))
    }

    @Test(
        "what differs with several workers is said, and one worker is as TensorFlow",
        arguments: ["table_adagrad_clipvalue_res", "loss_pairwise_res", "loss_not_a_mean_res"])
    func noted(name: String) throws {
        #expect(try agrees(train(name, workers: 1), name))
        let several = try train(name, workers: 2)
        #expect(several.losses.count == 30)
        #expect(several.events.contains { $0.contains("synchronous steps of several workers differ") })
    }

    @Test("a second step on what the first one wrote is refused by name")
    func refused() throws {
        let error = #expect(throws: GraphError.self) { try train("two_in_sequence_after_res", workers: 1) }
        #expect(error?.node == "MatMul_2")
    }

    @Test("a loss of several numbers is refused")
    func severalNumbers() throws {
        let folder = Self.folder.path
        let config = try JobConfig.parse(
            yaml: String(contentsOfFile: "\(folder)/rate_while_ref.yaml", encoding: .utf8),
            overrides: [
                "model.file=\(folder)/rate_while_ref.pb", "data.path=\(folder)/data.npz",
                "model.loss=SparseSoftmaxCrossEntropyWithLogits/SparseSoftmaxCrossEntropyWithLogits:0",
            ])
        let error = #expect(throws: GraphError.self) { try PreparedJob(config, ImportedGraph()) }
        #expect(error?.message.contains("one number") == true)
    }
}
