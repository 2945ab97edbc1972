import Cluster
import Training

/// A worker: the real `WorkerState` and `WorkerExchange`, and what it has asked the coordinator.
struct SimulatedWorker {
    /// One step's gradients.
    struct Step {
        var push: GradientPush
        /// Of the gradients, by their positions in the job's order.
        var positions: RangeSet<Int>
        /// The view that divides a synchronous step.
        var view: ClusterView?
        /// By shard, the updates in the values that the gradients are computed from.
        var basis: [Int] = []
    }

    /// What it is at.
    enum Stage {
        case registering
        /// Training has not begun for it.
        case waitingForView
        /// `state.task` is next.
        case ready
        /// The coordinator is asked for work.
        case asking
        /// It rests or evaluates until it wakes.
        case busy
        /// Its next request waits until all answers have come.
        case settling
        /// A pull, a wait or a pause is on its way.
        case exchanging
        /// The values of a step are on their way.
        case reading(Step)
        case computing(Step)
        /// Gradients of some shards are handed over; the rest follows.
        case handing(Step)
        /// Gradients are about to leave.
        case pushing(Step)
        /// The lead shard has to close the step.
        case awaitingLead(Step)
        case gone
    }

    let incarnation: UInt64
    /// In a synchronous job others count on it for longer.
    let leavesAtOnce: Bool
    var number: Int?
    var state: WorkerState
    var exchange: WorkerExchange
    var stage = Stage.registering
    var isAskedToLeave = false
    var sleepsUntil = Duration.zero
    /// A wake-up of an earlier turn is not heard.
    var turn = 0
    var first: ClusterView?
    var views: [ClusterView] = []
    var reports: [StepReport] = []
    var sums: [EvaluationReport] = []
    /// To be reported when the step's pushes are known to be applied.
    var unreported: StepReport?
    var steps = 0

    // Towards the coordinator.
    var beat = 0
    var beatInHand: NodeReport?
    var asked = 0
    var askInHand: ControlRequest?

    /// The step whose gradients leave.
    var step: Step?
    /// By shard, the last step that was pushed, and the buffer for the values of the last answer.
    var pushed: [Int: Step] = [:]
    var buffers: [Int: Int] = [:]
    var leavesWhenSettled = false
    /// By buffer and shard, the updates that the values here have.
    var values: [[Int]]

    var isGone: Bool { if case .gone = stage { true } else { false } }
    var identity: WorkerIdentity { WorkerIdentity(worker: number ?? 0, incarnation: incarnation) }
    var isEnding: Bool {
        isAskedToLeave && leavesAtOnce
            || [.stopping, .closing, .saving, .finished, .failed].contains(views.last?.phase ?? .waiting)
    }
}

extension SimulatedCluster {
    func addWorker(within microseconds: Int) {
        let descriptions = shards.map {
            WorkerExchange.Shard(
                pushBytes: plan.shardBytes, valueBytes: plan.shardBytes, isEmbeddingTable: $0.isEmbeddingTable)
        }
        workers.append(
            SimulatedWorker(
                incarnation: UInt64(workers.count + 1), leavesAtOnce: !plan.consistency.isSynchronous,
                state: WorkerState(plan.consistency),
                exchange: WorkerExchange(
                    plan.consistency, shards: descriptions, lead: plan.lead,
                    window: plan.window * max(plan.shardBytes, 1)),
                values: Array(repeating: Array(repeating: 0, count: shards.count), count: 2)))
        let index = workers.count - 1
        queue.add(.woke(worker: index, turn: 0), at: now + random.microseconds(0...microseconds))
    }

    /// Ends a worker without a word.
    func end(_ index: Int, isSeen: Bool) {
        workers[index].stage = .gone
        if isSeen { queue.add(.exited(pid: index), at: now + random.microseconds(1000...50_000)) }
    }

    private func sleep(_ index: Int, _ microseconds: ClosedRange<Int>) {
        workers[index].turn += 1
        queue.add(
            .woke(worker: index, turn: workers[index].turn), at: now + random.microseconds(microseconds))
    }

