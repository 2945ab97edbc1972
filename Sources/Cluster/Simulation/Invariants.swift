internal import Training

/// What must be so in a simulated cluster, checked from what the simulation itself has written down.
extension SimulatedCluster {
    private func view(of number: Int) -> ClusterView? {
        servers[bundles[number].server].acted[bundles[number].lane]
    }

    /// Notes what a request says of its worker under bounded staleness.
    func note(_ request: SimulatedRequest, _ number: Int) {
        let incarnation = request.holder.incarnation
        guard case .bounded = bundles[number].state.rule, !bundles[number].gone.contains(incarnation),
            request.number >= bundles[number].newest[incarnation] ?? 0
        else { return }
        bundles[number].newest[incarnation] = request.number
        switch request.kind {
        case .pause:
            guard request.clock > bundles[number].pauses[incarnation] ?? 0 else { return }
            bundles[number].pauses[incarnation] = request.clock
            bundles[number].clocks[incarnation] = nil
        case .push, .pushOnly:
            if bundles[number].applied[incarnation]?.contains(request.step) != true {
                bundles[number].clocks[incarnation] = Int(request.clock) + 1
            }
        case .pull, .wait: break
        }
    }

    // MARK: Updates

    /// No push is applied twice, none of the dead's that came too late; synchronous steps are whole, in order, and added
    /// up by rank.
    func checkApply(_ update: BundleState.Update, _ number: Int) {
        let parts = update.parts.compactMap { part in bundles[number].parked[part.token].map { ($0, part.weight) } }
        if parts.count != update.parts.count { breach("bundle \(number) applies a push whose bytes are gone") }
        for (parked, weight) in parts {
            let request = parked.request
            let incarnation = request.holder.incarnation
            if !bundles[number].applied[incarnation, default: []].insert(request.step).inserted {
                breach("bundle \(number) applies worker \(request.holder.worker)'s step \(request.step) twice")
            }
            if parked.isOfTheGone {
                breach(
                    "bundle \(number) applies step \(request.step) of worker \(request.holder.worker), which is gone")
            }
            // What was missed by another bundle, or of a step that is done again after all who took part in it have died.
            let mayRepeat =
                !isPeaceful && plan.consistency.isSynchronous
                && (bundles[number].isTable || plan.consistency.backup == 0)
            if !mayRepeat, !bundles[number].positions.isDisjoint(request.positions) {
                breach("bundle \(number) applies examples of batch \(request.batch) twice")
            }
            bundles[number].positions.formUnion(request.positions)
            bundles[number].examples += request.examples
            bundles[number].stir(incarnation)
            bundles[number].stir(weight.bitPattern)
        }
        bundles[number].stir(UInt64(update.batch))
        guard case .synchronous(let backup) = bundles[number].state.rule else { return }
        checkStep(update, parts, number, backup: backup)
    }

    private func checkStep(
        _ update: BundleState.Update, _ parts: [(SimulatedBundle.Parked, Double)], _ number: Int, backup: Int
    ) {
        if update.step != bundles[number].closed {
            breach("bundle \(number) closes step \(update.step), \(bundles[number].closed) is open")
        }
        bundles[number].closed += 1
        guard let named = parts.first?.0.request.clock, let divider = views[named] else {
            if isPeaceful, backup == 0 { breach("bundle \(number) closes step \(update.step) with nothing") }
            return
        }
        let requests = parts.map(\.0.request)
        if requests.contains(where: { $0.clock != named || $0.step != update.step }) {
            breach("bundle \(number) adds up parts of several divisions in step \(update.step)")
        }
        let ranks = requests.compactMap { request in
            divider.workers.first { $0.incarnation == request.holder.incarnation }?.rank
        }
        if ranks.count != parts.count || zip(ranks, ranks.dropFirst()).contains(where: { $0 >= $1 }) {
            breach("bundle \(number) adds up step \(update.step) by ranks \(ranks)")
        }
        let total = requests.reduce(0) { $0 + $1.examples }
        for (parked, weight) in parts where abs(weight - Double(parked.request.examples) / Double(total)) > 1e-12 {
            breach("bundle \(number) weighs \(parked.request.examples) of \(total) examples with \(weight)")
        }
        let size = schedule.places(ofBatch: update.batch).count
        if isPeaceful, backup == 0, total != size {
            breach("bundle \(number) closes step \(update.step) with \(total) of \(size) examples")
        }
        if backup == 0 { checkMissing(divider, Set(requests.map(\.holder.incarnation)), update, number) }
    }

    /// A step lacks only what those had of it who are gone, and of each of these two steps at most: the one that it had open
    /// here, and the one that the others began before they heard of its end.
    private func checkMissing(
        _ divider: ClusterView, _ here: Set<UInt64>, _ update: BundleState.Update, _ number: Int
    ) {
        let size = update.step < plan.steps ? schedule.places(ofBatch: update.batch).count : 0
        for worker in divider.workers where !here.contains(worker.incarnation) {
            let part = BatchSchedule.part(of: size, rank: worker.rank, of: divider.workers.count)
            if part.isEmpty { continue }
            if !bundles[number].gone.contains(worker.incarnation) {
                breach("bundle \(number) closes step \(update.step) without worker \(worker.number), which lives")
            }
            bundles[number].missing[worker.incarnation, default: 0] += 1
            if bundles[number].missing[worker.incarnation] ?? 0 > 2 {
                breach("bundle \(number) lacks more of worker \(worker.number) than two steps")
            }
        }
    }

