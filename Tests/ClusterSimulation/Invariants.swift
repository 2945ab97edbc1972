import Cluster
import Training

/// What must be so in a simulated cluster, checked from what the simulation itself has written down.
extension SimulatedCluster {
    private func view(of number: Int) -> ClusterView? {
        servers[shards[number].server].acted[shards[number].executor]
    }

    /// Notes what a request says of its worker under bounded staleness.
    func note(_ request: SimulatedRequest, _ number: Int) {
        let incarnation = request.worker.incarnation
        guard case .bounded = shards[number].state.rule, !shards[number].departed.contains(incarnation),
            request.sequence >= shards[number].newest[incarnation] ?? 0
        else { return }
        shards[number].newest[incarnation] = request.sequence
        switch request.request {
        case .pause(let pauses):
            guard pauses > shards[number].pauses[incarnation] ?? 0 else { return }
            shards[number].pauses[incarnation] = pauses
            shards[number].clocks[incarnation] = nil
        case .push(let push):
            if case .clock(let clock) = push.basis,
                shards[number].applied[incarnation]?.contains(push.step) != true
            {
                shards[number].clocks[incarnation] = clock + 1
            }
        case .pull, .await, .attach, .close: break
        }
    }

    // MARK: Updates

    /// No push is applied twice, none of the departed that came too late; synchronous steps are whole, in order, and added
    /// up by rank.
    func checkApply(_ update: ShardState.Update, _ number: Int) {
        let parts = update.parts.compactMap { part in shards[number].waiting[part.token].map { ($0, part.weight) } }
        if parts.count != update.parts.count { breach("shard \(number) applies a push whose bytes are gone") }
        for (waiting, weight) in parts {
            let request = waiting.request
            let (worker, incarnation) = (request.worker.worker, request.worker.incarnation)
            guard let push = request.push else {
                breach("shard \(number) applies what is no push")
                continue
            }
            if !shards[number].applied[incarnation, default: []].insert(push.step).inserted {
                breach("shard \(number) applies worker \(worker)'s step \(push.step) twice")
            }
            if waiting.isLate {
                breach("shard \(number) applies step \(push.step) of worker \(worker), which has departed")
            }
            // Only embedding tables of a synchronous job may have an example twice.
            if !(shards[number].isEmbeddingTable && !isPeaceful && plan.consistency.isSynchronous),
                !shards[number].positions.isDisjoint(request.positions)
            {
                breach("shard \(number) applies examples of batch \(push.batch) twice")
            }
            shards[number].positions.formUnion(request.positions)
            shards[number].examples += request.positions.total
            shards[number].stir(incarnation)
            shards[number].stir(weight.bitPattern)
        }
        shards[number].stir(UInt64(update.batch))
        switch shards[number].state.rule {
        case .lead(let backup): checkStep(update, parts, number, backup: backup)
        case .holding: checkStep(update, parts, number, backup: plan.consistency.backup)
        case .asynchronous, .bounded, .embeddings: break
        }
    }

