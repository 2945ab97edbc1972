internal import Training

/// A worker: `WorkerState`, and what it has asked the coordinator and servers.
struct SimulatedWorker {
    /// What it is at.
    enum Mode: Equatable {
        case registering
        /// Training has not begun for it.
        case waitingForView
        /// `state.task` is next.
        case ready
        /// The coordinator is asked for work.
        case asking
        /// It computes, rests or evaluates until it wakes.
        case busy
        /// An exchange goes on that has to end first.
        case settling
        case exchanging
        case gone
    }

    /// One exchange with all bundles.
    struct Exchange {
        var kind: SimulatedRequest.Kind
        var step = 0
        var batch = 0
        /// Those that the gradient is of, by their positions in the job's order.
        var positions = RangeSet<Int>()
        var clock: UInt64 = 0
        /// Told when all bundles have answered.
        var result: WireStepResult?
    }

    struct Flight {
        var number: Int
        var request: SimulatedRequest
    }

    let incarnation: UInt64
    /// In a synchronous job others count on it for longer.
    let leavesAtOnce: Bool
    var number: Int?
    var state: WorkerState
    var mode = Mode.registering
    var isAskedToLeave = false
    var sleepsUntil = Duration.zero
    /// A wake-up of an earlier turn is not heard.
    var turn = 0
    var first: ClusterView?
    var views: [ClusterView] = []
    var results: [WireStepResult] = []
    var sums: [WireEvaluationSum] = []
    var steps = 0

    // Towards the coordinator.
    var beat = 0
    var beatInHand: WireHeartbeat?
    var asked = 0
    var askInHand: ControlRequest?

    // Towards the servers.
    var exchange: Exchange?
    var flights: [Int: Flight] = [:]
    var unsent: [Int] = []
    var sent = 0
    var outcome = WorkerState.Outcome()
    /// The arbiter has answered, and the worker has gone on.
    var hasGoneOn = false
    /// What is pushed when the exchange before has ended.
    var next: Exchange?
    /// Of each bundle, the step of the values here, and of those before the last push.
    var values: [Int: Int] = [:]
    var valuesBefore: [Int: Int] = [:]
    /// Of those that the gradient at hand is computed from.
    var basis: [Int: Int] = [:]
    /// Whether it has waited for all answers since its last push.
    var hasSettled = true

    var isGone: Bool { mode == .gone }
    var holder: WorkerIdentity { WorkerIdentity(worker: number ?? 0, incarnation: incarnation) }
    var isEnding: Bool {
        isAskedToLeave && leavesAtOnce
            || [.stopping, .saving, .finished, .failed].contains(views.last?.phase ?? .waiting)
    }
}

extension SimulatedCluster {
    func addWorker(within microseconds: Int) {
        workers.append(
            SimulatedWorker(
                incarnation: UInt64(workers.count + 1), leavesAtOnce: !plan.consistency.isSynchronous,
                state: WorkerState(plan.consistency)))
        let index = workers.count - 1
        queue.add(.woke(worker: index, turn: 0), at: now + random.microseconds(0...microseconds))
    }

    /// Ends a worker without a word.
    func end(_ index: Int, isSeen: Bool) {
        workers[index].mode = .gone
        if isSeen { queue.add(.exited(pid: index), at: now + random.microseconds(1000...50_000)) }
    }

    // MARK: Tasks

    func wake(_ index: Int) {
        switch workers[index].mode {
        case .registering: askControl(.register, index)
        case .busy:
            if let next = workers[index].next {
                workers[index].next = nil
                push(next, index)
                return
            }
            if case .evaluate(let round, let batches) = workers[index].state.task {
                for batch in batches {
                    var sum = WireEvaluationSum()
                    sum.round = Int64(round)
                    sum.first = Int64(batch)
                    sum.countBatches = 1
                    sum.examples = 1
                    workers[index].sums.append(sum)
                }
            }
            workers[index].state.done()
            workers[index].mode = .ready
            goOn(index)
        default: break
        }
    }