    // MARK: Answers

    /// What is acknowledged is in the values, or is told to be late; nobody runs ahead of the bound.
    func checkAnswer(_ reply: BundleState.Reply, _ request: SimulatedRequest, _ number: Int) {
        let incarnation = request.holder.incarnation
        if case .bounded = bundles[number].state.rule, request.kind == .pull,
            !bundles[number].gone.contains(incarnation),
            request.clock >= bundles[number].pauses[incarnation] ?? 0, bundles[number].clocks[incarnation] == nil
        {
            bundles[number].clocks[incarnation] = Int(reply.clock)
        }
        guard [.push, .pushOnly, .wait].contains(request.kind), request.hasGradient else { return }
        let isIn = bundles[number].applied[incarnation]?.contains(request.step) ?? false
        // Another has pushed the batch, or, after all who took part in a step have died, the step.
        let isRepeat =
            !plan.consistency.isSynchronous && bundles[number].positions.isSuperset(of: request.positions)
            || !isPeaceful && plan.consistency.backup == 0 && request.step < bundles[number].closed
        let worker = request.holder.worker
        if reply.kind == .late {
            if isIn { breach("bundle \(number) calls worker \(worker)'s step \(request.step) late, but has it") }
            if plan.consistency.backup == 0 { breach("step \(request.step) of worker \(worker) is late") }
            return
        }
        if !isIn, !isRepeat {
            breach("bundle \(number) acknowledges worker \(worker)'s step \(request.step) and lacks it")
        }
        guard case .bounded(let staleness) = bundles[number].state.rule, request.kind != .pushOnly,
            let own = bundles[number].clocks[incarnation], own == Int(request.clock) + 1
        else { return }
        for (other, clock) in bundles[number].clocks where clock + staleness < own {
            breach("bundle \(number) lets \(incarnation) go on at \(own), \(other) is at \(clock)")
        }
    }

    // MARK: Waiting

    /// Nobody waits for the dead, and nobody waits when enough have come.
    func checkWaiting(_ number: Int) {
        guard !bundles[number].parked.isEmpty else { return }
        var members = Set(view(of: number)?.present.map(\.worker) ?? [])
        // Who has come since.
        for worker in workers where bundles[number].clocks[worker.incarnation] != nil {
            members.insert(worker.holder.worker)
        }
        let state = bundles[number].state
        for token in bundles[number].parked.keys {
            if let absent = state.awaited(by: token).first(where: { !members.contains($0) }) {
                breach("bundle \(number) waits for worker \(absent), which is gone")
            }
        }
        // A bundle that a job's end keeps from acting on a view takes the next for it.
        guard case .synchronous(let backup) = state.rule, self.state.phase == .training else { return }
        let parts = bundles[number].parked.values.map(\.request).filter {
            $0.step == bundles[number].closed && $0.clock > 0
        }
        guard let named = parts.first?.clock, named <= view(of: number)?.number ?? 0, let divider = views[named] else {
            return
        }
        let living = divider.workers.map(\.incarnation).filter { !bundles[number].gone.contains($0) }
        let here = Set(parts.map(\.holder.incarnation)).intersection(living).count
        if here >= max(1, living.count - backup) {
            breach("bundle \(number) waits at step \(bundles[number].closed) with \(here) of \(living.count) parts")
        }
    }

    /// A worker computes a synchronous step from the values of that step.
    func checkValues(_ exchange: SimulatedWorker.Exchange, _ worker: SimulatedWorker) {
        guard plan.consistency == .sync, plan.faults.isEmpty, deaths == 0, exchange.result != nil else { return }
        for (bundle, step) in worker.values where step != exchange.step {
            breach("step \(exchange.step) is computed from values of bundle \(bundle) at step \(step)")
        }
    }

    // MARK: The end

    /// Every example is in every bundle's values, and only after deaths, in synchronous jobs, some twice; what a job lacks or
    /// has twice is told.
    func checkEnd() {
        guard state.outcome?.status == .finished else { return }
        if state.step != plan.steps { breach("the job ends with \(state.step) of \(plan.steps) steps") }
        let total = schedule.positions(ofBatch: plan.steps - 1).upperBound
        for number in bundles.indices where plan.consistency.backup == 0 {
            let lacking = RangeSet(0..<total).subtracting(bundles[number].positions)
            if !lacking.isEmpty { breach("bundle \(number) lacks the examples \(lacking)") }
            if !plan.consistency.isSynchronous || isPeaceful, bundles[number].examples != total {
                breach("bundle \(number) has \(bundles[number].examples) of \(total) examples")
            }
        }
        let counts = bundles.map(\.examples)
        let missed = max(0, total - (counts.min() ?? 0))
        if state.missedExamples != missed {
            breach("\(state.missedExamples) examples are told to be missed, \(missed) are")
        }
        let repeated = max(0, (counts.max() ?? 0) - total)
        if state.repeatedExamples != repeated {
            breach("\(state.repeatedExamples) examples are told to be in twice, \(repeated) are")
        }
        if plan.consistency.backup == 0, state.record.samples != total {
            breach("\(state.record.samples) of \(total) samples are told")
        }
        if isPeaceful, state.leasedAgain > 0 { breach("batches are leased again, but nobody died") }
        if plan.evaluationBatches > 0, state.evaluation.last?.sum.examples != plan.evaluationBatches {
            breach("\(state.evaluation.last?.sum.examples ?? 0) of \(plan.evaluationBatches) batches are evaluated")
        }
    }
}
