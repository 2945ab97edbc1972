import Cluster
import Foundation
import Testing

/// A whole job as a user starts it: real processes, really killed.
final class RunningJob {
    let process = Process()
    private let output = Pipe()
    private let errors: URL
    let folder: URL

    init(_ command: String, _ arguments: [String] = [], in folder: URL? = nil) throws {
        self.folder = folder ?? FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let config = self.folder.appendingPathComponent("job.yaml")
        try """
        job: test
        model: { kind: mlp, hidden: [64, 32] }
        data: { format: embedded, scale: min_max }
        train: { optimizer: adam, learning_rate: 0.002, batch: 20, epochs: 2 }
        cluster: { servers: 1, workers: 2, threads_per_node: 1 }
        """.write(to: config, atomically: true, encoding: .utf8)
        errors = self.folder.appendingPathComponent("stderr-\(UUID())")
        try Data().write(to: errors)
        process.executableURL = URL(fileURLWithPath: TestProgram.path)
        process.arguments = command.split(separator: " ").map(String.init) + [config.path, "--json"] + arguments
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
    }

    var log: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Waits until the log says `text`; false if the job ends or a minute passes before.
    func waitFor(_ text: String) -> Bool {
        for _ in 0..<6000 {
            if log.contains(text) { return true }
            if !process.isRunning { return log.contains(text) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return false
    }

    /// The pid of a node that has joined.
    func pid(of node: String) -> Int32? {
        guard let range = log.range(of: "\(node) joined from ") else { return nil }
        let line = log[range.upperBound...].prefix { $0 != "\n" }
        return line.components(separatedBy: "pid ").last.flatMap { Int32($0) }
    }

    /// Waits for the end and reads the report, the last line of stdout.
    func finish() throws -> (status: Int32, report: JobReport?) {
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").last.map { Data($0.utf8) } ?? Data()
        return (process.terminationStatus, try? JSONDecoder().decode(JobReport.self, from: line))
    }
}

@Suite("Jobs as processes", .serialized)
struct JobTests {
    @Test("a job runs over every transport, and every process ends by itself", arguments: ["ipc", "tcp", "tls+tcp"])
    func transports(transport: String) throws {
        let job = try RunningJob("launch", ["--transport", transport, "--servers", "2"])
        let (status, report) = try job.finish()
        #expect(status == 0, "\(job.log)")
        let done = try #require(report, "\(job.log)")
        #expect(done.status == .finished && done.steps == 400 && done.samples == 8000)
        #expect(done.metrics["accuracy"] ?? 0 > 0.85)
        #expect((done.workers + done.servers).allSatisfy { $0.exitStatus == 0 && $0.state == .finished })
    }

    @Test(
        "a worker killed at any moment costs no batch: the job goes on and makes every update", arguments: [0, 1, 2, 3])
    func workerKilled(moment: Int) throws {
        // Long enough that every moment lies well within it.
        let job = try RunningJob("launch", ["--set", "train.epochs=25"])
        #expect(job.waitFor("worker 1 joined"))
        Thread.sleep(forTimeInterval: Double(moment) * 0.15)
        #expect(kill(try #require(job.pid(of: "worker 1")), SIGKILL) == 0)
        let (status, report) = try job.finish()
        let done = try #require(report, "\(job.log)")
        #expect(status == 0 && done.status == .finished, "\(job.log)")
        #expect(done.steps == 5000 && done.samples == 100_000)
        #expect(job.log.contains("SIGKILL"), "\(job.log)")
    }

    @Test(
        "a job goes on when a worker is killed, whoever waits for whom",
        arguments: ["sync", "{sync: {backup: 1}}", "{staleness: 2}"])
    func workerKilledWhileOthersWait(consistency: String) throws {
        let job = try RunningJob(
            "launch", ["--workers", "3", "--set", "train.epochs=10", "--set", "cluster.consistency=\(consistency)"])
        #expect(job.waitFor("training begins"))
        Thread.sleep(forTimeInterval: 0.2)
        #expect(kill(try #require(job.pid(of: "worker 2")), SIGKILL) == 0)
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished && report?.steps == 2000, "\(job.log)")
        #expect(job.log.contains("SIGKILL"), "\(job.log)")
        // Gradients that come too late are another matter.
        if !consistency.contains("backup") { #expect(report?.missedExamples == 0) }
    }

    @Test(
        "a synchronous worker that is asked to end stays until no step counts on it: no example is missed",
        arguments: [0, 1, 2])
    func workerLeaves(moment: Int) throws {
        let job = try RunningJob(
            "launch", ["--workers", "3", "--set", "train.epochs=20", "--set", "cluster.consistency=sync"])
        #expect(job.waitFor("training begins"))
        Thread.sleep(forTimeInterval: 0.1 + Double(moment) * 0.17)
        #expect(kill(try #require(job.pid(of: "worker 2")), SIGTERM) == 0)
        let (status, report) = try job.finish()
        let done = try #require(report, "\(job.log)")
        #expect(status == 0 && done.status == .finished && done.steps == 4000, "\(job.log)")
        #expect(done.missedExamples == 0 && done.samples == 80_000 && done.gradients.dropped == [:])
        let worker = try #require(done.workers.first { $0.number == 2 })
        #expect(worker.state == .finished && worker.exitStatus == 0 && worker.steps > 0 && worker.steps < 4000)
    }

    @Test("a worker that joins later takes part, in either consistency", arguments: ["async", "sync"])
    func lateWorker(consistency: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let file = folder.appendingPathComponent("address")
        let job = try RunningJob(
            "coordinator",
            [
                "--address-file", file.path, "--workers", "1", "--set", "cluster.consistency=\(consistency)",
                "--set", "train.epochs=20",
            ], in: folder)
        #expect(job.waitFor("coordinator listens"))
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: file.path) {
            Thread.sleep(forTimeInterval: 0.01)
        }
        let address = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let nodes = ChildProcesses()
        func start(_ role: String, _ number: Int) throws {
            try nodes.start(
                .init(
                    name: "\(role) \(number)", path: TestProgram.path,
                    arguments: [role, "--coordinator", address, "--threads", "1"]))
        }
        try start("server", 0)
        try start("worker", 0)
        #expect(job.waitFor("training begins"))
        Thread.sleep(forTimeInterval: 0.2)
        try start("worker", 1)
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.steps == 4000, "\(job.log)")
        #expect(report?.samples == 80_000)
        #expect(report?.workers.count == 2 && report?.workers.allSatisfy { $0.steps > 0 } == true, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(5)))
        #expect(nodes.exits.allSatisfy { $0.ending.isSuccess }, "\(nodes.exits)")
    }

