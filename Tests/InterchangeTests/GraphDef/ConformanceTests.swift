import Dataflow
import Foundation
import Interchange
import OperationCoverage
import Testing

/// Graphs that TensorFlow wrote and ran, with its gradients, optimizers and loops in them: the same steps here end at its
/// numbers. `Tests/conformance/make_training_graphs.py` and `make_function_graphs.py` make such folders.
@Suite("TensorFlow's training graphs", .exercises(.conformance))
struct ConformanceTests {
    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Graphs")
    static let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

    @Test(
        "the graph computes TensorFlow's numbers, and its plans those of the reference, bit for bit", arguments: names)
    func agrees(name: String) {
        let result = GraphCheck.check(Self.folder.appendingPathComponent(name).path, reference: true)
        #expect(result.problem == nil, "\(name): \(result.problem ?? "")")
        #expect(result.largestError != nil)
        #expect(result.referenceError == 0)
    }

    @Test(
        "updates that are chained, in branches or in functions reach a Variable wherever it lies",
        .enabled(if: !Accelerators.devices(emulated: true).isEmpty),
        arguments: [
            "chained_updates", "chained_update_in_cond", "chained_update_in_loop", "handles_by_identity",
            "defun_takes_handle", "cond_v2_updates_v2", "nested_loops_with_state", "target_copy_cond",
        ])
    func agreesOnGPU(name: String) {
        let gpu = DeviceName(kind: .gpu, index: 0)
        let result = GraphCheck.check(
            Self.folder.appendingPathComponent(name).path, device: gpu,
            devices: DeviceOptions(standard: gpu, allowsEmulation: true))
        #expect(result.problem == nil, "\(name): \(result.problem ?? "")")
    }

    @Test("all of them are there")
    func complete() { #expect(Self.names.count >= 70) }

    @Test("a case that is missing, cut short or of another kind says what is wrong")
    func broken() throws {
        let folder = try TemporaryFolder()
        func problem(_ json: String) throws -> String {
            try json.write(toFile: folder.file("run.json"), atomically: true, encoding: .utf8)
            return GraphCheck.check(folder.path).problem ?? ""
        }
        #expect(GraphCheck.check(folder.file("nothing")).problem?.contains("run.json: cannot be opened") == true)
        #expect(try problem("[]").contains("run.json"))
        #expect(try problem("{}").contains("lacks 'fetches'"))
        #expect(try problem("{\"fetches\": {\"a:0\": \"a.npy\"}}").contains("a.npy: cannot be opened"))
        #expect(try problem("{\"fetches\": {\"a:0\": 1}}").contains("of the wrong kind"))
    }
}
