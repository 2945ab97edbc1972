import Cluster
import Testing
import Training

/// Numbers at the edges of what they can be, as a node with the job's token may send them.
@Suite("Numbers in requests to a coordinator")
struct RequestNumberTests {
    /// A job of one server and one worker that evaluates after each step.
    private static func job(_ consistency: String = "async", batches: Int = 3) throws -> JobState {
        let config = try JobConfig.parse(
            yaml: "train: {batch: 10, steps: 8, evaluate_every_steps: 1}\n"
                + "cluster: {servers: 1, workers: 1, consistency: \(consistency)}")
        var state = JobState(
            JobState.Facts(
                config: config, fingerprint: "", variables: [], totalSteps: 8,
                schedule: BatchSchedule(of: 75, batch: 10, seed: 1), evaluationBatches: batches, jobKey: 1))
        var server = WireRegisterServer()
        (server.incarnation, server.dataAddresses) = (1, ["inproc://1"])
        _ = state.serverReady(try state.registerServer(server, now: .zero), incarnation: 1, now: .zero)
        var worker = WireRegisterWorker()
        worker.incarnation = 2
        _ = try state.registerWorker(worker, now: .zero)
        state.advance(now: .zero)
        return state
    }

    private static func ask(_ done: [WireStepResult] = []) -> WireLeaseBatches {
        var ask = WireLeaseBatches()
        (ask.incarnation, ask.done) = (2, done)
        return ask
    }

    private static func sum(_ lease: WireEvaluationLease, examples: Int64) -> WireLeaseEvaluation {
        var sum = WireEvaluationSum()
        (sum.round, sum.first, sum.countBatches, sum.examples) = (lease.round, lease.first, lease.count, examples)
        var told = WireLeaseEvaluation()
        (told.incarnation, told.done) = (2, [sum])
        return told
    }

    /// Trains a batch; the lease of held-out batches that comes then.
    private static func train(_ state: inout JobState) throws -> WireEvaluationLease {
        let first = try #require(try state.lease(ask(), now: .zero).ranges.first)
        var result = WireStepResult()
        (result.batch, result.examples) = (first.first, 10)
        _ = try state.lease(ask([result]), now: .zero)
        state.advance(now: .zero)
        return try state.lease(ask(), now: .zero).evaluation
    }

    @Test("sums over held-out examples as great as an Int are refused; the greatest that are taken can be added up")
    func evaluationSums() throws {
        var state = try Self.job()
        let lease = try Self.train(&state)
        #expect(lease.count == 1 && lease.round == 1)
        for examples in [.max, .min, -1, 1 << 31] as [Int64] {
            let error = #expect(throws: NodeError.self) { try state.evaluated(Self.sum(lease, examples: examples)) }
            #expect(error?.kind == .refused && error?.message.contains("EvaluationSum.examples is \(examples)") == true)
        }
        // It holds them still.
        var held = try state.lease(Self.ask(), now: .zero).evaluation
        #expect(held == lease)
        for _ in 0..<3 {
            try state.evaluated(Self.sum(held, examples: Int64(Int32.max)))
            state.advance(now: .zero)
            held = try state.lease(Self.ask(), now: .zero).evaluation
        }
        #expect(held.count == 0, "the round is over")
        #expect(try state.lease(Self.ask(), now: .zero).ranges.first?.first == 1, "and training goes on")
    }

    @Test("other numbers of such a sum", arguments: ["round", "first", "count_batches", "worker", "step"])
    func evaluationNumbers(_ field: String) throws {
        var state = try Self.job()
        let lease = try Self.train(&state)
        for edge in [.min, -1, .max, 1 << 53] as [Int64] {
            var told = Self.sum(lease, examples: 1)
            switch field {
            case "round": told.done[0].round = edge
            case "first": told.done[0].first = edge
            case "count_batches": told.done[0].countBatches = edge
            case "worker": told.worker = Int32(clamping: edge)
            default: told.step = edge
            }
            let error = #expect(throws: NodeError.self) { try state.evaluated(told) }
            #expect(error?.message.contains(".\(field) is") == true)
        }
    }

    @Test("one result that cannot be leaves a lease request without effect")
    func results() throws {
        var state = try Self.job("sync")
        var good = WireStepResult()
        (good.batch, good.examples, good.view) = (0, 10, state.view.number)
        for (batch, examples) in [(.max, 1), (.min, 1), (-1, 1), (0, .max), (0, .min), (0, -1)] as [(Int64, Int64)] {
            var bad = WireStepResult()
            (bad.batch, bad.examples) = (batch, examples)
            #expect(throws: NodeError.self) { try state.lease(Self.ask([good, bad]), now: .zero) }
            #expect(state.step == 0)
        }
        _ = try state.lease(Self.ask([good]), now: .zero)
        #expect(state.step == 1)
    }

