import Cluster
import Dataflow
import Foundation
import Messaging
import Testing

/// Checkpoints where others may have put files, or send reports: nothing outside is written or removed.
@Suite("Checkpoints and files that are not theirs", .serialized)
struct ForeignFileTests {
    /// A folder around a directory of checkpoints, with something precious in it.
    private final class Surroundings {
        let root = FileManager.default.temporaryDirectory.appending(path: "surroundings-\(UUID())").path
        var checkpoints: String { "\(root)/checkpoints" }

        init() throws {
            for folder in ["precious/deep", "checkpoints"] {
                try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            }
            for file in ["precious/deep/file", "file"] { try Data("precious".utf8).write(to: url(file)) }
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func url(_ name: String) -> URL { URL(filePath: "\(root)/\(name)") }

        var isWhole: Bool {
            ["precious/deep/file", "file"].allSatisfy { (try? Data(contentsOf: url($0))) == Data("precious".utf8) }
        }

        func config(_ overrides: String = "") throws -> JobConfig {
            try JobConfig.parse(
                yaml: """
                    model: { kind: mlp, hidden: [4] }
                    data: { format: embedded, scale: min_max, limit: 200 }
                    train: { batch: 20, steps: 8 }
                    cluster: { servers: 1, workers: 1, threads_per_node: 1, consistency: sync }
                    checkpoint: { directory: \(checkpoints), every_steps: 2, keep: 1 }
                    """, overrides: overrides.split(separator: " ").map(String.init))
        }

        func link(_ name: String, to target: String) throws {
            try FileManager.default.createSymbolicLink(
                atPath: "\(checkpoints)/\(name)", withDestinationPath: "\(root)/\(target)")
        }
    }

    /// A coordinator that waits for its worker, and one that says it is its server.
    private struct Impostor {
        let coordinator: Coordinator
        let client: ControlClient
        let incarnation: UInt64 = 77

        init(_ config: JobConfig) throws {
            coordinator = try Coordinator(
                config: config, job: MultilayerPerceptron(), listen: Address("inproc://impostor-\(UUID())"),
                options: CoordinatorOptions())
            Thread.detachNewThread { [coordinator] in
                _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in })
            }
            client = try ControlClient(coordinator.address)
        }

        func register(_ addresses: [String] = ["inproc://nobody"]) throws {
            var registration = WireRegisterServer()
            registration.dataAddresses = addresses
            registration.version = NodeStart.version
            registration.incarnation = incarnation
            _ = try client.ask(.registerServer(registration))
        }

        func report(_ step: Int64, _ sequence: UInt64, change: (inout WireCheckpointWritten) -> Void = { _ in }) throws
        {
            var report = WireCheckpointWritten()
            (report.step, report.sequence, report.incarnation, report.bytes) = (step, sequence, incarnation, 10)
            change(&report)
            _ = try client.ask(.checkpointWritten(report))
        }