    func wake(_ index: Int) {
        switch workers[index].stage {
        case .registering: askControl(.register, index)
        case .computing(let step):
            // A backward pass has the gradients of some shards first.
            workers[index].step = step
            for shard in order.prefix(shards.count / 2) { workers[index].exchange.hand(over: shard) }
            workers[index].stage = .handing(step)
            sleep(index, 0...500)
            transmit(index)
        case .handing(let step):
            for shard in order { workers[index].exchange.hand(over: shard) }
            workers[index].stage = .pushing(step)
            goOn(index)
        case .busy:
            if case .evaluate(let round, let batches) = workers[index].state.task {
                for batch in batches {
                    workers[index].sums.append(
                        EvaluationReport(round: round, batches: batch..<batch + 1, sum: EvaluationSum(examples: 1)))
                }
            }
            workers[index].state.done()
            workers[index].stage = .ready
            goOn(index)
        default: break
        }
    }

    private var order: [Int] { plan.isLeadLast ? shards.indices.reversed() : Array(shards.indices) }

    // MARK: Going on

    /// Sends what may leave, and does what comes next, if all that it needs is there.
    func goOn(_ index: Int) {
        transmit(index)
        var hasMoved = true
        while hasMoved, breaches.isEmpty {
            hasMoved = advance(index)
            transmit(index)
        }
    }

    /// One move; false if something has to come first.
    private func advance(_ index: Int) -> Bool {
        let exchange = workers[index].exchange
        switch workers[index].stage {
        case .waitingForView:
            guard let view = workers[index].views.last else { return false }
            guard view.phase == .training,
                view.workers.contains(where: { $0.incarnation == workers[index].incarnation })
            else {
                if workers[index].isEnding || view.leaving.contains(workers[index].identity) { leave(index) }
                return false
            }
            workers[index].first = view
            workers[index].stage = .ready
            return true
        case .ready:
            if workers[index].isEnding {
                workers[index].stage = .settling
                return true
            }
            return begin(index)
        case .settling:
            guard exchange.isSettled else { return false }
            report(index)
            if workers[index].isEnding || workers[index].leavesWhenSettled {
                leave(index)
                return false
            }
            return ask(index)
        case .exchanging:
            guard exchange.isSettled else { return false }
            switch workers[index].state.task {
            case .pull: workers[index].state.pulled(exchange.outcome)
            case .trainTogether: workers[index].state.waited(exchange.outcome)
            default: workers[index].state.done()
            }
            workers[index].stage = .ready
            return true
        case .reading(var step):
            // A pipelined worker does not wait for what its last push brings.
            guard plan.consistency.isPipelined || exchange.isSettled else { return false }
            step.basis = workers[index].values[workers[index].exchange.buffer]
            workers[index].stage = .computing(step)
            // Each has its own speed, and now and then one is slow.
            let slow = random.chance(0.05) ? 20 : 1
            sleep(index, 500 * slow...4000 * slow * (index % 3 + 1))
            return false
        case .pushing(let step):
            guard shards.indices.allSatisfy(exchange.hasLeft) else { return false }
            if plan.consistency.isSynchronous {
                workers[index].stage = .awaitingLead(step)
            } else {
                report(index)
                var report = StepReport(batch: step.push.batch)
                report.examples = step.positions.total
                workers[index].unreported = report
                workers[index].state.pushed(exchange.outcome)
                workers[index].stage = .ready
            }
            return true
        case .awaitingLead(let step):
            guard exchange.outcome.open != nil, let view = step.view else { return false }
            var report = StepReport(batch: step.push.step, view: view.number)
            if !exchange.outcome.isLate { report.examples = step.positions.total }
            if let absent = exchange.outcome.absentParts(ofStep: step.push.step, dividedBy: view) {
                report.absent = absent
                workers[index].reports.append(report)
            }
            workers[index].steps += 1
            workers[index].state.pushed(exchange.outcome)
            workers[index].stage = .ready
            return true
        case .registering, .asking, .busy, .computing, .handing, .gone: return false
        }
    }

    /// The last step's pushes are applied: it is reported.
    private func report(_ index: Int) {
        guard let report = workers[index].unreported else { return }
        workers[index].reports.append(report)
        workers[index].steps += 1
        workers[index].unreported = nil
    }

    /// Begins the next task; false if something has to come first.
    private func begin(_ index: Int) -> Bool {
        switch workers[index].state.task {
        case .pull, .pause, .ask:
            workers[index].stage = .settling
            return true
        case .train(let batch, let step, let clock):
            let positions = RangeSet(schedule.positions(ofBatch: batch))
            let basis: GradientPush.Basis = plan.consistency.isBounded ? .clock(clock) : .updates(0)
            train(
                index,
                SimulatedWorker.Step(
                    push: GradientPush(step: step, batch: batch, examples: positions.total, basis: basis),
                    positions: positions))
            return true
        case .trainTogether(let step, let number, let examples):
            return trainTogether(index, step, number, examples)
        case .evaluate:
            workers[index].stage = .busy
            sleep(index, 500...3000)
        case .rest:
            workers[index].stage = .busy
            sleep(index, 1000...20_000)
        }
        return false
    }