    /// A field of a heartbeat, and how to set it.
    private static let fields: [(String, @Sendable (inout WireHeartbeat, Int64) -> Void)] = [
        ("Heartbeat.number", { $0.number = Int32(clamping: $1) }), ("Heartbeat.step", { $0.step = $1 }),
        ("Heartbeat.examples", { $0.examples = $1 }), ("Heartbeat.most_examples", { $0.mostExamples = $1 }),
        ("StepResult.batch", { $0.done[0].batch = $1 }), ("StepResult.examples", { $0.done[0].examples = $1 }),
        ("Heartbeat.applied.first", { $0.applied[0].first = $1 }),
        ("Heartbeat.applied.count", { $0.applied[0].count = $1 }),
        ("Heartbeat.settled.first", { $0.settled[0].first = $1 }),
        ("Heartbeat.settled.count", { $0.settled[0].count = $1 }),
        ("MissedPart.step", { $0.missed[0].step = $1 }),
        ("MissedPart.count", { $0.missed[0].count = Int32(clamping: $1) }),
        ("MissedPart.rank", { $0.missed[0].rank = Int32(clamping: $1) }),
        ("WorkerTally.worker", { $0.tallies[0].worker = Int32(clamping: $1) }),
        ("WorkerTally.applied", { $0.tallies[0].applied = $1 }),
        ("WorkerTally.dropped", { $0.tallies[0].dropped["late"] = $1 }),
        ("WorkerTally.staleness_sum", { $0.tallies[0].stalenessSum = $1 }),
        ("WorkerTally.staleness_max", { $0.tallies[0].stalenessMax = $1 }),
        ("WorkerTally.histogram", { $0.tallies[0].histogram = [0, $1] }),
    ]

    @Test("every number of a heartbeat is refused by its name", arguments: fields.indices)
    func heartbeat(_ index: Int) throws {
        let (name, set) = Self.fields[index]
        var beat = WireHeartbeat()
        beat.role = .server
        beat.done = [WireStepResult()]
        beat.applied = [WireIndexRange()]
        beat.settled = [WireIndexRange()]
        var part = WireMissedPart()
        part.count = 1
        beat.missed = [part]
        beat.tallies = [WireWorkerTally()]
        _ = try NodeReport(beat)
        for edge in [.min, -1, .max] as [Int64] {
            var bad = beat
            set(&bad, edge)
            let error = #expect(throws: NodeError.self) { try NodeReport(bad) }
            #expect(error?.message.hasPrefix("\(name) is \(edge)") == true || error?.message.contains(name) == true)
        }
    }

    @Test(
        "tallies whose sum over all workers is too great are refused; of many servers with the greatest nothing overflows"
    )
    func tallies() throws {
        var beat = WireHeartbeat()
        beat.role = .server
        beat.tallies = (0..<Int32(5)).map { worker in
            var tally = WireWorkerTally()
            (tally.worker, tally.applied, tally.stalenessSum) = (worker, 1 << 46, 1 << 46)
            return tally
        }
        #expect(throws: NodeError.self) { try NodeReport(beat) }
        beat.tallies.removeLast()
        let news = try NodeReport(beat)
        var total = WorkerTally()
        for _ in 0..<10_000 { for tally in news.tallies.values { total += tally } }
        #expect(total.applied == 10_000 << 48)
    }

    @Test("ranges must ascend and end where steps do")
    func ranges() throws {
        func range(_ first: Int64, _ count: Int64) -> WireIndexRange {
            var range = WireIndexRange()
            (range.first, range.count) = (first, count)
            return range
        }
        #expect(try RangeSet([range(0, 3), range(3, 2), range(9, 1)], "f") == RangeSet([0..<5, 9..<10]))
        #expect(throws: NodeError.self) { try RangeSet([range(5, 3), range(0, 1)], "f") }
        #expect(throws: NodeError.self) { try RangeSet([range(1 << 52, 1 << 53)], "f") }
        #expect(throws: NodeError.self) { try RangeSet([range(.max / 2, .max / 2)], "f") }
    }

    @Test("a node acts on no view that has not been published")
    func futureViews() throws {
        var state = try Self.job()
        var beat = WireHeartbeat()
        (beat.role, beat.incarnation, beat.view) = (.server, 1, .max)
        #expect(state.heard(try NodeReport(beat), now: .zero))
        #expect(state.membership.node(.server, 0)?.view == state.view.number)
    }

    @Test("a last word, a step that is not finite, and a node that registers")
    func others() throws {
        var state = try Self.job()
        for edge in [.min, -1, .max] as [Int64] {
            var leave = WireLeave()
            (leave.role, leave.step) = (.worker, edge)
            #expect(throws: NodeError.self) { try NodeReport(leave) }
            var notFinite = WireNotFinite()
            (notFinite.step, notFinite.loss) = (edge, "NaN")
            #expect(throws: NodeError.self) { try state.note(notFinite, now: .zero) }
            var worker = WireRegisterWorker()
            (worker.incarnation, worker.number) = (9, Int32(clamping: edge))
            #expect(throws: NodeError.self) { try state.registerWorker(worker, now: .zero) }
            worker.clearNumber()
            worker.pid = edge
            #expect(throws: NodeError.self) { try state.registerWorker(worker, now: .zero) }
            var server = WireRegisterServer()
            (server.incarnation, server.pid) = (9, edge)
            #expect(throws: NodeError.self) { try state.registerServer(server, now: .zero) }
        }
        #expect(state.phase == .training && state.membership.nodes.count == 2)
    }
}
