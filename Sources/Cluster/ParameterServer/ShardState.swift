/// All that one shard decides: which pushes are applied, together with which others and when, and when each request is
/// answered. Events in, actions out: no socket, no clock, no bytes.
///
/// A request is known by a token of the caller, who keeps it, with its bytes, until an action answers or drops it.
package struct ShardState: Sendable {
    package enum Rule: Equatable, Sendable {
        case asynchronous
        /// Asynchronous, but replies wait for workers that are so many steps behind.
        case bounded(staleness: Int)
        /// Of the shard that decides whose gradients a synchronous step has.
        case lead(backup: Int)
        /// Of another shard of a synchronous job.
        case holding
        /// Of embedding tables in a synchronous job: each worker's part of a batch, which has so many examples, is applied
        /// when it comes.
        case embeddings(batch: Int)

        /// Whether workers train the same steps.
        package var isSynchronous: Bool {
            switch self {
            case .asynchronous, .bounded: false
            case .lead, .holding, .embeddings: true
            }
        }

        /// What the configuration asks of a shard.
        package init(_ config: JobConfig, isLead: Bool, isEmbeddingTable: Bool) {
            switch config.cluster.consistency {
            case .asynchronous: self = .asynchronous
            case .bounded(let staleness): self = .bounded(staleness: staleness)
            case .synchronous(_, true) where isEmbeddingTable: self = .embeddings(batch: config.train.batch)
            case .synchronous(let backup, _): self = isLead ? .lead(backup: backup) : .holding
            }
        }
    }

    /// Gradients that are one update: added up in this order, each times its weight.
    package struct Update: Equatable, Sendable {
        package struct Part: Equatable, Sendable {
            package var token: Int
            package var weight: Double

            package init(token: Int, weight: Double) {
                self.token = token
                self.weight = weight
            }
        }

        package var step: Int
        package var batch: Int
        /// Empty where the update is left out, for gradients were not finite or nobody had any.
        package var parts: [Part]

        package init(step: Int, batch: Int, parts: [Part]) {
            self.step = step
            self.batch = batch
            self.parts = parts
        }
    }

    package enum Action: Equatable, Sendable {
        case apply(Update)
        /// Answer the request. Its bytes are kept if the answer is `held`, and are of no more use otherwise.
        case answer(token: Int, ExchangeReply)
        /// Answer the request with the second token in place of that with the first, which keeps its bytes.
        case renew(token: Int, by: Int)
        /// Forget the request and its bytes. If it has not been answered, a newer request has taken its place.
        case drop(token: Int)
        /// Save the values as a part of the checkpoint of this step.
        case save(step: Int)
    }

    package let rule: Rule
    /// Whether a gradient is divided by its staleness.
    package let scalesByStaleness: Bool
    package private(set) var ledger = PushLedger()
    package private(set) var roster = Roster()
    private var lead: LeadSteps?
    private var holding: HeldSteps?
    private var gate: StalenessGate?
    /// The step after the last that an embedding table has a part of.
    private var embeddingStep = 0
    /// Pushes that wait here and whose gradients are not finite.
    private var voids: Set<Int> = []
    private var saving: CheckpointSchedule

    /// - Parameters:
    ///   - done: batches that the values of a checkpoint hold.
    ///   - saving: when a checkpoint is due.
    package init(
        _ rule: Rule, scalesByStaleness: Bool = false, done: RangeSet<Int> = RangeSet(),
        saving: CheckpointSchedule = CheckpointSchedule()
    ) {
        self.rule = rule
        self.scalesByStaleness = scalesByStaleness
        self.saving = saving
        ledger.updates = done.total
        ledger.appliedBatches = done
        embeddingStep = ledger.updates
        switch rule {
        case .lead(let backup): lead = LeadSteps(nextStep: ledger.updates, backup: backup)
        case .holding: holding = HeldSteps(nextStep: ledger.updates)
        case .bounded(let staleness): gate = StalenessGate(staleness: staleness)
        case .asynchronous, .embeddings: break
        }
    }

    /// Steps whose updates the values have.
    package var steps: Int {
        if case .embeddings = rule { embeddingStep } else { ledger.updates }
    }

    /// What the lead shard has closed, for the coordinator; nil of other shards.
    package var closing: LeadReport? {
        lead.map { LeadReport(steps: $0.nextStep, members: $0.closed, absent: $0.absent) }
    }

    /// Batches in the values that a checkpoint of `step` holds.
    package func appliedBatches(atStep step: Int) -> RangeSet<Int> {
        switch rule {
        case .asynchronous, .bounded: ledger.appliedBatches
        case .lead, .holding: RangeSet(0..<steps)
        // It may have parts of the next step.
        case .embeddings: RangeSet(0..<max(step, 0))
        }
    }

    /// Numbers of the workers that a request waits for.
    package func awaited(by token: Int) -> [Int] {
        lead?.awaited(roster) ?? gate?.awaited(by: token) ?? []
    }

    // MARK: Events

    /// The next action of a request.
    ///
    /// - Parameter token: the caller's name for it.
    package mutating func handle(_ request: ExchangeRequest, of worker: WorkerIdentity, token: Int) -> [Action] {
        if roster.hasDeparted(worker) { return refuseDeparted(request, worker, token) }
        switch request {
        case .attach: return [.answer(token: token, .applied)]
        case .pull(let pauses, let clock): return pull(worker, pauses: pauses, clock: clock, token)
        case .push(let push): return self.push(push, worker, token)
        case .close(let closed): return close(closed, worker, token)
        case .await(let step): return wait(worker, step: step, token)
        case .pause(let pauses):
            gate?.pause(worker, pauses: pauses)
            return [.answer(token: token, .applied)] + release()
        }
    }

    /// The shard acts on a newer view. Nothing more is taken from a worker that is not in it.
    package mutating func act(on view: ClusterView) -> [Action] {
        guard let departed = roster.act(on: view) else { return [] }
        var actions: [Action] = []
        for worker in departed {
            ledger.forget(worker)
            if let token = gate?.remove(worker) {
                actions.append(.answer(token: token, .refused(Self.isDeparted(worker))))
            }
        }
        actions += release()
        if let events = lead?.act(roster) { actions += perform(events) }
        if view.phase == .saving {
            // Whoever was to bring this may have died.
            if let closed = view.closed, case .success(let closing) = apply(closed) { actions += closing }
            if let step = saving.end(view.checkpointStep) { actions.append(.save(step: step)) }
        }
        return actions
    }

    private static func isDeparted(_ worker: WorkerIdentity) -> String {
        "worker \(worker.worker) was declared dead or has left; start a new worker"
    }

    private mutating func refuseDeparted(
        _ request: ExchangeRequest, _ worker: WorkerIdentity, _ token: Int
    ) -> [Action] {
        if case .push(let push) = request, push.examples > 0, push.step > ledger.lastStep(worker) {
            ledger.drop(worker, step: push.step, .dead)
        }
        return [.answer(token: token, .refused(Self.isDeparted(worker)))]
    }

    private mutating func pull(_ worker: WorkerIdentity, pauses: Int, clock: Int?, _ token: Int) -> [Action] {
        if let events = lead?.pull(worker, token: token) { return perform(events) }
        ledger.sawValues(worker)
        guard gate != nil else { return [.answer(token: token, values)] }
        let now = gate?.begin(worker, pauses: pauses, clock: clock) ?? 0
        return [.answer(token: token, .values(.clock(now, updates: ledger.updates)))]
    }

    /// An answer with the values.
    private var values: ExchangeReply {
        .values(lead.map { .open($0.open) } ?? .updates(holding?.nextStep ?? steps))
    }

    private mutating func push(_ push: GradientPush, _ worker: WorkerIdentity, _ token: Int) -> [Action] {
        switch (rule, push.basis) {
        case (.asynchronous, .updates(let updates)):
            ledger.sawValues(worker, updates: updates)
            return pushAlone(push, worker, token)
        case (.bounded, .clock(let clock)): return pushAlone(push, worker, token, clock: clock)
        case (.lead(let backup), .view(let view)):
            return pushToLead(push, worker, token, view: view, mayBeLate: backup > 0)
        case (.holding, .view): return hold(push, worker, token)
        case (.embeddings(let batch), .view): return pushPart(push, worker, token, of: batch)
        default:
            let sentence = "worker \(worker.worker) pushes as in a job of another consistency; restart the worker"
            return [.answer(token: token, .refused(sentence))]
        }
    }

    /// A worker whose push was told to wait asks for its answer.
    private mutating func wait(_ worker: WorkerIdentity, step: Int, _ token: Int) -> [Action] {
        if let lead {
            if step == lead.nextStep, let old = lead.token(of: worker) { return [.renew(token: old, by: token)] }
            return perform(self.lead?.await(worker, step: step, token: token) ?? [])
        }
        if let old = step == ledger.lastStep(worker) ? gate?.renew(worker, token: token) : nil {
            return [.drop(token: old)]
        }
        guard step <= ledger.lastStep(worker) else {
            return [.answer(token: token, .refused("the gradient of step \(step) is not here; restart the worker"))]
        }
        ledger.sawValues(worker)
        return [.answer(token: token, values)]
    }

    // MARK: At its own pace

    private func weight(_ worker: WorkerIdentity) -> Double {
        scalesByStaleness ? 1 / Double(max(ledger.staleness(worker), 1)) : 1
    }

    private mutating func pushAlone(
        _ push: GradientPush, _ worker: WorkerIdentity, _ token: Int, clock: Int? = nil
    ) -> [Action] {
        var actions: [Action] = []
        switch ledger.admit(worker, step: push.step, batch: push.batch) {
        case .stale(let reason): return [.answer(token: token, .refused(reason))]
        case .new:
            let parts = push.isVoid ? [] : [Update.Part(token: token, weight: weight(worker))]
            actions = [.apply(Update(step: push.step, batch: push.batch, parts: parts))]
            ledger.applied(
                step: push.step, batch: push.batch, examples: push.examples, by: [worker], isVoid: push.isVoid)
            if let step = saving.due(after: ledger.updates) { actions.append(.save(step: step)) }
            if let clock { gate?.pushed(worker, clock: clock) }
        case .repeated: if let clock { gate?.pushed(worker, clock: clock) }
        case .duplicate: break
        }
        if !push.wantsValues { return actions + [.answer(token: token, .applied)] + release() }
        guard let clock else {
            ledger.sawValues(worker)
            return actions + [.answer(token: token, values)]
        }
        if let old = gate?.wait(worker, token: token, clock: clock) { actions.append(.drop(token: old)) }
        return actions + release()
    }

    /// Answers the requests that need not wait any longer.
    private mutating func release() -> [Action] {
        (gate?.release() ?? []).map { worker, token in
            ledger.sawValues(worker)
            return .answer(token: token, values)
        }
    }

    // MARK: Together

    private mutating func pushToLead(
        _ push: GradientPush, _ worker: WorkerIdentity, _ token: Int, view: UInt64, mayBeLate: Bool
    ) -> [Action] {
        guard let open = lead?.open else { return [] }
        if push.step < open.step {
            let last = ledger.lastStep(worker)
            guard push.step >= last || push.examples == 0 else {
                let sentence = "worker \(worker.worker) pushes step \(push.step), but has pushed step \(last)"
                return [.answer(token: token, .refused(sentence))]
            }
            // Its answer was lost; or, with backup workers, the step was closed without it.
            if mayBeLate, push.examples > 0, push.step > last {
                ledger.drop(worker, step: push.step, .late)
            }
            let isLate = ledger.isDropped(worker, step: push.step)
            ledger.sawValues(worker)
            return [.answer(token: token, isLate ? .late(open) : values)]
        }
        if push.isVoid { voids.insert(token) }
        let part = LeadSteps.Push(worker: worker, token: token, examples: push.examples)
        return perform(lead?.push(part, step: push.step, view: view, roster) ?? [])
    }

    private mutating func perform(_ events: [LeadSteps.Event]) -> [Action] {
        events.flatMap { (event) -> [Action] in
            switch event {
            case .drop(let token): return drop(token)
            case .refuse(let token, let reason): return refuse(token, reason)
            case .answer(let tokens): return tokens.map { .answer(token: $0, values) }
            case .close(let step, let pushes, let tokens):
                return close(step, pushes.map { ($0.worker, $0.token, $0.examples) })
                    + tokens.map { .answer(token: $0, values) }
            }
        }
    }

    private mutating func drop(_ token: Int) -> [Action] {
        voids.remove(token)
        return [.drop(token: token)]
    }

    private mutating func refuse(_ token: Int, _ reason: String) -> [Action] {
        voids.remove(token)
        return [.answer(token: token, .refused(reason))]
    }

    /// Applies the parts of a synchronous step, each by its share of the examples, and saves what is due.
    private mutating func close(
        _ step: Int, _ parts: [(worker: WorkerIdentity, token: Int, examples: Int)]
    ) -> [Action] {
        let total = parts.reduce(0) { $0 + $1.examples }
        // One part that is not finite leaves nothing of the mean.
        let isVoid = parts.contains { voids.contains($0.token) }
        voids.subtract(parts.map(\.token))
        let weighted = parts.map { Update.Part(token: $0.token, weight: Double($0.examples) / Double(max(total, 1))) }
        // All of them are computed from the values of this step.
        for part in parts { ledger.sawValues(part.worker) }
        ledger.applied(step: step, batch: step, examples: total, by: parts.map(\.worker), isVoid: isVoid)
        let save = saving.due(after: step + 1).map { [Action.save(step: $0)] } ?? []
        return [.apply(Update(step: step, batch: step, parts: isVoid ? [] : weighted))] + save
    }

    private mutating func hold(_ push: GradientPush, _ worker: WorkerIdentity, _ token: Int) -> [Action] {
        do throws(ExchangeRefusal) {
            let part = HeldSteps.Held(token: token, examples: push.examples)
            guard try holding?.hold(part, of: worker, step: push.step) == true else {
                return [.answer(token: token, .held), .drop(token: token)]
            }
            if push.isVoid { voids.insert(token) }
            return [.answer(token: token, .held)]
        } catch { return [.answer(token: token, .refused(error.reason))] }
    }

    private mutating func close(_ closed: ClosedStep, _ worker: WorkerIdentity, _ token: Int) -> [Action] {
        switch apply(closed) {
        case .success(let actions):
            ledger.sawValues(worker)
            return actions + [.answer(token: token, values)]
        case .failure(let refusal): return [.answer(token: token, .refused(refusal.reason))]
        }
    }

    /// Applies what is held of a step that the lead shard has closed, and drops the rest. Nothing is to be done for a step
    /// that is closed here already.
    private mutating func apply(_ closed: ClosedStep) -> Result<[Action], ExchangeRefusal> {
        do throws(ExchangeRefusal) {
            guard let (members, all) = try holding?.close(closed) else { return .success([]) }
            var actions = close(closed.step, members.map { ($0.worker, $0.push.token, $0.push.examples) })
            let inside = Set(members.map(\.worker))
            for (worker, push) in all.sorted(by: { $0.value.token < $1.value.token }) {
                if !inside.contains(worker), push.examples > 0 {
                    ledger.drop(worker, step: closed.step, roster.hasDeparted(worker) ? .dead : .late)
                }
                actions += drop(push.token)
            }
            return .success(actions)
        } catch { return .failure(error) }
    }

    // MARK: Embedding tables of a synchronous job

    /// More steps than a table can be ahead of what it knows.
    private static let mostAhead = 1 << 20

    private mutating func pushPart(
        _ push: GradientPush, _ worker: WorkerIdentity, _ token: Int, of batch: Int
    ) -> [Action] {
        guard push.step - embeddingStep <= Self.mostAhead else {
            let sentence =
                "worker \(worker.worker) pushes step \(push.step), but this table has \(embeddingStep) steps"
            return [.answer(token: token, .refused(sentence))]
        }
        var actions: [Action] = []
        switch ledger.admit(worker, step: push.step) {
        case .stale(let reason): return [.answer(token: token, .refused(reason))]
        case .new where push.examples > 0:
            // A table's step is over when the next has begun.
            if let step = saving.due(before: push.step) { actions.append(.save(step: step)) }
            let share = Double(push.examples) / Double(max(batch, 1))
            let parts = push.isVoid ? [] : [Update.Part(token: token, weight: share * weight(worker))]
            actions.append(.apply(Update(step: push.step, batch: push.batch, parts: parts)))
            ledger.applied(
                step: push.step, batch: push.batch, examples: push.examples, by: [worker], isVoid: push.isVoid)
            embeddingStep = max(embeddingStep, push.step + 1)
        case .new, .repeated, .duplicate: break
        }
        ledger.sawValues(worker)
        return actions + [.answer(token: token, values)]
    }
}

/// What the lead shard of a synchronous job reports to the coordinator.
package struct LeadReport: Equatable, Sendable {
    /// Steps that are closed, those of a checkpoint included.
    package var steps: Int
    /// The workers whose gradients are in the last of them.
    package var members: [WorkerIdentity]
    /// Parts that those steps lack.
    package var absent: [AbsentPart]

    package init(steps: Int, members: [WorkerIdentity] = [], absent: [AbsentPart] = []) {
        self.steps = steps
        self.members = members
        self.absent = absent
    }
}
