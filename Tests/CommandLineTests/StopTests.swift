import Cluster
import Foundation
import Testing

/// A job whose nodes are started by hand, each a process of its own, as Kubernetes or Slurm start them.
private final class NodesByHand {
    let job: RunningJob
    let nodes = ChildProcesses()
    private(set) var pids: [String: Int32] = [:]
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
    var checkpoint: String { folder.appendingPathComponent("checkpoint").path }

    init(servers: Int = 2, workers: Int = 2, threads: Int? = 1, _ arguments: [String]) throws {
        let file = folder.appendingPathComponent("address")
        job = try RunningJob(
            "coordinator",
            [
                "--address-file", file.path, "--servers", "\(servers)", "--workers", "\(workers)",
                "--set", "train.epochs=400", "--checkpoint", folder.appendingPathComponent("checkpoint").path,
            ] + arguments, in: folder)
        #expect(job.waitFor("coordinator listens"))
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: file.path) {
            Thread.sleep(forTimeInterval: 0.01)
        }
        let address = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        for (role, count) in [("server", servers), ("worker", workers)] {
            for number in 0..<count {
                let name = "\(role) \(number)"
                pids[name] = try nodes.start(
                    .init(
                        name: name, path: TestProgram.path,
                        arguments: [role, "--coordinator", address]
                            + (threads.map { ["--threads", "\($0)"] } ?? [])))
            }
        }
        #expect(job.waitFor("training begins"), "\(job.log)")
    }

    /// Signals the nodes, then the coordinator.
    func signal(_ signal: Int32, nodes matches: (String) -> Bool = { _ in true }, coordinator: Bool) {
        nodes.signal(signal, where: matches)
        if coordinator { kill(job.process.processIdentifier, signal) }
    }
}

@Suite("Jobs that are told to end", .serialized)
struct StopTests {
    private static let consistencies = [
        "async", "{async: {pipeline: true}}", "{staleness: 2}", "sync", "{sync: {backup: 1}}",
    ]

    /// Goes on from a checkpoint for 40 steps and checks that these train every example.
    private func resume(_ checkpoint: String, _ folder: URL, _ consistency: String, from stopped: JobReport) throws {
        let manifest = try #require(try Manifest.newest(in: checkpoint))
        #expect(manifest.step == stopped.steps)
        let next = try RunningJob(
            "train",
            [
                "--checkpoint", checkpoint, "--resume", "--servers", "2",
                "--set", "cluster.consistency=\(consistency)", "--set", "train.steps=\(stopped.steps + 40)",
            ], in: folder)
        let (status, report) = try next.finish()
        #expect(status == 0 && report?.steps == stopped.steps + 40, "\(next.log)")
        guard !consistency.contains("backup") else { return }
        // A synchronous worker that leaves may have had a part of the step that another had begun: it is trained now.
        let left = manifest.missedExamples.total
        #expect(report?.samples == 800 + left && report?.missedExamples == 0, "\(next.log)")
    }

    @Test("SIGTERM to every node at once leaves a checkpoint to go on from", arguments: consistencies)
    func allAtOnce(consistency: String) throws {
        let cluster = try NodesByHand(["--set", "cluster.consistency=\(consistency)"])
        Thread.sleep(forTimeInterval: 0.3)
        cluster.signal(SIGTERM, coordinator: true)
        let (status, report) = try cluster.job.finish()
        let stopped = try #require(report, "\(cluster.job.log)")
        #expect(status == 0 && stopped.status == .stopped && stopped.checkpointError == nil, "\(cluster.job.log)")
        #expect(cluster.nodes.waitForAll(atMost: .seconds(5)))
        #expect(cluster.nodes.exits.allSatisfy { $0.ending.isSuccess }, "\(cluster.nodes.exits)")
        try resume(cluster.checkpoint, cluster.folder, consistency, from: stopped)
    }

