internal import Training

/// A worker: `WorkerState`, a client that retries as `ParameterClient` does, and heartbeats as `ViewWatcher` sends them.
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
        var examples = 0
        var clock: UInt64 = 0
        /// Told when all bundles have answered.
        var result: WireStepResult?
    }

    struct Flight {
        var number: Int
        var request: SimulatedRequest
    }

    let incarnation: UInt64
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
    /// Of each bundle, the step of the values here.
    var values: [Int: Int] = [:]

    var isGone: Bool { mode == .gone }
    var holder: WorkerIdentity { WorkerIdentity(worker: number ?? 0, incarnation: incarnation) }
    var isEnding: Bool {
        isAskedToLeave || [.stopping, .saving, .finished, .failed].contains(views.last?.phase ?? .waiting)
    }
}

extension SimulatedCluster {
    func addWorker(within microseconds: Int) {
        workers.append(
            SimulatedWorker(
                incarnation: UInt64(workers.count + 1), state: WorkerState(plan.consistency)))
        let index = workers.count - 1
        queue.add(.woke(worker: index, turn: 0), at: now + random.microseconds(0...microseconds))
    }

    /// Ends a worker without a word.
    func end(_ index: Int, isSeen: Bool) {
        workers[index].mode = .gone
        if isSeen { queue.add(.exited(pid: index), at: now + random.microseconds(1000...50_000)) }
    }

    // MARK: In touch with the coordinator

    private func askControl(_ request: ControlRequest, _ index: Int) {
        workers[index].asked += 1
        workers[index].askInHand = request
        let number = workers[index].asked
        ask(request, .worker(index), 2 * number)
        queue.add(.controlTimeout(.worker(index), number: 2 * number), at: now + .seconds(5))
    }

    private func sendBeat(_ index: Int) {
        var beat = WireHeartbeat()
        beat.role = .worker
        beat.number = Int32(workers[index].number ?? 0)
        beat.incarnation = workers[index].incarnation
        beat.view = workers[index].views.last?.number ?? 0
        beat.step = Int64(workers[index].steps)
        beat.done = workers[index].results
        workers[index].results = []
        workers[index].beatInHand = beat
        workers[index].beat += 1
        let number = 2 * workers[index].beat + 1
        ask(.heartbeat(beat), .worker(index), number)
        queue.add(.controlTimeout(.worker(index), number: number), at: now + .milliseconds(5500))
    }

    /// Odd numbers are heartbeats'.
    func retryControl(_ index: Int, _ number: Int) {
        guard !workers[index].isGone else { return }
        if number == 2 * workers[index].beat + 1, let beat = workers[index].beatInHand {
            workers[index].results = beat.done + workers[index].results
            sendBeat(index)
        } else if number == 2 * workers[index].asked, let request = workers[index].askInHand {
            askControl(request, index)
        }
    }

    func hear(_ reply: ControlReply, worker index: Int, _ number: Int) {
        guard !workers[index].isGone else { return }
        if number % 2 == 1 {
            guard number == 2 * workers[index].beat + 1, workers[index].beatInHand != nil else { return }
            workers[index].beatInHand = nil
            guard case .view(let view) = reply else { return refused(index, "\(reply)") }
            if view.number != workers[index].views.last?.number ?? 0 { workers[index].views.append(view) }
            if view.phase == .finished || view.phase == .failed {
                // Requests on their way are given up.
                (workers[index].flights, workers[index].unsent) = ([:], [])
                return leave(index)
            }
            sendBeat(index)
            if [.waitingForView, .ready].contains(workers[index].mode) { goOn(index) }
            return
        }
        guard number == 2 * workers[index].asked, workers[index].askInHand != nil else { return }
        workers[index].askInHand = nil
        switch reply {
        case .number(let number):
            workers[index].number = number
            workers[index].mode = .waitingForView
            sendBeat(index)
        case .lease(let lease):
            if lease.hasEvaluation {
                let first = Int(lease.evaluation.first)
                workers[index].state.given(
                    .evaluation(round: Int(lease.evaluation.round), first..<first + Int(lease.evaluation.count)))
            } else {
                let ranges = lease.ranges.map { Int($0.first)..<Int($0.first + $0.count) }
                workers[index].state.given(ranges.isEmpty ? .nothing : .batches(ranges))
            }
            workers[index].mode = .ready
            goOn(index)
        case .refused(let reason): refused(index, reason)
        case .view: break
        }
    }

    /// A refusal ends the worker; it is right only for one that the coordinator has given up.
    private func refused(_ index: Int, _ reason: String) {
        if state.membership.alive(.worker).contains(where: { $0.incarnation == workers[index].incarnation }),
            state.phase == .training
        {
            breach("worker \(workers[index].number ?? -1), which lives, is refused: \(reason)")
        }
        end(index, isSeen: random.chance(0.5))
    }