    @Test("status tells people of a running job what became of its gradients, as progress and the result do")
    func status() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let file = folder.appendingPathComponent("address")
        let job = try RunningJob(
            "coordinator",
            ["--address-file", file.path, "--set", "train.epochs=400", "--set", "cluster.consistency={staleness: 3}"],
            in: folder)
        #expect(job.waitFor("coordinator listens"))
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: file.path) {
            Thread.sleep(forTimeInterval: 0.01)
        }
        let address = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let nodes = ChildProcesses()
        for (number, role) in ["server", "worker", "worker"].enumerated() {
            try nodes.start(
                .init(
                    name: "\(role) \(number)", path: TestProgram.path,
                    arguments: [role, "--coordinator", address, "--threads", "1"]))
        }
        #expect(job.waitFor("training begins"))
        func tell(_ arguments: [String]) throws -> [String] {
            let program = Process()
            let output = Pipe()
            program.executableURL = URL(fileURLWithPath: TestProgram.path)
            program.arguments = arguments
            program.standardOutput = output
            try program.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            program.waitUntilExit()
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        // Servers tell with their heartbeats.
        var lines: [String] = []
        for _ in 0..<50 {
            lines = try tell(["status", address])
            if lines.count > 4, lines[1].contains("(at most") { break }
            Thread.sleep(forTimeInterval: 0.1)
        }
        let ledger = /[\d,]+ gradients applied, staleness \d+\.\d \(at most \d+\)(, dropped .+)?/
        try #require(lines.count == 5, "\(lines)")
        #expect(lines[1].wholeMatch(of: ledger) != nil, "\(lines)")
        let workers = lines.filter { $0.hasPrefix("  worker ") }
        #expect(workers.count == 2 && workers.allSatisfy { $0.contains(ledger) }, "\(lines)")
        #expect(job.waitFor("(at most"))
        _ = try tell(["stop", address])
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .stopped && report?.gradients.applied ?? 0 > 0, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(5)))
    }

    @Test("a server killed ends the job with a clear error, and the checkpoint before it can be resumed")
    func serverKilled() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let checkpoint = folder.appendingPathComponent("checkpoint")
        let job = try RunningJob(
            "launch",
            ["--checkpoint", checkpoint.path, "--set", "checkpoint.every_steps=100", "--set", "train.epochs=50"],
            in: folder)
        #expect(job.waitFor("training begins"))
        for _ in 0..<3000 where (try? Manifest.newest(in: checkpoint.path)) ?? nil == nil {
            Thread.sleep(forTimeInterval: 0.01)
        }
        kill(try #require(job.pid(of: "server 0")), SIGKILL)
        let (status, report) = try job.finish()
        #expect(status == 69 && report?.status == .failed, "\(job.log)")
        #expect(job.log.contains("server 0") && job.log.contains("SIGKILL"))
        let saved = try #require(try Manifest.newest(in: checkpoint.path))
        #expect(saved.step >= 100 && saved.step % 100 == 0)
        let next = try RunningJob(
            "launch", ["--checkpoint", checkpoint.path, "--resume", "--set", "train.steps=\(saved.step + 100)"],
            in: folder)
        let resumed = try next.finish()
        #expect(resumed.status == 0 && resumed.report?.steps == saved.step + 100, "\(next.log)")
    }

    @Test("an interrupt writes a checkpoint and ends within two seconds; the job goes on from there with other servers")
    func interrupted() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let checkpoint = folder.appendingPathComponent("checkpoint")
        let common = ["--checkpoint", checkpoint.path, "--set", "cluster.consistency=sync"]
        let job = try RunningJob("launch", common + ["--set", "train.epochs=200"], in: folder)
        #expect(job.waitFor("training begins"))
        Thread.sleep(forTimeInterval: 1)
        let asked = ContinuousClock.now
        job.process.interrupt()
        let (status, report) = try job.finish()
        #expect(ContinuousClock.now - asked < .seconds(2))
        let stopped = try #require(report, "\(job.log)")
        #expect(status == 0 && stopped.status == .stopped && stopped.steps > 0)
        let losses = folder.appendingPathComponent("losses.csv")
        let next = try RunningJob(
            "train",
            common + [
                "--resume", "--servers", "3", "--set", "train.steps=\(stopped.steps + 50)", "--losses", losses.path,
            ], in: folder)
        let resumed = try next.finish()
        #expect(resumed.status == 0 && resumed.report?.steps == stopped.steps + 50, "\(next.log)")
        let lines = try String(contentsOf: losses, encoding: .utf8).split(separator: "\n").dropFirst()
        #expect(lines.first?.hasPrefix("\(stopped.steps),") == true)
        // Single batches of 20 scatter; their mean goes on where it was.
        let values = lines.compactMap { Double($0.split(separator: ",")[1]) }
        #expect(values.count == 50)
        #expect(values.reduce(0, +) / 50 < 2 * max(stopped.trainLoss ?? 0, 0.1))
    }

    @Test("a job's checkpoint can be evaluated and predicted from")
    func inference() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let checkpoint = folder.appendingPathComponent("checkpoint").path
        let trained = try RunningJob("train", ["--checkpoint", checkpoint], in: folder).finish()
        let accuracy = try #require(trained.report?.metrics["accuracy"])
        let config = try JobConfig.load(path: folder.appendingPathComponent("job.yaml").path)
        let evaluation = try Inference.evaluate(config: config, job: MultilayerPerceptron(), checkpoint: checkpoint)
        #expect(evaluation.examples == 1000 && abs((evaluation.metrics["accuracy"] ?? 0) - accuracy) < 1e-6)
        let predictions = try Inference.predict(config: config, job: MultilayerPerceptron(), checkpoint: checkpoint)
        #expect(predictions.rows.count == 1000 && predictions.columns.count == 11)
        let other = try JobConfig.load(
            path: folder.appendingPathComponent("job.yaml").path, overrides: ["model.hidden=[32]"])
        #expect(throws: NodeError.self) {
            try Inference.evaluate(config: other, job: MultilayerPerceptron(), checkpoint: checkpoint)
        }
    }
}
