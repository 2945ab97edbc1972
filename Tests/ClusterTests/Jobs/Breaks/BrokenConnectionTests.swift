import Cluster
import Dataflow
import Foundation
import Messaging
import Synchronization
import Testing
import Training

/// Whole jobs whose nodes reach their coordinator over connections that break all the time.
@Suite("Connections to the coordinator that break", .serialized)
struct BrokenConnectionTests {
    private func config(_ consistency: String, epochs: Int = 4) throws -> JobConfig {
        try JobConfig.parse(
            yaml: """
                job: breaks
                model: { kind: mlp, hidden: [8] }
                data: { format: embedded, scale: min_max, limit: 410 }
                train: { optimizer: adam, learning_rate: 0.003, batch: 20, epochs: \(epochs) }
                cluster:
                  { servers: 2, workers: 3, threads_per_node: 1, consistency: \(consistency), heartbeat_timeout: 60 }
                checkpoint: { directory: /nowhere, every_steps: 7, keep: 3 }
                """)
    }

    /// Runs a job with a relay between the coordinator and all others.
    private func train(
        _ config: JobConfig, every: UInt64, seed: UInt64, breaks: ([BreakingRelay.Place: Int]) -> Void
    ) throws -> Trained {
        let job = MultilayerPerceptron()
        return try Trained(config, job) { config, options in
            var options = options
            options.token = "a secret of sixteen bytes"
            let coordinator = try Coordinator(
                config: config, job: job, listen: Address("tcp://127.0.0.1:0"), options: options)
            let relay = try BreakingRelay(to: coordinator.address.port ?? 0, every: every, seed: seed)
            defer { relay.end() }
            let door = try Address("tcp://127.0.0.1:\(relay.port)")
            let name = "breaks-\(UInt64.random(in: 0...(.max)))"
            let running = Mutex(0)
            func start(_ role: String, _ number: Int, _ body: @escaping @Sendable (NodeOptions) throws -> Void) {
                running.withLock { $0 += 1 }
                Thread.detachNewThread {
                    do { try body(NodeOptions(token: "a secret of sixteen bytes", jobs: [job], number: number)) } catch
                    {
                        coordinator.stop(now: true, reason: "\(role) \(number): \(error)")
                    }
                    running.withLock { $0 -= 1 }
                }
            }
            for number in 0..<config.cluster.servers {
                start("server", number) { options in
                    let own = try Address("inproc://\(name)-\(number)")
                    try ServerNode(coordinator: door, listen: own, options: options).run()
                }
            }
            for number in 0..<config.cluster.workers {
                start("worker", number) { try WorkerNode(coordinator: door, options: $0).run() }
            }
            let report = try coordinator.run(onProgress: { _ in }, onEvent: { _ in })
            let deadline = ContinuousClock.now + .seconds(5)
            while running.withLock({ $0 }) > 0, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.002) }
            #expect(running.withLock { $0 } == 0, "a node hangs at the job's end")
            breaks(relay.breaks)
            return report
        }
    }

    @Test(
        "cost neither the job nor an example: all are trained on once, and evaluated once",
        arguments: [
            "async", "{async: {pipeline: true}}", "sync", "{sync: {backup: 1}}", "{staleness: 0}", "{staleness: 4}",
            "{sync: {sparse: async}}",
        ])
    func wholeJob(consistency: String) throws {
        let config = try config(consistency)
        var broken: [BreakingRelay.Place: Int] = [:]
        let trained = try train(config, every: 12, seed: UInt64(consistency.count)) { broken = $0 }
        let report = trained.report
        #expect(report.status == .finished && report.steps == 84, "\(report.reason ?? "")")
        #expect(broken.count == 3, "\(broken)")
        #expect(report.checkpointError == nil && report.leasedAgain == 0)
        #expect(report.repeatedExamples == 0)
        #expect((report.workers + report.servers).allSatisfy { $0.state == .finished })
        if consistency.contains("backup") {
            #expect(report.samples <= 1640 && report.samples + report.missedExamples >= 1640, "\(report.samples)")
        } else {
            #expect(report.samples == 1640 && report.missedExamples == 0, "\(report.samples)")
            #expect(report.gradients.dropped == [:], "\(report.gradients.dropped)")
            #expect(trained.losses.count == 84)
        }
        // A held-out batch that counts twice or not at all makes this no whole number.
        let right = try #require(report.metrics["accuracy"]) * Double(EmbeddedDigits.split().test.count)
        #expect(abs(right - right.rounded()) < 1e-3, "\(right)")
    }

    @Test("leave a synchronous job's result as it is, to the last bit")
    func sameResult() throws {
        let config = try config("sync")
        let job = MultilayerPerceptron()
        let calm = try Trained(config, job) { try LocalCluster.train($0, job: job, options: $1) }
        let broken = try train(config, every: 8, seed: 99) { #expect($0.values.reduce(0, +) > 10, "\($0)") }
        #expect(broken.losses == calm.losses)
        #expect(broken.report.loss == calm.report.loss && broken.report.metrics == calm.report.metrics)
        #expect(broken.values == calm.values && !broken.values.isEmpty)
    }

    @Test("a coordinator that has died ends its nodes within cluster.heartbeat_timeout", arguments: ["sync", "async"])
    func deadCoordinator(consistency: String) throws {
        var config = try config(consistency, epochs: 10_000)
        config.cluster.heartbeatTimeout = .seconds(2)
        config.checkpoint.directory = nil
        config.checkpoint.everySteps = nil
        let job = MultilayerPerceptron()
        let coordinator = try Coordinator(
            config: config, job: job, listen: Address("tcp://127.0.0.1:0"),
            options: CoordinatorOptions(token: "a secret of sixteen bytes"))
        let relay = try BreakingRelay(to: coordinator.address.port ?? 0, every: .max, seed: 1)
        let door = try Address("tcp://127.0.0.1:\(relay.port)")
        let name = "dead-\(UInt64.random(in: 0...(.max)))"
        let errors = Mutex<[NodeError]>([])
        func start(_ body: @escaping @Sendable (NodeOptions) throws -> Void) {
            Thread.detachNewThread {
                do { try body(NodeOptions(token: "a secret of sixteen bytes", jobs: [job])) } catch let error
                    as NodeError
                {
                    errors.withLock { $0.append(error) }
                } catch {}
            }
        }
        for number in 0..<2 {
            start {
                try ServerNode(coordinator: door, listen: Address("inproc://\(name)-\(number)"), options: $0).run()
            }
        }
        for _ in 0..<3 { start { try WorkerNode(coordinator: door, options: $0).run() } }
        let steps = Mutex(0)
        Thread.detachNewThread {
            _ = try? coordinator.run(
                onProgress: { progress in steps.withLock { $0 = progress.step } }, onEvent: { _ in })
        }
        let limit = ContinuousClock.now + .seconds(30)
        while steps.withLock({ $0 }) < 10, ContinuousClock.now < limit { Thread.sleep(forTimeInterval: 0.01) }
        let died = ContinuousClock.now
        relay.end()
        while errors.withLock({ $0.count }) < 5, ContinuousClock.now < died + .seconds(10) {
            Thread.sleep(forTimeInterval: 0.01)
        }
        // Of the timeout, and what it takes to end.
        #expect(ContinuousClock.now - died < .seconds(4))
        let found = errors.withLock { $0 }
        #expect(found.count == 5)
        #expect(found.allSatisfy { $0.kind == .peerUnavailable }, "\(found)")
        #expect(found.filter { $0.message.contains("the coordinator does not answer") }.count >= 2, "\(found)")
        coordinator.stop(now: true, reason: "over")
    }
}
