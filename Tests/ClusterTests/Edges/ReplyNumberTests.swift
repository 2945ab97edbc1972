import Cluster
import Dataflow
import Testing
import Training

/// Numbers at the edges of what they can be, as a hostile coordinator, server or worker may answer them.
@Suite("Numbers that nodes are told")
struct ReplyNumberTests {
    private static let edges: [Int64] = [.min, -2, .max]

    private static func view(ranks: [Int32]) -> WireView {
        var view = WireView()
        view.phase = "training"
        view.workers = ranks.enumerated().map { number, rank in
            var worker = WireView.Worker()
            (worker.number, worker.rank, worker.incarnation) = (Int32(number), rank, UInt64(number))
            return worker
        }
        return view
    }

    @Test("a view's ranks divide a batch: each is below the number of workers, and one worker's")
    func ranks() throws {
        let view = try ClusterView(Self.view(ranks: [1, 0]))
        let schedule = BatchSchedule(of: 75, batch: 10, seed: 1)
        #expect(view.workers.map { schedule.positions(ofBatch: 3, rank: $0.rank, of: 2).count } == [5, 5])
        #expect(view.members.map(\.worker) == [1, 0])
        for ranks in [[2, 0], [-1, 0], [.max, 0], [.min, 0], [0, 0], [1]] as [[Int32]] {
            #expect(throws: NodeError.self) { try ClusterView(Self.view(ranks: ranks)) }
        }
    }