    private func leave(_ index: Int) {
        var leave = WireLeave()
        leave.role = .worker
        leave.number = Int32(workers[index].number ?? 0)
        leave.incarnation = workers[index].incarnation
        leave.done = (workers[index].beatInHand?.done ?? []) + workers[index].results
        leave.step = Int64(workers[index].steps)
        ask(.leave(leave), .worker(index), 0)
        workers[index].mode = .gone
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
    private func goOn(_ index: Int) {
        if workers[index].mode == .waitingForView {
            guard let view = workers[index].views.last else { return }
            guard view.phase == .training,
                view.workers.contains(where: { $0.incarnation == workers[index].incarnation })
            else {
                if workers[index].isEnding { leave(index) }
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
            let examples = schedule.places(ofBatch: batch).count
            compute(
                index, SimulatedWorker.Exchange(kind: .push, step: step, batch: batch, examples: examples, clock: clock)
            )
        case .trainTogether(let step, let number): trainTogether(index, step, number)
        case .evaluate: sleep(index, 500...3000)
        case .rest: sleep(index, 1000...20_000)
        }
    }

    private func trainTogether(_ index: Int, _ step: Int, _ number: UInt64) {
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
        else { return push(SimulatedWorker.Exchange(kind: .wait, step: step, batch: step), index) }
        let size = schedule.places(ofBatch: step).count
        let examples = BatchSchedule.part(of: size, rank: rank, of: view.workers.count).count
        compute(
            index,
            SimulatedWorker.Exchange(kind: .push, step: step, batch: step, examples: examples, clock: view.number))
    }

    private func compute(_ index: Int, _ exchange: SimulatedWorker.Exchange) {
        var exchange = exchange
        var result = WireStepResult()
        result.batch = Int64(exchange.batch)
        result.examples = Int64(exchange.examples)
        exchange.result = result
        workers[index].next = exchange
        // Each has its own speed, and now and then one is slow.
        let slow = random.chance(0.05) ? 20 : 1
        sleep(index, 500 * slow...4000 * slow * (index % 3 + 1))
    }

    // MARK: Exchanges

    /// Begins an exchange, after the one before.
    private func push(_ exchange: SimulatedWorker.Exchange, _ index: Int) {
        guard workers[index].exchange == nil else {
            workers[index].next = exchange
            workers[index].mode = .settling
            return
        }
        checkValues(exchange, workers[index])
        workers[index].exchange = exchange
        workers[index].mode = .exchanging
        workers[index].hasGoneOn = false
        workers[index].unsent = Array(bundles.indices)
        if exchange.kind == .wait || exchange.kind == .pull && plan.consistency != .async {
            workers[index].unsent = [0]
        }
        transmit(index)
    }

    private func transmit(_ index: Int) {
        guard let exchange = workers[index].exchange else { return }
        while let bundle = workers[index].unsent.first, workers[index].flights.count < plan.window {
            workers[index].unsent.removeFirst()
            var request = SimulatedRequest(
                kind: exchange.kind == .wait ? .push : exchange.kind, worker: index, number: 0, bundle: bundle,
                holder: workers[index].holder)
            request.step = exchange.step
            request.batch = exchange.batch
            request.examples = exchange.examples
            request.clock = exchange.clock
            send(request, index)
        }
    }

    private func send(_ request: SimulatedRequest, _ index: Int) {
        workers[index].sent += 1
        var request = request
        request.number = workers[index].sent
        workers[index].flights[request.bundle] = SimulatedWorker.Flight(number: request.number, request: request)
        send(
            .request(request), orElse: .timeout(worker: index, bundle: request.bundle, number: request.number))
    }

    /// The client's retry: the whole request again, with its bytes.
    func retry(_ index: Int, _ bundle: Int, _ number: Int) {
        guard !workers[index].isGone, var request = workers[index].flights[bundle]?.request, request.number == number
        else { return }
        if request.kind == .wait { request.kind = .push }
        send(request, index)
    }

    func hear(_ reply: SimulatedReply, _ index: Int) {
        guard !workers[index].isGone, let flight = workers[index].flights[reply.bundle], flight.number == reply.number
        else { return }
        switch reply.kind {
        case .waiting:
            var again = flight.request
            if again.kind == .push { again.kind = .wait }
            return send(again, index)
        case .refused(let reason): return refused(index, reason)
        case .values, .late:
            workers[index].values[reply.bundle] = reply.step
            if reply.bundle == 0 {
                workers[index].outcome = WorkerState.Outcome(
                    step: reply.step, clock: reply.clock, isLate: reply.kind == .late)
            }
        case .done: break
        }
        workers[index].flights[reply.bundle] = nil
        transmit(index)
        let isSettled = workers[index].flights.isEmpty && workers[index].unsent.isEmpty
        let mayGoOn = plan.overlaps && workers[index].unsent.isEmpty && workers[index].flights[0] == nil
        if let exchange = workers[index].exchange, isSettled || mayGoOn { took(exchange, index, isSettled: isSettled) }
    }

    private func took(_ exchange: SimulatedWorker.Exchange, _ index: Int, isSettled: Bool) {
        let outcome = workers[index].outcome
        if !workers[index].hasGoneOn, isSettled || exchange.kind == .push {
            workers[index].hasGoneOn = true
            switch exchange.kind {
            case .pull:
                if plan.consistency != .async, exchange.step == 0, bundles.count > 1 {
                    // The arbiter has named the step or clock; the others hear it from the worker.
                    workers[index].hasGoneOn = false
                    workers[index].exchange?.step =
                        1 + (plan.consistency.isSynchronous ? outcome.step : Int(outcome.clock))
                    workers[index].unsent = Array(bundles.indices.dropFirst())
                    return transmit(index)
                }
                workers[index].state.pulled(outcome)
            case .pause: workers[index].state.done()
            case .wait: workers[index].state.waited(outcome)
            case .push, .pushOnly:
                workers[index].state.pushed(outcome)
                workers[index].steps += 1
                if outcome.isLate { workers[index].exchange?.result?.examples = 0 }
            }
            workers[index].mode = .ready
        }
        if isSettled {
            if let result = workers[index].exchange?.result { workers[index].results.append(result) }
            workers[index].exchange = nil
            if workers[index].mode == .settling, let next = workers[index].next {
                workers[index].next = nil
                return push(next, index)
            }
        }
        goOn(index)
    }
}