    /// Sends what waited until all answers have come.
    private func ask(_ index: Int) -> Bool {
        switch workers[index].state.task {
        case .pull(let pauses): workers[index].exchange.pull(pauses: pauses)
        case .pause(let pauses): workers[index].exchange.pause(pauses: pauses)
        case .trainTogether(let step, _, _): workers[index].exchange.wait(step: step)
        default:
            workers[index].stage = .asking
            let (reports, sums) = (workers[index].reports, workers[index].sums)
            (workers[index].reports, workers[index].sums) = ([], [])
            askControl(.work(sums, done: reports), index)
            return false
        }
        workers[index].stage = .exchanging
        return true
    }

    private func trainTogether(_ index: Int, _ step: Int, _ number: UInt64, _ additional: RangeSet<Int>?) -> Bool {
        guard let first = workers[index].first else { return false }
        var view: ClusterView?
        if number >= first.number {
            view = workers[index].views.first { $0.number >= number }
            // It comes with the next heartbeat.
            if view == nil { return false }
        }
        guard let view, let rank = view.workers.first(where: { $0.incarnation == workers[index].incarnation })?.rank
        else {
            // Others divide this step; of those that leave, no later one has a part.
            workers[index].leavesWhenSettled = view?.leaving.contains(workers[index].identity) == true
            workers[index].stage = .settling
            return true
        }
        var positions = RangeSet<Int>()
        if let additional {
            positions = MissedExamples.share(of: additional, rank: rank, of: view.workers.count)
        } else if step < plan.steps {
            positions = RangeSet(schedule.positions(ofBatch: step, rank: rank, of: view.workers.count))
        }
        train(
            index,
            SimulatedWorker.Step(
                push: GradientPush(step: step, batch: step, examples: positions.total, basis: .view(view.number)),
                positions: positions, view: view))
        return true
    }

    private func train(_ index: Int, _ step: SimulatedWorker.Step) {
        if workers[index].exchange.begin(step.push) == .copy {
            let buffer = workers[index].exchange.buffer
            workers[index].values[1 - buffer] = workers[index].values[buffer]
        }
        // Without examples nothing is computed, and no values are waited for.
        if step.positions.isEmpty {
            workers[index].step = step
            workers[index].exchange.finish()
            workers[index].stage = .pushing(step)
        } else {
            workers[index].stage = .reading(step)
        }
    }

    // MARK: Exchange

    private func transmit(_ index: Int) {
        while !workers[index].isGone, let outgoing = workers[index].exchange.next() {
            var request = SimulatedRequest(
                index: index, worker: workers[index].identity, shard: outgoing.shard, sequence: outgoing.sequence,
                request: outgoing.request)
            if !outgoing.isRepeat, request.push != nil { workers[index].pushed[outgoing.shard] = workers[index].step }
            if let step = workers[index].pushed[outgoing.shard], request.push != nil {
                request.positions = step.positions
                request.basis = step.basis.isEmpty ? 0 : step.basis[outgoing.shard]
            }
            workers[index].buffers[outgoing.shard] = outgoing.buffer
            send(
                .request(request),
                orElse: .timeout(worker: index, shard: outgoing.shard, sequence: outgoing.sequence))
        }
    }

    /// No answer has come.
    func retry(_ index: Int, _ shard: Int, _ sequence: UInt64) {
        guard !workers[index].isGone, workers[index].exchange.fail(shard, sequence: sequence) else { return }
        transmit(index)
    }

    func hear(_ reply: SimulatedReply, _ index: Int) {
        guard !workers[index].isGone,
            workers[index].exchange.take(reply.reply, from: reply.shard, sequence: reply.sequence)
        else { return }
        switch reply.reply {
        case .refused(let reason): return refused(index, reason)
        case .values(let values): note(index, reply.shard, values)
        case .late(let open): note(index, reply.shard, .open(open))
        case .held, .applied, .waiting: break
        }
        goOn(index)
    }

    private func note(_ index: Int, _ shard: Int, _ values: ValuesReply) {
        let updates: Int
        switch values {
        case .updates(let number), .clock(_, let number): updates = number
        case .open(let open): updates = open.step
        }
        workers[index].values[workers[index].buffers[shard] ?? 0][shard] = updates
    }
}