    @Test(
        "whichever nodes are told to end, and by which signal, the job is saved",
        arguments: [
            ("server", SIGTERM, 0), ("server 1", SIGHUP, 0), ("server", SIGINT, 0), ("coordinator", SIGHUP, 0),
            ("worker", SIGTERM, 69),
        ])
    func someNodes(who: String, signal: Int32, expected: Int32) throws {
        // Long enough for all to join on a busy machine.
        let cluster = try NodesByHand(who == "worker" ? ["--set", "cluster.join_timeout=10"] : [])
        Thread.sleep(forTimeInterval: 0.3)
        cluster.signal(signal, nodes: { $0.hasPrefix(who) }, coordinator: who == "coordinator")
        let (status, report) = try cluster.job.finish()
        let stopped = try #require(report, "\(cluster.job.log)")
        #expect(status == expected && stopped.status == (expected == 0 ? .stopped : .failed), "\(cluster.job.log)")
        if who.hasPrefix("server") { #expect(stopped.reason?.hasSuffix("was asked to end") == true) }
        #expect(cluster.nodes.waitForAll(atMost: .seconds(5)))
        #expect(cluster.nodes.exits.allSatisfy { $0.ending.isSuccess }, "\(cluster.nodes.exits)")
        try resume(cluster.checkpoint, cluster.folder, "async", from: stopped)
    }

    /// The processes that a process has started.
    private func children(of pid: Int32) -> [Int32] {
        let file = "/proc/\(pid)/task/\(pid)/children"
        return ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            Int32($0)
        }
    }

    @Test("launch saves the job, whether it, its nodes or all of them get SIGTERM", arguments: [1, 2, 3])
    func launch(whom: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let checkpoint = folder.appendingPathComponent("checkpoint").path
        let job = try RunningJob(
            "launch",
            [
                "--checkpoint", checkpoint, "--servers", "2", "--set", "train.epochs=400",
                "--set", "cluster.consistency=sync",
            ], in: folder)
        #expect(job.waitFor("training begins"))
        Thread.sleep(forTimeInterval: 0.3)
        let launcher = job.process.processIdentifier
        if whom & 2 != 0 { for child in children(of: launcher) { kill(child, SIGTERM) } }
        if whom & 1 != 0 { kill(launcher, SIGTERM) }
        let (status, report) = try job.finish()
        let stopped = try #require(report, "\(job.log)")
        #expect(status == 0 && stopped.status == .stopped, "\(job.log)")
        #expect((stopped.workers + stopped.servers).allSatisfy { $0.exitStatus == 0 }, "\(job.log)")
        try resume(checkpoint, folder, "sync", from: stopped)
    }

    @Test("a second Ctrl-C ends all at once", arguments: [true, false])
    func twice(isLaunched: Bool) throws {
        // A worker that does not run holds up the first stop.
        let byHand = isLaunched ? nil : try NodesByHand([])
        let job = try byHand?.job ?? RunningJob("launch", ["--set", "train.epochs=400"])
        #expect(job.waitFor("training begins"))
        let launcher = job.process.processIdentifier
        let nodes = byHand.map { Array($0.pids.values) } ?? children(of: launcher)
        let sleeper = try #require(byHand?.pids["worker 0"] ?? job.pid(of: "worker 0"))
        kill(sleeper, SIGSTOP)
        func interrupt() {
            if let byHand { byHand.signal(SIGINT, coordinator: true) } else { kill(launcher, SIGINT) }
        }
        interrupt()
        Thread.sleep(forTimeInterval: 0.2)
        let asked = ContinuousClock.now
        interrupt()
        #expect(try job.finish().status == 130, "\(job.log)")
        #expect(ContinuousClock.now - asked < .seconds(1))
        // Both signals are one to a process that does not run.
        kill(sleeper, SIGCONT)
        Thread.sleep(forTimeInterval: 0.2)
        if let byHand { byHand.nodes.signal(SIGINT) }
        #expect(byHand?.nodes.waitForAll(atMost: .seconds(2)) ?? true)
        for _ in 0..<100 where nodes.contains(where: { kill($0, 0) == 0 }) { Thread.sleep(forTimeInterval: 0.01) }
        #expect(!nodes.contains { kill($0, 0) == 0 })
    }