    private func checkStep(
        _ update: ShardState.Update, _ parts: [(SimulatedShard.Waiting, Double)], _ number: Int, backup: Int
    ) {
        let step = shards[number].members.count
        if update.step != step { breach("shard \(number) closes step \(update.step), \(step) is open") }
        let members = parts.map(\.0.request.worker)
        shards[number].members.append(members)
        // All shards have the gradients of the same workers, whoever dies.
        for other in shards.indices where shards[other].members.count > step {
            if shards[other].members[step] != members {
                breach("step \(step) has \(members) in shard \(number), and \(shards[other].members[step]) in \(other)")
            }
        }
        let requests = parts.map(\.0.request)
        guard let first = requests.first?.push, case .view(let named) = first.basis, let divider = views[named] else {
            if isPeaceful, backup == 0 { breach("shard \(number) closes step \(update.step) with nothing") }
            return
        }
        if requests.contains(where: { $0.push?.basis != first.basis || $0.push?.step != update.step }) {
            breach("shard \(number) adds up parts of several divisions in step \(update.step)")
        }
        if let request = requests.first(where: { $0.basis != update.step }) {
            breach("step \(update.step) is computed from values of shard \(number) at step \(request.basis)")
        }
        let ranks = requests.compactMap { request in
            divider.workers.first { $0.incarnation == request.worker.incarnation }?.rank
        }
        if ranks.count != parts.count || zip(ranks, ranks.dropFirst()).contains(where: { $0 >= $1 }) {
            breach("shard \(number) adds up step \(update.step) by ranks \(ranks)")
        }
        let total = requests.reduce(0) { $0 + $1.positions.total }
        for (waiting, weight) in parts
        where abs(weight - Double(waiting.request.positions.total) / Double(total)) > 1e-12 {
            breach("shard \(number) weighs \(waiting.request.positions.total) of \(total) examples with \(weight)")
        }
        let size = update.step < plan.steps ? schedule.places(ofBatch: update.batch).count : 0
        if isPeaceful, backup == 0, total != size {
            breach("shard \(number) closes step \(update.step) with \(total) of \(size) examples")
        }
        if backup == 0 { checkMissing(divider, Set(members.map(\.incarnation)), update, number) }
    }

    /// A step lacks only the parts of those that have departed.
    private func checkMissing(
        _ divider: ClusterView, _ here: Set<UInt64>, _ update: ShardState.Update, _ number: Int
    ) {
        guard number == plan.lead else { return }
        let size = update.step < plan.steps ? schedule.places(ofBatch: update.batch).count : 0
        for worker in divider.workers where !here.contains(worker.incarnation) {
            let part = BatchSchedule.part(of: size, rank: worker.rank, of: divider.workers.count)
            if !part.isEmpty, !shards[number].departed.contains(worker.incarnation) {
                breach("step \(update.step) is closed without worker \(worker.number), which lives")
            }
        }
    }

    // MARK: Answers

    /// What is acknowledged is in the values, or its answer says that it is late; nobody runs ahead of the bound.
    func checkAnswer(_ reply: ExchangeReply, _ request: SimulatedRequest, _ number: Int) {
        let (worker, incarnation) = (request.worker.worker, request.worker.incarnation)
        if case .bounded = shards[number].state.rule, case .pull(let pauses, _) = request.request,
            case .values(.clock(let clock, _)) = reply, !shards[number].departed.contains(incarnation),
            pauses >= shards[number].pauses[incarnation] ?? 0, shards[number].clocks[incarnation] == nil
        {
            shards[number].clocks[incarnation] = clock
        }
        guard let push = request.push, push.examples > 0 else { return }
        let isIn = shards[number].applied[incarnation]?.contains(push.step) ?? false
        switch reply {
        case .refused, .waiting: return
        case .late:
            if isIn { breach("shard \(number) calls worker \(worker)'s step \(push.step) late, but has it") }
            if plan.consistency.backup == 0 { breach("step \(push.step) of worker \(worker) is late") }
            return
        case .held:
            guard case .holding = shards[number].state.rule else {
                return breach("shard \(number) holds, and is no shard that does")
            }
            return
        case .values, .applied: break
        }
        // Another has pushed the batch.
        let isRepeat =
            !plan.consistency.isSynchronous && shards[number].positions.isSuperset(of: request.positions)
        if !isIn, !isRepeat {
            breach("shard \(number) acknowledges worker \(worker)'s step \(push.step) and lacks it")
        }
        guard case .bounded(let staleness) = shards[number].state.rule, push.wantsValues,
            case .clock(let clock) = push.basis, let own = shards[number].clocks[incarnation], own == clock + 1
        else { return }
        for (other, clock) in shards[number].clocks where clock + staleness < own {
            breach("shard \(number) lets \(incarnation) go on at \(own), \(other) is at \(clock)")
        }
    }

    // MARK: Waiting

