import Cluster
import Testing
import Training

/// What a coordinator makes of requests that come twice, for the answer to the first was lost.
@Suite("Requests that come twice")
struct RepeatedRequestTests {
    /// A job of one server and two workers, each of whose requests comes twice, and some older ones late.
    private struct Job {
        var state: JobState
        let workers: [WorkerIdentity]

        init(_ keys: String = "", evaluationBatches: Int = 0) throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 10, steps: 12}\ncluster: {servers: 1, workers: 2}",
                overrides: keys.split(separator: ";").map(String.init))
            state = JobState(
                JobState.Facts(
                    config: config, fingerprint: "", variables: [], totalSteps: 12,
                    schedule: BatchSchedule(of: 60, batch: 10, seed: 1), evaluationBatches: evaluationBatches,
                    jobKey: 1))
            var server = NodeRegistration(.server, incarnation: 1)
            server.addresses = ["inproc://1"]
            for _ in 0..<2 {
                let number = try state.register(server, now: .zero)
                let isReady = state.serverReady(0, incarnation: 1, now: .zero)
                #expect(number == 0 && isReady)
            }
            var workers: [WorkerIdentity] = []
            for incarnation in [2, 3] as [UInt64] {
                let worker = NodeRegistration(.worker, pid: Int(incarnation), incarnation: incarnation)
                let number = try state.register(worker, now: .zero)
                let again = try state.register(worker, now: .zero)
                #expect(again == number)
                workers.append(WorkerIdentity(worker: number, incarnation: incarnation))
            }
            self.workers = workers
            state.advance(now: .zero)
        }

        func report(_ batch: Int, examples: Int = 10) -> StepReport {
            var report = StepReport(batch: batch, view: state.view.number)
            (report.examples, report.loss) = (examples, 1)
            return report
        }

        /// Asks twice; the answer, which is the same.
        mutating func lease(_ worker: Int, _ done: [StepReport] = []) -> LeasedWork {
            let first = state.lease(to: workers[worker], done: done, now: .zero)
            let second = state.lease(to: workers[worker], done: done, now: .zero)
            #expect(first == second)
            return first
        }

        /// A heartbeat of a worker.
        func beat(_ worker: Int, _ done: [StepReport]) -> NodeReport {
            var beat = NodeReport(.worker, workers[worker].worker, incarnation: workers[worker].incarnation)
            beat.view = 0
            beat.done = done
            return beat
        }

        mutating func hear(_ beat: NodeReport) {
            let isKnown = state.heard(beat, now: .zero)
            #expect(isKnown)
        }
    }

    @Test("nodes join once")
    func joining() throws {
        let job = try Job()
        #expect(job.state.events.count { $0.contains("joined from") } == 3, "\(job.state.events)")
        #expect(job.state.phase == .training && job.state.view.number == 1)
        #expect(job.workers.map(\.worker) == [0, 1])
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
        var done: [[StepReport]] = [[], []]
        for round in 0..<20 where given.count < 12 {
            let worker = round % 2
            let late = done[worker]
            var batches: [Int] = []
            if case .batches(let ranges) = job.lease(worker, done[worker]) { batches = Array(ranges.joined()) }
            given += batches
            done[worker] = batches.map { job.report($0) }
            // A heartbeat reports them first, twice; a request from before its answer came late changes nothing.
            if round % 3 == 0 { for _ in 0..<2 { job.hear(job.beat(worker, done[worker])) } }
            let before = job.state.leases.doneCount
            _ = job.state.lease(to: job.workers[worker], done: late, now: .zero)
            #expect(job.state.leases.doneCount == before)
        }
        for worker in 0..<2 { _ = job.lease(worker, done[worker]) }
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
                let beat = job.beat(worker, [job.report(step, examples: 5)])
                for _ in 0..<3 { job.hear(beat) }
                _ = job.lease(worker, beat.done)
            }
        }
        #expect(job.state.samples == 30)
        // Leaving reports the last ones again.
        var leave = NodeReport(.worker, 1, incarnation: 3)
        leave.done = [job.report(2, examples: 5)]
        for _ in 0..<2 { job.state.leave(leave, now: .zero) }
        #expect(job.state.samples == 30 && job.state.membership.hasEnded(3))
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
                guard case .batches(let ranges) = job.lease(worker), let first = ranges.first else { continue }
                _ = job.lease(worker, [job.report(first.lowerBound)])
            }
            job.state.advance(now: .zero)
            for worker in [0, 1, 0, 1] {
                guard case .evaluation(let round, let batches) = job.lease(worker) else { continue }
                let report = EvaluationReport(
                    round: round, batches: batches, sum: EvaluationSum(loss: 6, examples: 3))
                for _ in 0..<2 { job.state.evaluated([report], by: job.workers[worker]) }
            }
            job.state.advance(now: .zero)
            #expect(job.state.leases.doneCount == min(step + 1, 12))
            #expect(job.state.lastEvaluation?.examples == 6 && job.state.lastEvaluation?.loss == 12)
        }
    }

    @Test("a worker that finds numbers that are not finite is heard once", arguments: ["ignore", "skip"])
    func notFinite(policy: String) throws {
        var job = try Job("train.on_nan=\(policy)")
        var report = NotFiniteReport(worker: job.workers[0], step: 3)
        (report.gradient, report.gradientValue) = ("w", "NaN")
        for _ in 0..<3 { job.state.note(report, now: .zero) }
        report.isEvaluation = true
        report.gradient = ""
        report.loss = "NaN"
        if policy == "skip" { for _ in 0..<3 { job.state.note(report, now: .zero) } }
        let lines = job.state.events.filter { $0.contains("worker 0") && !$0.contains("joined") }
        #expect(lines.count == (policy == "skip" ? 2 : 1), "\(lines)")
        #expect(job.state.phase == .training)
    }

    @Test("heartbeats that come late take nothing back")
    func lateHeartbeat() throws {
        var job = try Job()
        var beat = job.beat(0, [])
        beat.step = 9
        job.hear(beat)
        beat.step = 4
        job.hear(beat)
        #expect(job.state.membership.node(.worker, 0)?.steps == 9)
    }

    @Test("a report of a checkpoint counts once, is one of a server's that writes, and of a step that is due")
    func checkpoints() throws {
        var job = try Job("checkpoint.directory=/nowhere;checkpoint.every_steps=4")
        var (server, step, sequence) = (0, 4, UInt64(1))
        func note() -> Result<Int?, any Error> {
            Result {
                try job.state.note(
                    CheckpointPart(step: step, shards: []), of: server, sequence: sequence, now: .zero)
            }
        }
        func isRefused() -> Bool { if case .failure = note() { true } else { false } }
        // Nobody has a part of the model yet.
        #expect(isRefused())
        job.state.checkpoints.writers = [0, 1]
        #expect(try note().get() == nil)
        #expect(try note().get() == nil)
        (server, sequence) = (1, 1)
        #expect(try note().get() == 4)
        #expect(try note().get() == nil)
        for odd in [0, -4, 3, 16, Int.max, Int.min] {
            (step, sequence) = (odd, 9)
            #expect(isRefused(), "step \(odd)")
        }
        (server, step) = (2, 4)
        #expect(isRefused())
    }
}