    @Test("nohup: what is started to outlive its terminal does not end with it")
    func ignoredHangup() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        let before = Foundation.signal(SIGHUP, SIG_IGN)
        let job = try RunningJob("train", ["--set", "train.epochs=4"], in: folder)
        _ = Foundation.signal(SIGHUP, before)
        #expect(job.waitFor("training begins"))
        kill(job.process.processIdentifier, SIGHUP)
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished, "\(job.log)")
    }

    @Test("a worker that was stopped for too long hears that it was taken for dead, and what to do")
    func revived() throws {
        let cluster = try NodesByHand(servers: 1, ["--set", "cluster.heartbeat_timeout=2"])
        let sleeper = try #require(cluster.pids["worker 0"])
        Thread.sleep(forTimeInterval: 0.3)
        kill(sleeper, SIGSTOP)
        #expect(cluster.job.waitFor(" died: no heartbeat for 2.0 seconds"))
        kill(sleeper, SIGCONT)
        func ended() -> ChildExit? { cluster.nodes.exits.first { $0.name == "worker 0" } }
        for _ in 0..<1000 where ended() == nil { Thread.sleep(forTimeInterval: 0.01) }
        let exit = try #require(ended())
        #expect(exit.ending == .exited(status: 77))
        let words = exit.lastLines.joined(separator: "\n")
        #expect(words.contains("was taken for dead") && words.contains("start a new worker"), "\(words)")
        cluster.signal(SIGTERM, coordinator: true)
        let (status, report) = try cluster.job.finish()
        #expect(status == 0 && report?.status == .stopped, "\(cluster.job.log)")
        #expect(cluster.nodes.waitForAll(atMost: .seconds(5)))
    }

    @Test("one that wakes when the job is over blames its own pause, not its peers")
    func revivedTooLate() throws {
        let cluster = try NodesByHand(servers: 1, ["--set", "cluster.heartbeat_timeout=2"])
        let sleeper = try #require(cluster.pids["worker 0"])
        kill(sleeper, SIGSTOP)
        #expect(cluster.job.waitFor(" died: no heartbeat for 2.0 seconds"))
        cluster.signal(SIGTERM, nodes: { _ in false }, coordinator: true)
        #expect(try cluster.job.finish().status == 0)
        kill(sleeper, SIGCONT)
        #expect(cluster.nodes.waitForAll(atMost: .seconds(30)))
        let exit = try #require(cluster.nodes.exits.first { $0.name == "worker 0" })
        let words = exit.lastLines.joined(separator: "\n")
        #expect(exit.ending == .exited(status: 69) && words.contains("and was taken for dead"), "\(words)")
    }

    @Test("workers of one machine share its cores; what is told goes first")
    func threads() throws {
        func told(_ threads: Int?, _ arguments: [String]) throws -> [String] {
            let cluster = try NodesByHand(servers: 1, threads: threads, arguments)
            Thread.sleep(forTimeInterval: 0.5)
            cluster.signal(SIGTERM, coordinator: true)
            _ = try cluster.job.finish()
            #expect(cluster.nodes.waitForAll(atMost: .seconds(5)))
            return cluster.nodes.exits.flatMap(\.lastLines)
        }
        // The jobs of these tests say `cluster.threads_per_node: 1`.
        let lines = try told(nil, ["--set", "cluster.threads_per_node=null"])
        #expect(lines.count { $0.contains(" computes with ") && $0.contains("; 2 workers share ") } == 2, "\(lines)")
        let configured = try told(nil, ["--set", "cluster.threads_per_node=3"])
        #expect(!configured.contains { $0.contains(" share ") }, "\(configured)")
        #expect(configured.contains { $0.contains(" listens on ") && $0.split(separator: ",").count == 3 })
        let explicit = try told(2, ["--set", "cluster.threads_per_node=3"])
        #expect(explicit.contains { $0.contains(" listens on ") && $0.split(separator: ",").count == 2 })
    }

    @Test("TMPDIR may have any name", arguments: ["a b", "x%20#?: -'$\\", String(repeating: "long", count: 50)])
    func temporaryDirectory(name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("t-\(UInt16.random(in: 0...(.max)))")
        let wanted = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: wanted, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for transport in ["ipc", "tls+tcp"] {
            let children = ChildProcesses()
            let config = folder.appendingPathComponent("job.yaml").path
            try "data: {format: embedded}\ntrain: {steps: 4}\n".write(toFile: config, atomically: true, encoding: .utf8)
            try children.start(
                .init(
                    name: "launch", path: TestProgram.path, arguments: ["launch", config, "--transport", transport],
                    environment: ["TMPDIR": wanted.path]))
            #expect(children.waitForAll(atMost: .seconds(20)))
            #expect(children.exits.first?.ending == .exited(status: 0), "\(children.exits)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: wanted.path) == [])
    }
}
