/// All that one bundle of Variables decides: which pushes are applied, together with which others and when, and when each
/// request is answered. Events in, actions out: no socket, no clock, no bytes.
///
/// A request is known by a token of the caller's, who keeps it, with its bytes, until an action answers it, refuses it or
/// lets it go.
package struct BundleState: Sendable {
    package enum Rule: Equatable, Sendable {
        case asynchronous
        /// Asynchronous, but replies wait for workers that are so many steps behind.
        case bounded(staleness: Int)
        case synchronous(backup: Int)
        /// Of a table in a synchronous job: each worker's part of a batch, which has so many examples, is applied when it
        /// comes.
        case table(batch: Int)

        /// Whether its workers train the same steps.
        package var isSynchronous: Bool {
            switch self {
            case .asynchronous, .bounded: false
            case .synchronous, .table: true
            }
        }
    }

    package struct Push: Equatable, Sendable {
        package var holder: WorkerIdentity
        package var step: Int
        package var batch: Int
        package var examples: Int
        /// The view that divides a synchronous step (0: the worker has no part in it); the worker's clock under bounded
        /// staleness; in an asynchronous job the updates in the values that the gradient was computed from.
        package var clock: UInt64
        package var wantsValues: Bool
        /// Its gradients are not finite: the update that they are a part of is left out.
        package var isVoid: Bool
        package var token: Int

        package init(
            holder: WorkerIdentity, step: Int, batch: Int, examples: Int, clock: UInt64 = 0, wantsValues: Bool = true,
            isVoid: Bool = false, token: Int
        ) {
            self.holder = holder
            self.step = step
            self.batch = batch
            self.examples = examples
            self.clock = clock
            self.wantsValues = wantsValues
            self.isVoid = isVoid
            self.token = token
        }
    }

    /// Gradients that are one update: added up in this order, each times its weight.
    package struct Update: Equatable, Sendable {
        package var step: Int
        package var batch: Int
        package var parts: [(token: Int, weight: Double)]

        package init(step: Int, batch: Int, parts: [(token: Int, weight: Double)]) {
            self.step = step
            self.batch = batch
            self.parts = parts
        }

        package static func == (a: Update, b: Update) -> Bool {
            a.step == b.step && a.batch == b.batch && a.parts.elementsEqual(b.parts, by: ==)
        }
    }

    package struct Reply: Equatable, Sendable {
        package enum Kind: Sendable {
            case values
            /// Values; the gradient came too late for its step and is dropped.
            case late
            /// Done, without values.
            case done
        }

        package var kind: Kind
        /// The step that is open, where steps are synchronous; else the updates that the values have.
        package var step: Int
        /// The view that divides that step; the worker's clock under bounded staleness.
        package var clock: UInt64

        package init(kind: Kind, step: Int, clock: UInt64) {
            self.kind = kind
            self.step = step
            self.clock = clock
        }
    }

    package enum Action: Equatable, Sendable {
        case apply(Update)
        case answer(token: Int, Reply)
        case refuse(token: Int, String)
        /// The request with the second token is answered in place of that with the first, which keeps its bytes.
        case renew(token: Int, by: Int)
        /// A newer request has taken its place.
        case letGo(token: Int)
    }

    /// More steps than a table, or a checkpoint, can be ahead of what a bundle knows.
    package static let mostAhead = 1 << 20

    package let rule: Rule
    /// Whether a gradient is divided by its staleness.
    package let scalesByStaleness: Bool
    package private(set) var ledger = PushLedger()
    private var barrier: SynchronousBarrier?
    private var gate: ClockGate?
    private var members: Set<WorkerIdentity> = []
    /// The step after the last that a table has a part of.
    private var tableStep = 0
    private var table = TableParts()
    /// Tokens of pushes of the open step, or later ones, whose gradients are not finite.
    private var voids: Set<Int> = []

    /// - Parameter done: batches that the values of a checkpoint hold.
    package init(_ rule: Rule, scalesByStaleness: Bool = false, done: RangeSet<Int> = RangeSet()) {
        self.rule = rule
        self.scalesByStaleness = scalesByStaleness
        ledger.updates = done.total
        ledger.appliedBatches = done
        tableStep = ledger.updates
        table = TableParts(settled: done)
        switch rule {
        case .synchronous(let backup): barrier = SynchronousBarrier(nextStep: ledger.updates, backup: backup)
        case .bounded(let staleness): gate = ClockGate(staleness: staleness)
        case .asynchronous, .table: break
        }
    }

    /// What the configuration asks for.
    ///
    /// - Parameter isTable: the bundle's Variables are updated by rows.
    init(_ config: JobConfig, isTable: Bool, done: RangeSet<Int> = RangeSet()) {
        let rule: Rule
        switch config.cluster.consistency {
        case .asynchronous: rule = .asynchronous
        case .bounded(let staleness): rule = .bounded(staleness: staleness)
        case .synchronous(_, true) where isTable: rule = .table(batch: config.train.batch)
        case .synchronous(let backup, _): rule = .synchronous(backup: backup)
        }
        self.init(rule, scalesByStaleness: config.train.stalenessScaling, done: done)
    }

    /// Steps whose updates the values have.
    package var steps: Int {
        if case .table = rule { tableStep } else { ledger.updates }
    }

    /// Batches that the bundle has, of which others are thereby told; nil for a table, which takes parts of steps as they
    /// come, and may lack those of the dead.
    package var wholeBatches: RangeSet<Int>? {
        if case .table = rule { nil } else { ledger.appliedBatches }
    }

    /// Parts of synchronous steps that it will never have.
    package var missed: [MissedPart] { barrier?.missed ?? table.missed }

    /// Parts of the steps before this that a table has not got yet.
    package func absent(before step: Int) -> [MissedPart] {
        if case .table = rule { table.absent(before: step) } else { [] }
    }

    /// Steps of which a table has every part, or counts it among `missed`; nil for other bundles, of which `wholeBatches` says
    /// that.
    package var settledSteps: RangeSet<Int>? { if case .table = rule { table.settled } else { nil } }

    /// Batches in the values that a checkpoint of `step` holds.
    package func appliedBatches(atStep step: Int) -> RangeSet<Int> {
        switch rule {
        case .asynchronous, .bounded: ledger.appliedBatches
        case .synchronous: ledger.appliedBatches.intersection(RangeSet(0..<max(step, 0)))
        // It may lack parts of its steps, which are told one by one.
        case .table: RangeSet(0..<max(step, 0))
        }
    }

    private func values(clock: UInt64 = 0) -> Reply {
        Reply(kind: .values, step: barrier?.nextStep ?? ledger.updates, clock: barrier?.stepView ?? clock)
    }

    /// Numbers of those that a request waits for.
    package func awaited(by token: Int) -> [Int] { barrier?.awaited ?? gate?.awaited(by: token) ?? [] }

    // MARK: Events

    /// A worker asks for the values.
    ///
    /// - Parameters:
    ///   - pauses: how often it has paused.
    ///   - from: what the arbiter has told it, nil if this bundle is the arbiter: the open step, which is waited for here,
    ///     where steps are synchronous; its clock under bounded staleness.
    package mutating func pull(
        _ holder: WorkerIdentity, pauses: UInt64 = 0, from: Int? = nil, token: Int
    ) -> [Action] {
        if let from, barrier != nil {
            return translate(
                barrier?.pull(worker: holder.worker, incarnation: holder.incarnation, step: from, token: token) ?? [])
        }
        ledger.sawValues(holder)
        let clock = ledger.isFenced(holder) ? nil : gate?.begin(holder, pauses: pauses, clock: from)
        return [.answer(token: token, values(clock: UInt64(clock ?? 0)))]
    }

    /// A worker pushes gradients, or, with 0 examples in a synchronous job, waits for the end of the step.
    package mutating func push(_ push: Push) -> [Action] {
        switch rule {
        case .asynchronous, .bounded: pushAlone(push)
        case .synchronous(let backup): pushTogether(push, mayBeLate: backup > 0)
        case .table(let batch): pushPart(push, of: batch)
        }
    }

    /// A worker whose push was told to wait asks for its answer.
    ///
    /// - Parameter examples: of that push.
    package mutating func wait(_ holder: WorkerIdentity, step: Int, examples: Int, token: Int) -> [Action] {
        if ledger.isFenced(holder) {
            return [.refuse(token: token, "worker \(holder.worker) was declared dead; it has to join anew")]
        }
        if let old = barrier?.waiting(holder, step: step) { return [.renew(token: old, by: token)] }
        let last = ledger.lastStep(holder)
        if step == last, let old = gate?.renew(holder, token: token) { return [.letGo(token: old)] }
        guard step <= last || step < barrier?.nextStep ?? 0 || examples == 0 else {
            return [.refuse(token: token, "the gradient of step \(step) is not here; restart the worker")]
        }
        ledger.sawValues(holder)
        return [.answer(token: token, values())]
    }

    /// A worker has no batches for now: nobody is to wait for it.
    ///
    /// - Parameter pauses: how often it has paused, this time included.
    package mutating func pause(_ holder: WorkerIdentity, pauses: UInt64, token: Int) -> [Action] {
        gate?.pause(holder, pauses: pauses)
        let reply = Reply(kind: .done, step: ledger.updates, clock: 0)
        return [.answer(token: token, reply)] + release()
    }

    /// Who takes part has changed. Whoever was in the last view and is not in this one is dead or has left: nothing more is
    /// taken from it.
    package mutating func act(on view: ClusterView) -> [Action] {
        let present = Set(view.present)
        var actions: [Action] = []
        for gone in members.subtracting(present).sorted(by: { $0.worker < $1.worker }) {
            ledger.fence(gone)
            if let token = gate?.remove(gone) {
                actions.append(.refuse(token: token, "worker \(gone.worker) was declared dead; it has to join anew"))
            }
        }
        members = present
        if case .table = rule { table.act(on: view) }
        actions += release()
        let ranks = view.workers.map { (worker: $0.number, incarnation: $0.incarnation, rank: $0.rank) }
        return actions
            + translate(barrier?.setMembers(ranks, leaving: Set(view.leaving), view: view.number) ?? [])
    }

    // MARK: At its own pace

    /// Far from where a sum would overflow.
    private static func clock(_ push: Push) -> Int { Int(min(push.clock, 1 << 53)) }

    private func weight(_ holder: WorkerIdentity) -> Double {
        scalesByStaleness ? 1 / Double(max(ledger.staleness(holder), 1)) : 1
    }

    private mutating func pushAlone(_ push: Push) -> [Action] {
        var actions: [Action] = []
        if gate == nil { ledger.sawValues(push.holder, updates: Self.clock(push)) }
        switch ledger.admit(push.holder, step: push.step, batch: push.batch) {
        case .stale(let reason): return [.refuse(token: push.token, reason)]
        case .new:
            let parts = push.isVoid ? [] : [(token: push.token, weight: weight(push.holder))]
            actions = [.apply(Update(step: push.step, batch: push.batch, parts: parts))]
            ledger.applied(
                step: push.step, batch: push.batch, examples: push.examples, by: [push.holder], isVoid: push.isVoid)
            gate?.pushed(push.holder, clock: Self.clock(push))
        case .repeated: gate?.pushed(push.holder, clock: Self.clock(push))
        case .duplicate: break
        }
        if !push.wantsValues {
            return actions + [.answer(token: push.token, Reply(kind: .done, step: ledger.updates, clock: 0))]
                + release()
        }
        guard gate != nil else {
            ledger.sawValues(push.holder)
            return actions + [.answer(token: push.token, values())]
        }
        if let old = gate?.wait(push.holder, token: push.token, clock: Self.clock(push)) {
            actions.append(.letGo(token: old))
        }
        return actions + release()
    }

    /// Answers those that need not wait any longer.
    private mutating func release() -> [Action] {
        (gate?.release() ?? []).map { holder, token in
            ledger.sawValues(holder)
            return .answer(token: token, values())
        }
    }

    // MARK: Together

    private mutating func pushTogether(_ push: Push, mayBeLate: Bool) -> [Action] {
        if mayBeLate, push.step < barrier?.nextStep ?? 0, push.examples > 0, !ledger.isFenced(push.holder) {
            let last = ledger.lastStep(push.holder)
            if push.step < last {
                let sentence = "worker \(push.holder.worker) pushes step \(push.step), but has pushed step \(last)"
                return [.refuse(token: push.token, sentence)]
            }
            return [.answer(token: push.token, late(push))]
        }
        if ledger.isFenced(push.holder), push.examples > 0, push.step > ledger.lastStep(push.holder) {
            ledger.drop(push.holder, step: push.step, .dead)
        }
        if push.isVoid { voids.insert(push.token) }
        let isBehind = push.step < barrier?.nextStep ?? 0 && push.step > ledger.lastStep(push.holder)
        let actions =
            barrier?.push(
                worker: push.holder.worker, incarnation: push.holder.incarnation, step: push.step,
                examples: push.examples, token: push.token, view: push.clock) ?? []
        if isBehind, push.examples > 0, actions == [.answerCurrent(token: push.token)] {
            barrier?.isDoneAgain(push.step, view: push.clock)
        }
        return translate(actions)
    }

    /// The reply to a gradient whose step is closed: without it, or with it, if this is a repeat.
    private mutating func late(_ push: Push) -> Reply {
        var reply = values()
        if push.step > ledger.lastStep(push.holder) { ledger.drop(push.holder, step: push.step, .late) }
        if ledger.isDropped(push.holder, step: push.step) { reply.kind = .late }
        ledger.sawValues(push.holder)
        return reply
    }

    private mutating func translate(_ actions: [SynchronousBarrier.Action]) -> [Action] {
        var result: [Action] = []
        for action in actions {
            switch action {
            case .park: break
            case .replaceParked(let old):
                voids.remove(old)
                result.append(.letGo(token: old))
            case .refuse(let token, let reason):
                voids.remove(token)
                result.append(.refuse(token: token, reason))
            case .answerCurrent(let token):
                voids.remove(token)
                result.append(.answer(token: token, values()))
            case .close(let step, let contributions, let view):
                let carrying = contributions.filter { $0.weight > 0 }
                let holders = carrying.map { WorkerIdentity(worker: $0.worker, incarnation: $0.incarnation) }
                // One part that is not finite leaves nothing of the mean.
                let isVoid = carrying.contains { voids.contains($0.token) }
                voids.subtract(contributions.map(\.token))
                // A step may close with nothing: who had the examples has died.
                let parts = isVoid ? [] : carrying.map { (token: $0.token, weight: $0.weight) }
                result.append(.apply(Update(step: step, batch: step, parts: parts)))
                ledger.applied(
                    step: step, batch: step, examples: contributions.reduce(0) { $0 + $1.examples }, by: holders,
                    isVoid: isVoid)
                for contribution in contributions {
                    ledger.sawValues(
                        WorkerIdentity(worker: contribution.worker, incarnation: contribution.incarnation))
                    result.append(
                        .answer(token: contribution.token, Reply(kind: .values, step: step + 1, clock: view)))
                }
            }
        }
        return result
    }

    // MARK: Tables of a synchronous job

    private mutating func pushPart(_ push: Push, of batch: Int) -> [Action] {
        guard push.step - tableStep <= Self.mostAhead else {
            let sentence =
                "worker \(push.holder.worker) pushes step \(push.step), but this table has \(tableStep) steps"
            return [.refuse(token: push.token, sentence)]
        }
        switch ledger.admit(push.holder, step: push.step) {
        case .stale(let reason): return [.refuse(token: push.token, reason)]
        case .repeated, .duplicate: break
        case .new where push.examples == 0:
            if push.clock > 0 { table.add(push.holder, step: push.step, view: push.clock) }
        case .new:
            table.add(push.holder, step: push.step, view: push.clock)
            let share = Double(push.examples) / Double(max(batch, 1))
            let parts = push.isVoid ? [] : [(token: push.token, weight: share * weight(push.holder))]
            ledger.applied(
                step: push.step, batch: push.batch, examples: push.examples, by: [push.holder], isVoid: push.isVoid)
            tableStep = max(tableStep, push.step + 1)
            ledger.sawValues(push.holder)
            return [
                .apply(Update(step: push.step, batch: push.batch, parts: parts)), .answer(token: push.token, values()),
            ]
        }
        ledger.sawValues(push.holder)
        return [.answer(token: push.token, values())]
    }
}