        func end() { coordinator.stop(now: true, reason: "over") }
    }

    @Test("only a server that has joined reports, of itself, and of steps that are due")
    func reports() throws {
        let around = try Surroundings()
        let impostor = try Impostor(try around.config())
        defer { impostor.end() }
        func refused(_ words: String, _ body: () throws -> Void) {
            let error = #expect(throws: NodeError.self) { try body() }
            #expect(error?.kind == .refused && error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        refused("is not of this job") { try impostor.report(2, 1) }
        try impostor.register()
        refused("holds nothing") { try impostor.report(2, 1) }
        _ = try impostor.client.ask(.getPart(WireGetPart()))
        refused("is not of this job") { try impostor.report(2, 1) { $0.incarnation = 5 } }
        refused("is not of this job") { try impostor.report(2, 1) { $0.server = 1 } }
        for step in [1, 0, 10] as [Int64] {
            refused("no checkpoint is due of step") { try impostor.report(step, 1) }
        }
        for step in [-2, 1 << 60, .max, .min] as [Int64] {
            refused("CheckpointWritten.step is \(step), which cannot be") { try impostor.report(step, 1) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: around.checkpoints).isEmpty)
    }

    @Test("checkpoints that a server only says it has written are rotated out, and nothing else with them")
    func rotation() throws {
        let around = try Surroundings()
        try around.link("checkpoint-2.server-0-of-1.safetensors", to: "precious")
        try FileManager.default.createDirectory(
            atPath: around.checkpoints + "/checkpoint-4.server-0-of-1.safetensors/kept",
            withIntermediateDirectories: true)
        try around.link("checkpoint-6.server-0-of-1.safetensors", to: "file")
        let impostor = try Impostor(try around.config())
        try impostor.register()
        _ = try impostor.client.ask(.getPart(WireGetPart()))
        for (i, step) in [2, 4, 6, 8].enumerated() { try impostor.report(Int64(step), UInt64(i) + 1) }
        // One that failed has its files removed.
        try impostor.report(6, 5) { $0.error = "the disk is full" }
        impostor.end()
        Thread.sleep(forTimeInterval: 0.3)
        #expect(around.isWhole)
        let names = try FileManager.default.contentsOfDirectory(atPath: around.checkpoints)
        #expect(names.contains("checkpoint-2.server-0-of-1.safetensors"))
        #expect(names.contains("checkpoint-6.server-0-of-1.safetensors"))
        #expect(
            FileManager.default.fileExists(atPath: around.checkpoints + "/checkpoint-4.server-0-of-1.safetensors/kept"))
    }

    @Test("a report that comes twice writes one manifest")
    func twice() throws {
        let around = try Surroundings()
        let impostor = try Impostor(try around.config())
        defer { impostor.end() }
        try impostor.register()
        _ = try impostor.client.ask(.getPart(WireGetPart()))
        try impostor.report(2, 1)
        let manifest = around.url("checkpoints/checkpoint-2.json")
        let first = try Data(contentsOf: manifest)
        try impostor.report(2, 1)
        #expect(try Data(contentsOf: manifest) == first)
    }

    @Test(
        "a server's addresses are such as workers can dial",
        arguments: [
            "", "nothing", "tcp://127.0.0.1:0", "tcp://*:5555", "ipc://relative", "tcp://127.0.0.1:99999",
            "inproc://a\u{1B}[2Jb", "http://127.0.0.1:80", "ipc:///\(String(repeating: "a", count: 200))",
            "tcp://\(String(repeating: "a", count: 5000)):1",
        ])
    func addresses(address: String) throws {
        let around = try Surroundings()
        let impostor = try Impostor(try around.config())
        defer { impostor.end() }
        let error = #expect(throws: NodeError.self) { try impostor.register([address]) }
        #expect(error?.kind == .refused)
        try impostor.register()
    }

    @Test("links under the names of a checkpoint's files are replaced, not followed")
    func links() throws {
        let around = try Surroundings()
        for name in [
            "checkpoint-2.server-0-of-1.safetensors", "checkpoint-2.json", "checkpoint-2.preprocessing",
            "checkpoint-4.server-0-of-1.safetensors", "checkpoint-4.json",
        ] { try around.link(name, to: "file") }
        try around.link("checkpoint-6.server-0-of-1.safetensors", to: "nowhere-yet")
        let report = try LocalCluster.train(
            around.config("checkpoint.keep=9"), job: MultilayerPerceptron())
        #expect(report.status == .finished && report.checkpointError == nil)
        #expect(around.isWhole && !FileManager.default.fileExists(atPath: "\(around.root)/nowhere-yet"))
        #expect(try Manifest.all(in: around.checkpoints).map(\.step) == [2, 4, 6, 8])
    }

    @Test("links that come with somebody's checkpoints are not removed as leftovers, nor what they lead to")
    func leftovers() throws {
        let around = try Surroundings()
        _ = try LocalCluster.train(around.config(), job: MultilayerPerceptron())
        try around.link("checkpoint-99.server-0-of-1.safetensors", to: "precious")
        try around.link(".checkpoint-9.999999999-1.tmp", to: "file")
        let report = try LocalCluster.train(
            around.config("train.steps=10"), job: MultilayerPerceptron(),
            options: CoordinatorOptions(resume: true))
        #expect(report.status == .finished && around.isWhole)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: around.checkpoints)
                .contains("checkpoint-99.server-0-of-1.safetensors"))
    }
}