    @Test(
        "other numbers of a view",
        arguments: ["number", "sharing", "server", "leaving", "checkpoint_step", "closed", "member"])
    func view(_ field: String) {
        for edge in Self.edges {
            var view = Self.view(ranks: [0])
            switch field {
            case "number": view.workers[0].number = Int32(clamping: edge)
            case "sharing": view.workers[0].sharing = Int32(clamping: edge)
            case "server":
                var server = WireView.Server()
                server.number = Int32(clamping: edge)
                view.servers = [server]
            case "leaving":
                view.leaving = [WireView.Worker()]
                view.leaving[0].number = Int32(clamping: edge)
            case "checkpoint_step": view.checkpointStep = edge
            case "closed": view.closed.step = edge
            default:
                view.closed.members = [WireWorkerIdentity()]
                view.closed.members[0].number = Int32(clamping: edge)
            }
            let error = #expect(throws: NodeError.self) { try ClusterView(view) }
            #expect(
                error?.message.contains("\(edge)") == true
                    || error?.message.contains("\(Int32(clamping: edge))") == true)
        }
    }

    @Test("a lease of batches, and one of held-out batches")
    func leases() {
        for edge in Self.edges {
            var lease = WireLease()
            lease.ranges = [WireIndexRange()]
            lease.ranges[0].first = edge
            #expect(throws: NodeError.self) { try LeasedWork(lease) }
            lease.ranges[0].first = 0
            lease.ranges[0].count = edge
            #expect(throws: NodeError.self) { try LeasedWork(lease) }
            lease.ranges = []
            lease.examples = [WireIndexRange()]
            lease.examples[0].first = edge
            #expect(throws: NodeError.self) { try LeasedWork(lease) }
            for set in [{ $0.round = $1 }, { $0.first = $1 }, { $0.count = $1 }]
                as [(inout WireEvaluationLease, Int64) -> Void]
            {
                var lease = WireLease()
                set(&lease.evaluation, edge)
                #expect(throws: NodeError.self) { try LeasedWork(lease) }
            }
        }
    }

    @Test("where an order of batches begins and ends: no epoch's examples overflow")
    func assigned() throws {
        let config = try JobConfig.parse(yaml: "data: {format: embedded, limit: 1000}\ntrain: {batch: 1000}")
        let job = try PreparedJob(config, MultilayerPerceptron())
        for set in [{ $0.totalSteps = $1 }, { $0.firstBatch = $1 }, { $0.firstEpoch = $1 }, { $0.firstPlace = $1 }]
            as [(inout WireWorkerAssigned, Int64) -> Void]
        {
            for edge in Self.edges + [1 << 53] {
                var assigned = WireWorkerAssigned()
                set(&assigned, edge)
                var told = job
                let error = #expect(throws: NodeError.self) { try told.begin(assigned) }
                #expect(error?.kind == .refused)
            }
        }
        var many = WireWorkerAssigned()
        many.totalSteps = (1 << 53) - 1
        var overflowing = job
        #expect(throws: NodeError.self, "an epoch has one batch here") { try overflowing.begin(many) }
        var assigned = WireWorkerAssigned()
        (assigned.totalSteps, assigned.firstBatch, assigned.firstEpoch, assigned.firstPlace) = (100, 10, 20, 100)
        var told = job
        try told.begin(assigned)
        #expect(told.totalSteps == 100 && told.schedule.epoch(ofBatch: 11) == 21)
    }

    @Test("what is fetched in pieces has one length, which no piece exceeds, and comes to an end")
    func pieces() throws {
        for total in Self.edges + [1 << 31, 2] {
            var pieces = Pieces("Part.total")
            #expect(throws: NodeError.self) { try pieces.take([1, 2, 3], of: total) }
        }
        var pieces = Pieces("Part.total")
        #expect(try !pieces.take([1, 2], of: 5))
        #expect(throws: NodeError.self, "the length has changed") { try pieces.take([3], of: 6) }
        #expect(throws: NodeError.self, "no end") { try pieces.take([], of: 5) }
        #expect(try pieces.take([3, 4, 5], of: 5) && pieces.bytes == [1, 2, 3, 4, 5])
        var empty = Pieces("Part.total")
        #expect(try empty.take([], of: 0))
    }

    @Test("a server's part, and the checkpoint to restore")
    func part() throws {
        var wire = WirePart()
        (wire.total, wire.restoreStep) = (-1, -1)
        #expect(try ServerPart(wire).total == nil)
        for set in [{ $0.total = $1 }, { $0.restoreStep = $1 }, { $0.restoreUpdates = $1 }]
            as [(inout WirePart, Int64) -> Void]
        {
            for edge in Self.edges {
                var bad = wire
                set(&bad, edge)
                #expect(throws: NodeError.self) { try ServerPart(bad) }
            }
        }
    }

    @Test("a program's shards have numbers of their own, on executors that are there, and places that can be")
    func program() throws {
        var program = WireServerProgram()
        program.shards = [WireServerProgram.Shard()]
        program.shards[0].blocks = [WireServerProgram.Block()]
        program.shards[0].pushes = [WireServerProgram.Push()]
        try program.check(executors: 1)
        let set: [(inout WireServerProgram.Shard, Int64) -> Void] = [
            { $0.number = Int32(clamping: min($1, -1)) }, { $0.executor = Int32(clamping: $1) }, { $0.valueBytes = $1 },
            { $0.pushBytes = $1 }, { $0.blocks[0].offset = $1 }, { $0.blocks[0].count = $1 },
            { $0.blocks[0].total = $1 },
            { $0.blocks[0].valueOffset = $1 }, { $0.pushes[0].offset = $1 }, { $0.pushes[0].bytes = $1 },
        ]
        for set in set {
            for edge in Self.edges {
                var bad = program
                set(&bad.shards[0], edge)
                #expect(throws: NodeError.self) { try bad.check(executors: 1) }
            }
        }
        program.shards.append(program.shards[0])
        #expect(throws: NodeError.self, "two of one number") { try program.check(executors: 1) }
    }

    @Test("a job's status")
    func status() throws {
        var report = WireStatusReport()
        report.phase = "training"
        report.nodes = [WireNodeStatus()]
        report.nodes[0].state = "ready"
        report.nodes[0].tally.applied = 3
        _ = try JobStatus(report)
        let set: [(inout WireStatusReport, Int64) -> Void] = [
            { $0.step = $1 }, { $0.totalSteps = $1 }, { $0.epoch = $1 }, { $0.samples = $1 },
            { $0.nodes[0].number = Int32(clamping: $1) }, { $0.nodes[0].pid = $1 }, { $0.nodes[0].step = $1 },
            { $0.nodes[0].tally.applied = $1 }, { $0.tally.stalenessSum = $1 }, { $0.tally.dropped["late"] = $1 },
        ]
        for set in set {
            for edge in Self.edges {
                var bad = report
                set(&bad, edge)
                #expect(throws: NodeError.self) { try JobStatus(bad) }
            }
        }
        for set in [{ $0.phase = "" }, { $0.nodes[0].state = "asleep" }] as [(inout WireStatusReport) -> Void] {
            var bad = report
            set(&bad)
            #expect(throws: NodeError.self) { try JobStatus(bad) }
        }
    }

    // MARK: Servers

    @Test("an embedding table takes no step that is far ahead, which a checkpoint would have to count up to")
    func embeddingSteps() {
        let worker = WorkerIdentity(worker: 0, incarnation: 1)
        var shard = ShardState(.embeddings(batch: 4))
        _ = shard.act(
            on: ClusterView(
                number: 1, phase: .training, workers: [.init(number: 0, rank: 0, incarnation: 1)]))
        func push(step: Int) -> [ShardState.Action] {
            let push = GradientPush(step: step, batch: 0, examples: 4, basis: .view(1))
            return shard.handle(.push(push), of: worker, token: 1)
        }
        guard case .answer(_, .refused)? = push(step: 1 << 52).first else {
            return #expect(Bool(false), "a step far ahead is taken")
        }
        #expect(shard.steps == 0)
        _ = push(step: 0)
        #expect(shard.steps == 1)
    }

    @Test("the examples that a shard has counted stay what heartbeats can tell")
    func countedExamples() throws {
        var ledger = PushLedger()
        let worker = WorkerIdentity(worker: 0, incarnation: 1)
        for step in 0..<3 { ledger.applied(step: step, batch: step, examples: 1 << 62, by: [worker]) }
        var report = NodeReport(.server, 0, incarnation: 1)
        report.server = ServerReport()
        report.server?.examples = (ledger.examples, ledger.examples)
        _ = try NodeReport(report.wire)
    }
}
