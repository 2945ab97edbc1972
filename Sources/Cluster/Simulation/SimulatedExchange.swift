/// What simulated workers exchange with servers: a client that retries as `ParameterClient` does.
extension SimulatedCluster {
    /// Begins an exchange, after the one before.
    func push(_ exchange: SimulatedWorker.Exchange, _ index: Int) {
        guard workers[index].exchange == nil else {
            workers[index].next = exchange
            workers[index].mode = .settling
            return
        }
        checkValues(exchange, workers[index])
        workers[index].basis.merge(workers[index].values) { old, _ in old }
        workers[index].valuesBefore = workers[index].values
        workers[index].hasSettled = exchange.kind != .push
        workers[index].exchange = exchange
        workers[index].mode = .exchanging
        workers[index].hasGoneOn = false
        // A backward pass has the gradients of the last layers first, whichever bundle those are in.
        workers[index].unsent = plan.isArbiterLast ? bundles.indices.reversed() : Array(bundles.indices)
        if exchange.kind == .wait || exchange.kind == .pull && !plan.consistency.isAsynchronous {
            workers[index].unsent = [0]
        }
        transmit(index)
        if mayGoOn(index) { took(exchange, index, isSettled: false) }
    }

    /// Whether the next step may begin though answers are still to come.
    private func mayGoOn(_ index: Int) -> Bool {
        workers[index].unsent.isEmpty
            && (plan.consistency.isPipelined || plan.overlaps && workers[index].flights[0] == nil)
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
            request.positions = exchange.positions
            request.clock = exchange.clock
            if plan.consistency.isAsynchronous, exchange.kind == .push {
                request.clock = UInt64(workers[index].basis[bundle] ?? 0)
            }
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
        if let exchange = workers[index].exchange, isSettled || mayGoOn(index) {
            took(exchange, index, isSettled: isSettled)
        }
    }

    private func took(_ exchange: SimulatedWorker.Exchange, _ index: Int, isSettled: Bool) {
        let outcome = workers[index].outcome
        if !workers[index].hasGoneOn, isSettled || exchange.kind == .push {
            workers[index].hasGoneOn = true
            switch exchange.kind {
            case .pull:
                if !plan.consistency.isAsynchronous, exchange.step == 0, bundles.count > 1 {
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
                workers[index].state.pushed(outcome, dividedBy: exchange.clock)
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