    private func sleep(_ index: Int, _ microseconds: ClosedRange<Int>) {
        workers[index].mode = .busy
        workers[index].turn += 1
        queue.add(
            .woke(worker: index, turn: workers[index].turn), at: now + random.microseconds(microseconds))
    }

    /// Does the next task, if all that it needs is there.
    func goOn(_ index: Int) {
        if workers[index].mode == .waitingForView {
            guard let view = workers[index].views.last else { return }
            guard view.phase == .training,
                view.workers.contains(where: { $0.incarnation == workers[index].incarnation })
            else {
                if workers[index].isEnding || view.isLeaving(workers[index].incarnation) { leave(index) }
                return
            }
            workers[index].first = view
            workers[index].mode = .ready
        }
        guard workers[index].mode == .ready else { return }
        if workers[index].isEnding {
            // The step at hand is ended first.
            if workers[index].exchange == nil { leave(index) }
            return
        }
        switch workers[index].state.task {
        case .pull(let pauses): push(SimulatedWorker.Exchange(kind: .pull, clock: pauses), index)
        case .pause(let pauses): push(SimulatedWorker.Exchange(kind: .pause, clock: pauses), index)
        case .ask:
            // What is told to be done must be done everywhere.
            if workers[index].exchange != nil { return }
            workers[index].hasSettled = true
            var ask = WireLeaseBatches()
            ask.worker = Int32(workers[index].number ?? 0)
            ask.incarnation = workers[index].incarnation
            ask.done = workers[index].results
            workers[index].results = []
            var sums: WireLeaseEvaluation?
            if !workers[index].sums.isEmpty {
                sums = WireLeaseEvaluation()
                sums?.worker = ask.worker
                sums?.incarnation = ask.incarnation
                sums?.done = workers[index].sums
                workers[index].sums = []
            }
            workers[index].mode = .asking
            askControl(.work(sums, ask), index)
        case .train(let batch, let step, let clock):
            let positions = RangeSet(schedule.positions(ofBatch: batch))
            compute(
                index,
                SimulatedWorker.Exchange(kind: .push, step: step, batch: batch, positions: positions, clock: clock))
        case .trainTogether(let step, let number, let last): trainTogether(index, step, number, since: last)
        case .evaluate: sleep(index, 500...3000)
        case .rest: sleep(index, 1000...20_000)
        }
    }

    private func trainTogether(_ index: Int, _ step: Int, _ number: UInt64, since last: UInt64) {
        guard let first = workers[index].first else { return }
        var view: ClusterView?
        if number == 0 {
            view = first
        } else if number >= first.number {
            view = workers[index].views.first { $0.number >= number }
            // It comes with the next heartbeat.
            if view == nil { return }
        }
        guard let view, let rank = view.workers.first(where: { $0.incarnation == workers[index].incarnation })?.rank
        else {
            guard view?.isLeaving(workers[index].incarnation) == true else {
                return push(SimulatedWorker.Exchange(kind: .wait, step: step, batch: step), index)
            }
            if workers[index].exchange == nil { leave(index) }
            return
        }
        var positions = view.madeUp(by: workers[index].incarnation, since: last)
        positions.insert(contentsOf: view.part(ofStep: step, of: plan.steps, rank: rank, schedule))
        compute(
            index,
            SimulatedWorker.Exchange(kind: .push, step: step, batch: step, positions: positions, clock: view.number))
    }

    private func compute(_ index: Int, _ exchange: SimulatedWorker.Exchange) {
        var exchange = exchange
        var result = WireStepResult(
            batch: exchange.batch, view: plan.consistency.isSynchronous ? exchange.clock : 0)
        result.examples = Int64(exchange.positions.total)
        exchange.result = result
        workers[index].next = exchange
        // A pipelined worker does not wait for what its last push brings.
        let isBehind = plan.consistency.isPipelined && !workers[index].hasSettled
        workers[index].basis = isBehind ? workers[index].valuesBefore : [:]
        // Each has its own speed, and now and then one is slow.
        let slow = random.chance(0.05) ? 20 : 1
        sleep(index, 500 * slow...4000 * slow * (index % 3 + 1))
    }
}
