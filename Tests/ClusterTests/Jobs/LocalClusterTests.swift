import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

/// Whole jobs in this process: real sockets, real data.
@Suite("Jobs in one process", .serialized)
struct LocalClusterTests {
    private func config(_ yaml: String = "") throws -> JobConfig {
        try JobConfig.parse(
            yaml: """
                job: test
                model: { kind: mlp, hidden: [64] }
                data: { format: embedded, scale: min_max, limit: 1000 }
                train: { optimizer: adam, learning_rate: 0.003, batch: 50, epochs: 2 }
                cluster: { servers: 2, workers: 2, threads_per_node: 1 }
                """, overrides: yaml.isEmpty ? [] : yaml.split(separator: " ").map(String.init))
    }

    private func losses(_ overrides: String) throws -> (losses: [Double], report: JobReport) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("losses-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let report = try LocalCluster.train(
            try config(overrides), job: MultilayerPerceptron(), options: CoordinatorOptions(lossesFile: file))
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst()
        return (lines.compactMap { Double($0.split(separator: ",")[1]) }, report)
    }

    @Test("an asynchronous job learns digits, makes every update once, and evaluates")
    func asynchronous() throws {
        let (losses, report) = try losses("")
        #expect(report.status == .finished)
        #expect(report.steps == 40)
        #expect(report.samples == 2000)
        #expect(losses.count == 40)
        // Chance is 0.1; how far 40 updates come depends on how stale they are.
        #expect((report.metrics["accuracy"] ?? 0) > 0.6)
        #expect(report.workers.count == 2 && report.workers.allSatisfy { $0.state == .finished })
    }

    @Test(
        "a device that is not there ends the job with a list of those that are, unless placement is soft",
        arguments: ["worker", "server"])
    func devices(role: String) throws {
        let report = try reported {
            try LocalCluster.train(config("devices.\(role)=/gpu:0 train.epochs=1"), job: MultilayerPerceptron())
        }
        #expect(report.status == .failed)
        #expect(report.reason?.contains("there are: /device:CPU:0") == true, "\(report.reason ?? "")")
        let soft = try LocalCluster.train(
            try config("devices.\(role)=/gpu:0 devices.soft_placement=true train.epochs=1"),
            job: MultilayerPerceptron())
        #expect(soft.status == .finished)
    }

    @Test("a synchronous job repeats itself bit for bit, and agrees with one worker", arguments: [1, 2, 3])
    func synchronous(workers: Int) throws {
        let overrides = "cluster.consistency=sync train.optimizer=momentum train.learning_rate=0.05 cluster.workers="
        let (first, report) = try losses(overrides + "\(workers)")
        let (second, _) = try losses(overrides + "\(workers)")
        let (single, _) = try losses(overrides + "1 cluster.servers=1")
        #expect(report.status == .finished && first.count == 40)
        #expect(first == second)
        #expect(zip(first, single).allSatisfy { abs($0 - $1) < 1e-4 * max(1, abs($1)) })
    }

    @Test("a synchronous job comes out the same bit for bit, whether memory is shared or sockets carry the bytes")
    func sharedMemory() throws {
        let overrides = "cluster.consistency=sync train.optimizer=adam cluster.shared_memory="
        let (shared, _) = try losses(overrides + "true")
        let (sent, _) = try losses(overrides + "false")
        #expect(shared == sent && shared.count == 40)
    }

    @Test("a server with little room for waiting pushes makes its workers wait, and changes nothing else")
    func serverMemory() throws {
        let overrides =
            "cluster.consistency=sync cluster.workers=4 cluster.shared_memory=false model.hidden=[512] train.epochs=1"
        let (roomy, _) = try losses(overrides)
        let (tight, report) = try losses(overrides + " cluster.server_memory=1MiB")
        #expect(report.status == .finished && roomy == tight && roomy.count == 20)
    }

    @Test(
        "with every wire format a job learns as much as a single process",
        arguments: ["float32", "bfloat16", "int8", "{top_k: 0.05}"])
    func wireFormats(format: String) throws {
        func accuracy(_ overrides: [String]) throws -> Double {
            let config = try JobConfig.parse(
                yaml: """
                    job: test
                    model: { kind: mlp, hidden: [64] }
                    data: { format: embedded, scale: min_max }
                    train: { optimizer: adam, learning_rate: 0.003, batch: 50, epochs: 6 }
                    cluster: { servers: 1, workers: 1, consistency: sync, threads_per_node: 1 }
                    """, overrides: overrides)
            return try LocalCluster.train(config, job: MultilayerPerceptron()).metrics["accuracy"] ?? 0
        }
        let single = try accuracy([])
        let wired = try accuracy([
            "cluster.workers=2", "cluster.shared_memory=false", "cluster.wire=\(format)",
        ])
        #expect(single > 0.9)
        #expect(wired >= single - 0.01, "\(wired) with \(format), \(single) in a single process")
    }

    @Test("servers follow the schedule: where the rate has come to 0, further updates change nothing")
    func schedule() throws {
        let overrides = "cluster.consistency=sync train.optimizer=gradient_descent train.learning_rate=0.1"
        let decaying = overrides + " train.schedule=cosine train.decay_steps=20 train.steps="
        let (_, atTheEnd) = try losses(decaying + "20")
        let (_, beyond) = try losses(decaying + "30")
        let (_, constant) = try losses(overrides + " train.steps=30")
        let loss = try #require(beyond.loss)
        #expect(atTheEnd.loss == loss && beyond.steps == 30)
        #expect(constant.loss ?? loss < loss)
    }

    @Test("a job goes on from a checkpoint with another rate or schedule, but not with another model")
    func resumed() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resumed-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ overrides: String, resume: Bool = true) throws -> JobReport {
            try LocalCluster.train(
                try config("checkpoint.directory=\(folder) " + overrides), job: MultilayerPerceptron(),
                options: CoordinatorOptions(resume: resume))
        }
        #expect(try run("train.steps=20", resume: false).steps == 20)
        let resumed = try run("train.steps=30 train.learning_rate=0.0001 train.schedule=linear")
        #expect(resumed.status == .finished && resumed.steps == 30, "\(resumed.reason ?? "")")
        let error = #expect(throws: NodeError.self) { try run("train.steps=40 model.activation=tanh") }
        #expect(error?.message.contains("another model") == true)
    }

    @Test("a checkpoint that cannot be written is told, and the one before stays usable")
    func unwritable() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("unwritable-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // What stands in the way of the last file.
        try FileManager.default.createDirectory(
            atPath: "\(folder)/checkpoint-40.server-0-of-2.safetensors/x", withIntermediateDirectories: true)
        let config = try config("checkpoint.directory=\(folder) checkpoint.every_steps=20")
        let report = try LocalCluster.train(config, job: MultilayerPerceptron())
        #expect(report.status == .finished && report.checkpoint == "\(folder)/checkpoint-20.json")
        #expect(report.checkpointError?.contains("checkpoint-40.server-0-of-2.safetensors") == true)
        #expect(try Inference.evaluate(config: config, job: MultilayerPerceptron(), checkpoint: folder).step == 20)
    }

    @Test("servers without a part of the model do not keep checkpoints from being complete")
    func moreServersThanBlocks() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("servers-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = try config("checkpoint.directory=\(folder) cluster.servers=6 train.steps=5")
        let report = try LocalCluster.train(config, job: MultilayerPerceptron())
        #expect(report.status == .finished && report.checkpoint == "\(folder)/checkpoint-5.json")
    }

    @Test("a job begun anew where an earlier one saved goes before it, also with fewer steps")
    func sameDirectory() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("again-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ steps: Int) throws -> JobReport {
            try LocalCluster.train(
                config("checkpoint.directory=\(folder) checkpoint.keep=1 train.steps=\(steps)"),
                job: MultilayerPerceptron())
        }
        _ = try run(12)
        let second = try run(4)
        #expect(second.checkpoint == "\(folder)/checkpoint-4.json")
        #expect(try Manifest.newest(in: folder)?.step == 4)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix("json") }.count == 1)
    }

    @Test("an asynchronous checkpoint is not gone on from synchronously where it lacks a batch")
    func asynchronousThenSynchronous() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("holes-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ more: String, resume: Bool) throws -> JobReport {
            try LocalCluster.train(
                config("checkpoint.directory=\(folder) " + more), job: MultilayerPerceptron(),
                options: CoordinatorOptions(resume: resume))
        }
        _ = try run("train.steps=10", resume: false)
        var manifest = try #require(try Manifest.newest(in: folder))
        manifest.done = [[0, 8], [9, 11]]
        try Data(manifest.encoded()).write(to: URL(fileURLWithPath: "\(folder)/checkpoint-10.json"))
        let error = #expect(throws: NodeError.self) {
            try run("train.steps=20 cluster.consistency=sync", resume: true)
        }
        #expect(error?.message.contains("asynchronously") == true)
        #expect(try run("train.steps=20", resume: true).steps == 20)
    }

    @Test(
        "asynchronous checkpoints say what each Variable has, and each batch goes once into each that goes on from there"
    )
    func resumedBetweenBatches() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("between-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ more: String, resume: Bool) throws -> JobReport {
            try LocalCluster.train(
                config("checkpoint.directory=\(folder) checkpoint.keep=100 " + more),
                job: MultilayerPerceptron(),
                options: CoordinatorOptions(resume: resume))
        }
        _ = try run("train.steps=40 checkpoint.every_steps=3 cluster.workers=3", resume: false)
        let all = try Manifest.all(in: folder)
        #expect(all.count == 14)
        for manifest in all {
            let counts =
                (manifest.ahead?.keys.map { manifest.doneBatches(ofShard: $0) } ?? []) + [manifest.doneBatches]
            #expect(counts.map { $0.ranges.reduce(0) { $0 + $1.count } }.max() == manifest.step)
        }
        // As if the second shard had a batch that the others lacked.
        let shards = try PreparedJob(config(""), MultilayerPerceptron()).layout(executors: [1, 1]).shards
        var manifest = try #require(all.last)
        manifest.done = [[0, 30], [31, 40]]
        manifest.ahead = [shards[1].blockNames: [[30, 31]]]
        try Data(manifest.encoded()).write(to: URL(fileURLWithPath: "\(folder)/checkpoint-40.json"))
        let error = #expect(throws: NodeError.self) {
            try run("train.steps=44 cluster.consistency=sync", resume: true)
        }
        #expect(error?.message.contains("asynchronously") == true)
        let report = try run("train.steps=44 checkpoint.every_steps=2", resume: true)
        #expect(report.steps == 44 && report.gradients.dropped == [.repeated: 1])
        #expect(report.gradients.applied == 5 * shards.count - 1 && report.missedExamples == 0)
        // The one gone on from stays, and every later one is complete.
        #expect(try Manifest.all(in: folder).suffix(3).map(\.step) == [40, 42, 44])
        manifest.checksum = try Manifest.all(in: folder).first { $0.step == 40 }?.checksum
        #expect(try Manifest.all(in: folder).first { $0.step == 40 } == manifest)
        // On more executors, where the Variables are cut otherwise.
        let wide = try run("train.steps=48 checkpoint.every_steps=2 cluster.threads_per_node=2", resume: true)
        #expect(wide.steps == 48)
        #expect(try Manifest.all(in: folder).suffix(3).map(\.step) == [44, 46, 48])
    }

    @Test("what a checkpoint lacks of its batches is made up for, also after the last batch", arguments: [10, 14])
    func missedExamples(steps: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("missed-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ more: String, resume: Bool) throws -> JobReport {
            try LocalCluster.train(
                config("checkpoint.directory=\(folder) cluster.consistency=sync " + more),
                job: MultilayerPerceptron(), options: CoordinatorOptions(resume: resume))
        }
        _ = try run("train.steps=10", resume: false)
        var manifest = try #require(try Manifest.newest(in: folder))
        #expect(manifest.missed == nil)
        manifest.missed = [[3, 10], [21, 22]]
        try Data(manifest.encoded()).write(to: URL(fileURLWithPath: "\(folder)/checkpoint-10.json"))
        let report = try run("train.steps=\(steps)", resume: true)
        #expect(report.status == .finished && report.steps == steps, "\(report.reason ?? "")")
        // Of those that were left and of the new batches none is missed and none is in twice.
        #expect(report.missedExamples == 0 && report.repeatedExamples == 0)
        let last = try #require(try Manifest.newest(in: folder))
        #expect(last.missed == nil && last.doneBatches == RangeSet(0..<steps))
        #expect(try run("train.steps=\(steps + 2)", resume: true).steps == steps + 2)
    }

    @Test("a graph from a file trains on servers to the numbers of the job that it was written from")
    func importedGraph() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("graph-\(UUID()).pb").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let common = "cluster.consistency=sync train.optimizer=momentum train.learning_rate=0.05"
        let job = try PreparedJob(config(common), MultilayerPerceptron())
        try AtomicFile.write(GraphDefinition.encode(job.graph), to: file)
        let (expected, _) = try losses(common)
        let config = try config(common)
        var imported = config
        // The graph has a model and an optimizer of its own.
        imported.model = JobConfig.Model()
        (imported.train.optimizer, imported.train.learningRate) = (
            JobConfig().train.optimizer, JobConfig().train.learningRate
        )
        imported.model.kind = ImportedGraph.kind
        imported.model.file = file
        imported.model.train = job.model.train.vertex.name
        imported.model.loss = .node(job.model.loss.name)
        imported.model.feeds = [job.model.features.name: .features, job.model.labels.name: .labels]
        imported.model.metrics = job.model.metrics.means.mapValues(\.name)
        let log = file + ".csv"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let report = try LocalCluster.train(
            imported, job: ImportedGraph(), options: CoordinatorOptions(lossesFile: log))
        let got = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").dropFirst()
            .compactMap { Double($0.split(separator: ",")[1]) }
        #expect(report.status == .finished && report.metrics["accuracy"] ?? 0 > 0.6, "\(report.reason ?? "")")
        #expect(got == expected)
    }
}
