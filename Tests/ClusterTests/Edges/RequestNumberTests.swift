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
        var server = NodeRegistration(.server, incarnation: 1)
        server.addresses = ["inproc://1"]
        _ = state.serverReady(try state.register(server, now: .zero), incarnation: 1, now: .zero)
        _ = try state.register(NodeRegistration(.worker, incarnation: 2), now: .zero)
        state.advance(now: .zero)
        return state
    }

    private static let worker = WorkerIdentity(worker: 0, incarnation: 2)

    /// Trains a batch; the lease of held-out batches that comes then.
    private static func train(_ state: inout JobState) throws -> (round: Int, batches: Range<Int>) {
        guard case .batches(let ranges) = state.lease(to: worker, done: [], now: .zero), let first = ranges.first else {
            throw NodeError(.failed, "no batch is leased")
        }
        var report = StepReport(batch: first.lowerBound)
        report.examples = 10
        _ = state.lease(to: worker, done: [report], now: .zero)
        state.advance(now: .zero)
        guard case .evaluation(let round, let batches) = state.lease(to: worker, done: [], now: .zero) else {
            throw NodeError(.failed, "no evaluation is leased")
        }
        return (round, batches)
    }

    @Test("the greatest sums over held-out examples that are taken can be added up, and the round ends")
    func evaluationSums() throws {
        var state = try Self.job()
        let lease = try Self.train(&state)
        #expect(lease.round == 1 && lease.batches.count == 1)
        for batch in 0..<3 {
            let sum = EvaluationSum(examples: Int(Int32.max))
            state.evaluated([EvaluationReport(round: 1, batches: batch..<batch + 1, sum: sum)], by: Self.worker)
            state.advance(now: .zero)
            _ = state.lease(to: Self.worker, done: [], now: .zero)
        }
        #expect(state.lease(to: Self.worker, done: [], now: .zero) == .batches([1..<2]), "training goes on")
        #expect(state.lastEvaluation?.examples == 3 * Int(Int32.max))
    }

    @Test("the numbers of such a sum", arguments: ["round", "first", "count_batches", "examples"])
    func evaluationNumbers(_ field: String) throws {
        for edge in [.min, -1, .max, 1 << 53] as [Int64] {
            var sum = WireEvaluationSum()
            switch field {
            case "round": sum.round = edge
            case "first": sum.first = edge
            case "count_batches": sum.countBatches = edge
            default: sum.examples = edge
            }
            let error = #expect(throws: NodeError.self) { try EvaluationReport(sum) }
            #expect(error?.kind == .refused && error?.message.contains(".\(field) is \(edge)") == true)
        }
    }

    @Test("what a worker reports of a step")
    func results() throws {
        for (batch, examples) in [(.max, 1), (.min, 1), (-1, 1), (0, .max), (0, .min), (0, -1)] as [(Int64, Int64)] {
            var bad = WireStepResult()
            (bad.batch, bad.examples) = (batch, examples)
            #expect(throws: NodeError.self) { try StepReport(bad) }
        }
        // More examples than a batch has count nothing.
        var state = try Self.job("sync")
        var report = StepReport(batch: 0, view: state.view.number)
        report.examples = 11
        _ = state.lease(to: Self.worker, done: [report], now: .zero)
        #expect(state.step == 0)
        report.examples = 10
        _ = state.lease(to: Self.worker, done: [report], now: .zero)
        #expect(state.step == 1)
    }

    /// A field of a heartbeat, and how to set it.
    private static let fields: [(String, @Sendable (inout WireHeartbeat, Int64) -> Void)] = [
        ("Heartbeat.number", { $0.number = Int32(clamping: $1) }), ("Heartbeat.step", { $0.step = $1 }),
        ("Heartbeat.examples", { $0.examples = $1 }), ("Heartbeat.most_examples", { $0.mostExamples = $1 }),
        ("StepResult.batch", { $0.done[0].batch = $1 }), ("StepResult.examples", { $0.done[0].examples = $1 }),
        ("Heartbeat.applied.first", { $0.applied[0].first = $1 }),
        ("Heartbeat.applied.count", { $0.applied[0].count = $1 }),
        ("LeadReport.steps", { $0.lead.steps = $1 }),
        ("WorkerIdentity.number", { $0.lead.members[0].number = Int32(clamping: $1) }),
        ("AbsentPart.step", { $0.lead.absent[0].step = $1 }),
        ("AbsentPart.parts", { $0.lead.absent[0].parts = Int32(clamping: $1) }),
        ("AbsentPart.rank", { $0.lead.absent[0].rank = Int32(clamping: $1) }),
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
        var part = WireAbsentPart()
        part.parts = 1
        beat.lead.absent = [part]
        beat.lead.members = [WireWorkerIdentity()]
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
        let report = try #require(try NodeReport(beat).server)
        var total = WorkerTally()
        for _ in 0..<10_000 { for tally in report.tallies.values { total += tally } }
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
        let isKnown = state.heard(try NodeReport(beat), now: .zero)
        #expect(isKnown)
        #expect(state.membership.node(.server, 0)?.view == state.view.number)
    }

    @Test("a last word, a step that is not finite, and a node that registers")
    func others() throws {
        for edge in [.min, -1, .max] as [Int64] {
            var leave = WireLeave()
            (leave.role, leave.step) = (.worker, edge)
            #expect(throws: NodeError.self) { try NodeReport(leave) }
            var notFinite = WireNotFinite()
            (notFinite.step, notFinite.loss) = (edge, "NaN")
            #expect(throws: NodeError.self) { try NotFiniteReport(notFinite) }
            var worker = WireRegisterWorker()
            (worker.incarnation, worker.number) = (9, Int32(clamping: edge))
            #expect(throws: NodeError.self) { try NodeRegistration(worker) }
            worker.clearNumber()
            worker.pid = edge
            #expect(throws: NodeError.self) { try NodeRegistration(worker) }
            var server = WireRegisterServer()
            (server.incarnation, server.pid) = (9, edge)
            #expect(throws: NodeError.self) { try NodeRegistration(server) }
            var part = WireCheckpointWritten()
            part.step = edge
            #expect(throws: NodeError.self) { try CheckpointPart(part) }
            (part.step, part.bytes) = (1, edge)
            #expect(throws: NodeError.self) { try CheckpointPart(part) }
        }
    }
}
