import Cluster
import Testing
import Training

/// A coordinator's decisions after a worker of a synchronous job of two steps has died with its part of the second.
@Suite("Making up for what dead workers missed")
struct MakingUpTests {
    private struct Job {
        var state: JobState
        var now = Duration.zero
        private let server: Int

        /// Two workers, 11 and 12, and a server that acts on the first view.
        init() throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 4, steps: 2}\ncluster: {servers: 1, workers: 2, consistency: sync}")
            var facts = JobState.Facts(
                config: config, fingerprint: "", variables: [], totalSteps: 2,
                schedule: BatchSchedule(of: 8, batch: 4, seed: 1), evaluationBatches: 0, jobKey: 1)
            facts.acceptsNodes = false
            state = JobState(facts)
            var wire = WireRegisterServer()
            wire.incarnation = 1
            wire.dataAddresses = ["inproc://server"]
            server = try state.registerServer(wire, now: now)
            state.serverReady(server, incarnation: 1, now: now)
            for incarnation in [UInt64(11), 12] {
                var wire = WireRegisterWorker()
                wire.incarnation = incarnation
                wire.pid = Int64(incarnation)
                _ = try state.registerWorker(wire, now: now)
            }
            advance()
            try serverActs()
        }

        mutating func advance() {
            now += .milliseconds(5)
            state.advance(now: now)
        }

        /// The server acts on the newest view.
        mutating func serverActs(missed: [MissedPart] = []) throws {
            var beat = WireHeartbeat()
            beat.role = .server
            beat.number = Int32(server)
            beat.incarnation = 1
            beat.view = state.view.number
            beat.examples = 8
            beat.missed = missed.map { part in
                var wire = WireMissedPart()
                wire.step = Int64(part.step)
                wire.view = part.view
                wire.count = Int32(part.count)
                wire.incarnation = part.incarnation
                wire.rank = Int32(part.rank)
                return wire
            }
            var news = try NodeReport(beat)
            news.settled = RangeSet(0..<100)
            _ = state.heard(news, now: now)
            advance()
        }

        /// Worker 11 asks for work, and tells of a step by a view.
        mutating func lease(after told: (step: Int, view: UInt64)? = nil) throws -> [Range<Int>] {
            var ask = WireLeaseBatches()
            ask.worker = 0
            ask.incarnation = 11
            if let told {
                var result = WireStepResult()
                result.batch = Int64(told.step)
                result.view = told.view
                ask.done = [result]
            }
            let lease = try state.lease(ask, now: now)
            advance()
            return lease.ranges.map { Int($0.first)..<Int($0.first + $0.count) }
        }

        mutating func beat(leaving: Bool) throws {
            var beat = WireHeartbeat()
            beat.role = .worker
            beat.number = 0
            beat.incarnation = 11
            beat.leaving = leaving
            _ = state.heard(try NodeReport(beat), now: now)
            advance()
        }

        /// Both train the first step; 12 dies in the second, which ends without its two examples.
        mutating func loseWorker() throws {
            state.declareDead(.worker, pid: 12, "was killed", now: now)
            advance()
            try serverActs(missed: [MissedPart(step: 1, view: 1, count: 2, incarnation: 12, rank: 1)])
            advance()
        }
    }

    @Test("what is missed of the last step is trained in a step after it, by the view that gives it out")
    func afterTheLastStep() throws {
        var job = try Job()
        #expect(try job.state.phase == .training && job.lease() == [0..<2])
        #expect(try job.lease(after: (0, 1)) == [1..<2] && job.lease(after: (1, 1)) == [])
        try job.loseWorker()
        let view = job.state.view
        #expect(view.number == 3 && view.makeUps.map(\.positions) == [RangeSet(6..<8)])
        try job.serverActs()
        // The view that gives it out may not divide the first of these steps.
        #expect(try job.lease() == [2..<3] && job.lease() == [2..<3])
        #expect(try job.lease(after: (2, 2)) == [3..<4])
        #expect(job.state.phase == .training && job.state.step == 2)
        #expect(try job.lease(after: (3, 3)) == [])
        #expect(job.state.phase == .finished && job.state.missedExamples == 0)
    }

    @Test("if the last worker ends before that, what is learned is kept, and what is missed is told")
    func withoutWorkers() throws {
        var job = try Job()
        _ = try job.lease(after: (0, 1))
        _ = try job.lease(after: (1, 1))
        try job.loseWorker()
        job.state.declareDead(.worker, pid: 11, "was killed", now: job.now)
        job.advance()
        try job.serverActs()
        job.now += .seconds(6)
        job.advance()
        job.advance()
        #expect(job.state.phase == .finished && job.state.view.reason.contains("no worker is left"))
        #expect(job.state.missedExamples == 2)
    }

    @Test("one that is about to leave is given nothing to make up for, and no view after view is published for it")
    func leaver() throws {
        var job = try Job()
        _ = try job.lease(after: (0, 1))
        try job.beat(leaving: true)
        try job.serverActs()
        try job.loseWorker()
        try job.serverActs()
        let number = job.state.view.number
        #expect(job.state.view.workers.isEmpty && job.state.view.makeUps.isEmpty)
        for _ in 0..<20 {
            try job.beat(leaving: true)
            try job.serverActs()
        }
        #expect(job.state.view.number == number)
    }
}
