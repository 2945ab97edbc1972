import Cluster
import Testing
import Training

/// A coordinator's decisions after a worker of a synchronous job of two steps has died with its part of the second.
@Suite("Additional steps")
struct AdditionalStepTests {
    private struct Job {
        var state: JobState
        var now = Duration.zero
        let workers = [WorkerIdentity(worker: 0, incarnation: 11), WorkerIdentity(worker: 1, incarnation: 12)]

        /// Two workers, and a server that acts on the first view.
        init(_ consistency: String = "sync", evaluationBatches: Int = 0) throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 4, steps: 2}\ncluster: {servers: 1, workers: 2, consistency: \(consistency)}")
            var facts = JobState.Facts(
                config: config, fingerprint: "", variables: [], totalSteps: 2,
                schedule: BatchSchedule(of: 8, batch: 4, seed: 1), evaluationBatches: evaluationBatches, jobKey: 1)
            facts.acceptsNodes = false
            state = JobState(facts)
            var server = NodeRegistration(.server, incarnation: 1)
            server.addresses = ["inproc://server"]
            state.serverReady(try state.register(server, now: now), incarnation: 1, now: now)
            for worker in workers {
                _ = try state.register(
                    NodeRegistration(.worker, pid: Int(worker.incarnation), incarnation: worker.incarnation), now: now)
            }
            advance()
            serverActs()
        }

        mutating func advance() {
            now += .milliseconds(5)
            state.advance(now: now)
        }

        /// The server acts on the newest view, and reports of its lead shard.
        mutating func serverActs(_ lead: LeadReport? = nil) {
            var beat = NodeReport(.server, 0, incarnation: 1)
            beat.view = state.view.number
            beat.server = ServerReport()
            beat.server?.lead = lead
            _ = state.heard(beat, now: now)
            advance()
        }

        /// A worker asks for work, and reports a closed step.
        mutating func lease(_ worker: Int = 0, after step: Int? = nil, absent: [AbsentPart] = []) -> LeasedWork {
            var done: [StepReport] = []
            if let step {
                var report = StepReport(batch: step, view: 1)
                report.absent = absent
                done = [report]
            }
            let work = state.lease(to: workers[worker], done: done, now: now)
            advance()
            return work
        }

        mutating func kill(_ worker: Int) {
            state.declareDead(.worker, pid: Int(workers[worker].incarnation), "was killed", now: now)
            advance()
            serverActs()
        }
    }

    private static let second = AbsentPart(step: 1, rank: 1, parts: 2)

    @Test("what the last step lacks is trained in one more, before the job ends", arguments: [false, true])
    func afterTheLastStep(isReportedByServer: Bool) throws {
        var job = try Job()
        #expect(job.state.phase == .training && job.lease() == .batches([0..<2]))
        #expect(job.lease(after: 0) == .batches([1..<2]))
        job.kill(1)
        let examples = RangeSet(6..<8)
        if isReportedByServer {
            job.serverActs(LeadReport(steps: 2, absent: [Self.second]))
            #expect(job.lease() == .additional(step: 2, examples))
        } else {
            #expect(job.lease(after: 1, absent: [Self.second]) == .additional(step: 2, examples))
        }
        #expect(job.lease() == .additional(step: 2, examples), "asked again")
        #expect(job.state.phase == .training && job.state.step == 2 && job.state.samples == 6)
        #expect(job.state.missedExamples == 2)
        #expect(job.lease(after: 2) == .nothing)
        #expect(job.state.phase == .finished && job.state.missedExamples == 0 && job.state.samples == 8)
    }

    @Test("all workers get the same step, and a death in it makes another")
    func deathInAdditionalStep() throws {
        var job = try Job()
        _ = job.lease(after: 0)
        let first = AbsentPart(step: 1, rank: 0, parts: 1)
        #expect(job.lease(0, after: 1, absent: [first]) == .additional(step: 2, RangeSet(4..<8)))
        #expect(job.lease(1) == .additional(step: 2, RangeSet(4..<8)))
        job.kill(1)
        job.serverActs(LeadReport(steps: 3, absent: [first, AbsentPart(step: 2, rank: 1, parts: 2)]))
        #expect(job.lease() == .additional(step: 3, RangeSet(6..<8)))
        #expect(job.lease(after: 3) == .nothing)
        #expect(job.state.phase == .finished && job.state.samples == 8)
    }

    @Test("held-out examples are evaluated after the additional steps")
    func evaluation() throws {
        var job = try Job(evaluationBatches: 1)
        _ = job.lease(after: 0)
        #expect(job.lease(0, after: 1, absent: [Self.second]) == .additional(step: 2, RangeSet(6..<8)))
        _ = job.lease(1)
        for worker in 0..<2 { #expect(job.lease(worker, after: 2) == .nothing) }
        guard case .evaluation(2, 0..<1) = job.lease() else { return #expect(Bool(false), "no evaluation is due") }
    }

    @Test("if the last worker ends before that, what is learned is kept, and what is missed is reported")
    func withoutWorkers() throws {
        var job = try Job()
        _ = job.lease(after: 0)
        _ = job.lease(after: 1, absent: [Self.second])
        for worker in 0..<2 { job.kill(worker) }
        job.now += .seconds(6)
        for _ in 0..<2 { job.advance() }
        #expect(job.state.phase == .finished && job.state.view.reason.contains("no worker is left"))
        #expect(job.state.missedExamples == 2)
    }

    @Test("with backup workers, who leave out some anyway, there are none")
    func backup() throws {
        var job = try Job("{sync: {backup: 1}}")
        _ = job.lease(after: 0)
        #expect(job.lease(after: 1, absent: [Self.second]) == .nothing)
        _ = job.lease(1)
        #expect(job.state.phase == .finished)
    }
}