    /// Nobody waits for the departed, and nobody waits when enough have come.
    func checkWaiting(_ number: Int) {
        let waiting = shards[number].waiting.filter { $0.value.sequence != nil }
        guard !waiting.isEmpty else { return }
        var members = Set(view(of: number)?.present.map(\.worker) ?? [])
        // Who has come since.
        for worker in workers where shards[number].clocks[worker.incarnation] != nil {
            members.insert(worker.identity.worker)
        }
        let state = shards[number].state
        for token in waiting.keys {
            if let absent = state.awaited(by: token).first(where: { !members.contains($0) }) {
                breach("shard \(number) waits for worker \(absent), which has departed")
            }
        }
        guard case .lead(let backup) = state.rule, self.state.phase == .training else { return }
        let parts = shards[number].waiting.values.map(\.request).filter {
            $0.push?.step == shards[number].members.count
        }
        guard let first = parts.first?.push, case .view(let named) = first.basis,
            named <= view(of: number)?.number ?? 0, let divider = views[named]
        else { return }
        let living = divider.workers.map(\.incarnation).filter { !shards[number].departed.contains($0) }
        let here = Set(parts.map(\.worker.incarnation)).intersection(living).count
        if here >= max(1, living.count - backup) {
            breach("shard \(number) waits at step \(first.step) with \(here) of \(living.count) parts")
        }
    }

    // MARK: Checkpoints

    /// The values of a checkpoint have the examples of its batches, in every shard the same, without those that it names.
    func checkCheckpoint(_ step: Int) {
        guard plan.consistency.isSynchronous, plan.consistency.backup == 0 else { return }
        let missing = state.missing(inCheckpoint: step)
        for number in shards.indices {
            guard let saved = shards[number].saved[step] else {
                breach("the checkpoint of step \(step) lacks shard \(number)")
                continue
            }
            let batches = shards[number].state.appliedBatches(atStep: step).intersection(RangeSet(0..<plan.steps))
            let end = min(step, shards[plan.lead].state.steps, plan.steps)
            let whole = RangeSet(end == 0 ? 0..<0 : 0..<schedule.positions(ofBatch: end - 1).upperBound)
            if shards[number].isEmbeddingTable {
                let lacking = whole.subtracting(missing).subtracting(saved)
                if !lacking.isEmpty { breach("shard \(number) lacks \(lacking) in the checkpoint of step \(step)") }
            } else if saved != whole.subtracting(missing) {
                breach(
                    "shard \(number) has \(saved) in the checkpoint of step \(step), of \(whole) without \(missing), \(batches)"
                )
            }
        }
        checkpoints += 1
    }

    // MARK: The end

    /// A finished job has every example exactly once in every shard, whoever dies; embedding tables of a synchronous job at
    /// least once. What a job lacks or has twice is in its report.
    func checkEnd() {
        guard state.outcome?.status == .finished else { return }
        if state.step != plan.steps { breach("the job ends with \(state.step) of \(plan.steps) steps") }
        let total = schedule.positions(ofBatch: plan.steps - 1).upperBound
        for number in shards.indices where plan.consistency.backup == 0 {
            let lacking = RangeSet(0..<total).subtracting(shards[number].positions)
            if !lacking.isEmpty { breach("shard \(number) lacks the examples \(lacking)") }
            if !shards[number].isEmbeddingTable || isPeaceful, shards[number].examples != total {
                breach("shard \(number) has \(shards[number].examples) of \(total) examples")
            }
        }
        let counts = shards.map(\.examples)
        let missed = max(0, total - (counts.min() ?? 0))
        if state.missedExamples != missed {
            breach("\(state.missedExamples) examples are reported as missed, \(missed) are")
        }
        let repeated = max(0, (counts.max() ?? 0) - total)
        if state.repeatedExamples != repeated {
            breach("\(state.repeatedExamples) examples are reported to be in twice, \(repeated) are")
        }
        if plan.consistency.backup == 0, state.samples != total {
            breach("\(state.samples) of \(total) samples are reported")
        }
        if isPeaceful, state.leasedAgain > 0 { breach("batches are leased again, but nobody died") }
        if plan.evaluationBatches > 0, state.lastEvaluation?.examples != plan.evaluationBatches {
            breach("\(state.lastEvaluation?.examples ?? 0) of \(plan.evaluationBatches) batches are evaluated")
        }
    }
}
