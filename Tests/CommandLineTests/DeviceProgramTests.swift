import Cluster
import Dataflow
import Foundation
import Testing

/// The program on a GPU, or on what OpenCL emulates of one on a CPU.
@Suite("GPUs from the command line", .enabled(if: !Accelerators.devices(emulated: true).isEmpty))
struct DeviceProgramTests {
    /// Runs the program; its exit status, standard output and standard error.
    private func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())"))
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.executableURL = URL(fileURLWithPath: TestProgram.path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: data, as: UTF8.self),
            try String(contentsOf: errors, encoding: .utf8)
        )
    }

    private var graphs: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("InterchangeTests/Graphs")
    }

    @Test("devices are listed, emulated ones only when asked for, and say so")
    func devices() throws {
        let plain = try run(["devices", "--no-measure"])
        #expect(plain.status == 0 && plain.output.contains("/device:CPU:0"), "\(plain)")
        let all = try run(["devices", "--no-measure", "--opencl-cpu", "--json"])
        #expect(all.status == 0 && all.output.contains("/device:GPU:0"), "\(all)")
        if Accelerators.devices(emulated: false).isEmpty {
            #expect(!plain.output.contains("GPU") && all.output.contains("emulated on a CPU"), "\(plain) \(all)")
        }
        let operations = try run(["devices", "--operations"])
        #expect(operations.output.contains("Unique") && !operations.output.contains("MatMul,"))
    }

    @Test("graphs of TensorFlow give its numbers on a GPU; without one the error says what there is")
    func check() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: graphs.path).sorted()
            .map { graphs.appendingPathComponent($0).path }
            .filter { FileManager.default.fileExists(atPath: "\($0)/run.json") }
        #expect(!folders.isEmpty)
        let result = try run(["graph", "check", "--device", "/gpu:0", "--opencl-cpu"] + folders)
        #expect(result.status == 0, "\(result.output) \(result.errors)")
        guard Accelerators.devices(emulated: false).isEmpty else { return }
        let without = try run(["graph", "check", "--device", "/gpu:0", folders[0]])
        #expect(without.status != 0 && without.output.contains("--opencl-cpu"), "\(without)")
    }

    @Test("a job whose workers compute on a GPU learns what it learns on the CPU")
    func training() throws {
        let arguments = ["--set", "cluster.consistency=sync"]
        let onCPU = try RunningJob("launch", arguments).finish()
        let job = try RunningJob(
            "launch", arguments + ["--set", "devices.opencl_cpu=true", "--set", "devices.worker=/gpu:0"])
        let onGPU = try job.finish()
        #expect(onGPU.status == 0, "\(job.log)")
        let (expected, got) = (try #require(onCPU.report), try #require(onGPU.report))
        #expect(got.steps == expected.steps)
        let (accuracy, other) = (expected.metrics["accuracy"] ?? 0, got.metrics["accuracy"] ?? 0)
        #expect(accuracy > 0.8 && abs(accuracy - other) < 0.02, "\(accuracy) on the CPU, \(other) on the GPU")
    }
}
