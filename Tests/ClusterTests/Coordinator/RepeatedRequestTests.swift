import Cluster
import Testing
import Training

/// What a coordinator makes of requests that come twice, for the answer to the first was lost.
@Suite("Requests that come twice")
struct RepeatedRequestTests {
    /// A job of one server and two workers, each of whose requests comes twice, and some older ones late.
    private struct Job {
        var state: JobState
        let workers: [(number: Int32, incarnation: UInt64)]

        init(_ keys: String = "", evaluationBatches: Int = 0) throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 10, steps: 12}\ncluster: {servers: 1, workers: 2}",
                overrides: keys.split(separator: ";").map(String.init))
            state = JobState(
                JobState.Facts(
                    config: config, fingerprint: "", variables: [], totalSteps: 12,
                    schedule: BatchSchedule(of: 60, batch: 10, seed: 1), evaluationBatches: evaluationBatches,
                    jobKey: 1))
            var server = WireRegisterServer()
            (server.incarnation, server.dataAddresses) = (1, ["inproc://1"])
            for _ in 0..<2 {
                let number = try state.registerServer(server, now: .zero)
                let isReady = state.serverReady(0, incarnation: 1, now: .zero)
                #expect(number == 0 && isReady)
            }
            var workers: [(number: Int32, incarnation: UInt64)] = []
            for incarnation in [2, 3] as [UInt64] {
                var worker = WireRegisterWorker()
                (worker.incarnation, worker.pid) = (incarnation, Int64(incarnation))
                let number = try state.registerWorker(worker, now: .zero)
                let again = try state.registerWorker(worker, now: .zero)
                #expect(again == number)
                workers.append((Int32(number), incarnation))
            }
            self.workers = workers
            state.advance(now: .zero)
        }

        func result(_ batch: Int, examples: Int = 10) -> WireStepResult {
            var result = WireStepResult()
            (result.batch, result.examples, result.loss) = (Int64(batch), Int64(examples), 1)
            result.view = state.view.number
            return result
        }

        func ask(_ worker: Int, _ done: [WireStepResult] = []) -> WireLeaseBatches {
            var ask = WireLeaseBatches()
            (ask.worker, ask.incarnation, ask.done) = (workers[worker].number, workers[worker].incarnation, done)
            return ask
        }

        /// Asks twice; the answer, which is the same.
        mutating func lease(_ worker: Int, _ done: [WireStepResult] = []) throws -> WireLease {
            let ask = ask(worker, done)
            let (first, second) = (try state.lease(ask, now: .zero), try state.lease(ask, now: .zero))
            #expect(first == second)
            return first
        }

        /// A heartbeat of a worker.
        func beat(_ worker: Int, _ done: [WireStepResult]) -> WireHeartbeat {
            var beat = WireHeartbeat()
            (beat.role, beat.number, beat.incarnation) = (.worker, workers[worker].number, workers[worker].incarnation)
            beat.done = done
            return beat
        }

        mutating func hear(_ beat: WireHeartbeat) throws {
            let isKnown = state.heard(try NodeReport(beat), now: .zero)
            #expect(isKnown)
        }
    }

    @Test("nodes join once")
    func joining() throws {
        let job = try Job()
        #expect(job.state.events.count { $0.contains("joined from") } == 3, "\(job.state.events)")
        #expect(job.state.phase == .training && job.state.view.number == 1)
        #expect(job.workers.map(\.number) == [0, 1])
    }

    @Test("another server than the one that registered is not ready in its place")
    func ready() throws {
        var job = try Job()
        for (number, incarnation) in [(0, 7), (1, 1), (-1, 1)] as [(Int, UInt64)] {
            let isReady = job.state.serverReady(number, incarnation: incarnation, now: .zero)
            #expect(!isReady)
        }
    }

    @Test("a lease that is asked for twice is one, and each batch is given to one worker and counts once")
    func leases() throws {
        var job = try Job("train.steps=12")
        var given: [Int] = []
        var done: [[WireStepResult]] = [[], []]
        for round in 0..<20 where given.count < 12 {
            let worker = round % 2
            let late = job.ask(worker, done[worker])
            let lease = try job.lease(worker, done[worker])
            let batches = lease.ranges.flatMap { Int($0.first)..<Int($0.first + $0.count) }
            given += batches
            done[worker] = batches.map { job.result($0) }
            // A heartbeat tells of them first, twice; a request from before its answer came late changes nothing.
            if round % 3 == 0 { for _ in 0..<2 { try job.hear(job.beat(worker, done[worker])) } }
            let before = job.state.leases.doneCount
            _ = try job.state.lease(late, now: .zero)
            #expect(job.state.leases.doneCount == before)
        }
        for worker in 0..<2 { _ = try job.lease(worker, done[worker]) }
        #expect(given.sorted() == Array(0..<12))
        #expect(job.state.record.samples == 120 && job.state.leases.isComplete)
    }

    @Test(
        "what is told twice of a step counts once, of a step with backup workers too",
        arguments: ["sync", "{sync: {backup: 1}}"])
    func results(consistency: String) throws {
        var job = try Job("cluster.consistency=\(consistency)")
        for step in 0..<3 {
            for worker in 0..<2 {
                let beat = job.beat(worker, [job.result(step, examples: 5)])
                for _ in 0..<3 { try job.hear(beat) }
                _ = try job.lease(worker, beat.done)
            }
        }
        #expect(job.state.record.samples == 30)
        // Leaving tells of the last ones again.
        var leave = WireLeave()
        (leave.role, leave.number, leave.incarnation) = (.worker, 1, 3)
        leave.done = [job.result(2, examples: 5)]
        for _ in 0..<2 { job.state.leave(try NodeReport(leave), now: .zero) }
        #expect(job.state.record.samples == 30 && job.state.membership.hasEnded(3))
        #expect(!job.state.events.contains { $0.contains("died") })
    }

    @Test("held-out batches that are told twice count once")
    func evaluation() throws {
        var round = EvaluationRound(number: 1, step: 1, batches: 2)
        let leased = round.lease(to: 0, incarnation: 1, count: 1)
        let range = try #require(leased)
        let sum = EvaluationSum(loss: 2, metrics: ["accuracy": [1]], examples: 4)
        let first = round.complete(range, sum: sum, by: 0, incarnation: 1)
        let second = round.complete(range, sum: sum, by: 0, incarnation: 1)
        #expect(first && !second && round.result == sum)
        // Asked for twice, it is the same one.
        var job = try Job("train.evaluate_every_steps=1;cluster.workers=2", evaluationBatches: 2)
        for step in 0..<12 {
            for worker in 0..<2 {
                let lease = try job.lease(worker)
                guard let first = lease.ranges.first else { continue }
                _ = try job.lease(worker, [job.result(Int(first.first))])
            }
            job.state.advance(now: .zero)
            for worker in [0, 1, 0, 1] {
                let lease = try job.lease(worker)
                guard lease.hasEvaluation else { continue }
                var told = WireLeaseEvaluation()
                (told.worker, told.incarnation) = (job.workers[worker].number, job.workers[worker].incarnation)
                var sum = WireEvaluationSum()
                (sum.round, sum.first, sum.countBatches) = (lease.evaluation.round, lease.evaluation.first, 1)
                (sum.examples, sum.loss) = (3, 6)
                told.done = [sum]
                for _ in 0..<2 { try job.state.evaluated(told) }
            }
            job.state.advance(now: .zero)
            #expect(job.state.leases.doneCount == min(step + 1, 12))
            #expect(job.state.lastEvaluation?.examples == 6 && job.state.lastEvaluation?.loss == 12)
        }
    }

    @Test("a worker that finds numbers that are not finite is heard once", arguments: ["ignore", "skip"])
    func notFinite(policy: String) throws {
        var job = try Job("train.on_nan=\(policy)")
        var report = WireNotFinite()
        (report.worker, report.incarnation, report.step) = (0, 2, 3)
        (report.gradient, report.gradientValue) = ("w", "NaN")
        for _ in 0..<3 { try job.state.note(report, now: .zero) }
        report.evaluating = true
        report.gradient = ""
        report.loss = "NaN"
        if policy == "skip" { for _ in 0..<3 { try job.state.note(report, now: .zero) } }
        let lines = job.state.events.filter { $0.contains("worker 0") && !$0.contains("joined") }
        #expect(lines.count == (policy == "skip" ? 2 : 1), "\(lines)")
        #expect(job.state.phase == .training)
    }

    @Test("heartbeats that come late take nothing back")
    func lateHeartbeat() throws {
        var job = try Job()
        var beat = job.beat(0, [])
        beat.step = 9
        try job.hear(beat)
        beat.step = 4
        try job.hear(beat)
        #expect(job.state.membership.node(.worker, 0)?.steps == 9)
    }

    @Test("a report of a checkpoint counts once, is one of a server's that writes, and of a step that is due")
    func checkpoints() throws {
        var job = try Job("checkpoint.directory=/nowhere;checkpoint.every_steps=4")
        var report = WireCheckpointWritten()
        (report.server, report.step, report.sequence) = (0, 4, 1)
        func note() -> Result<Int?, any Error> { Result { try job.state.note(report, now: .zero) } }
        func isRefused() -> Bool { if case .failure = note() { true } else { false } }
        // Nobody has a part of the model yet.
        #expect(isRefused())
        job.state.checkpoints.writers = [0, 1]
        #expect(try note().get() == nil)
        #expect(try note().get() == nil)
        (report.server, report.sequence) = (1, 1)
        #expect(try note().get() == 4)
        #expect(try note().get() == nil)
        for step in [0, -4, 3, 16, Int64.max, Int64.min] {
            (report.step, report.sequence) = (step, 9)
            #expect(isRefused(), "step \(step)")
        }
        (report.server, report.step) = (2, 4)
        #expect(isRefused())
    }
}
