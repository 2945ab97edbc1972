/// When a synchronous step of one bundle closes, and with whose gradients.
///
/// A step closes when every living member of its view has pushed it, or, with `backup` workers, all but so many. Deaths
/// take effect at once; joins and new ranks do at the step for which pushes name the view. The reply to a closed step names
/// the view of the next: one bundle, the arbiter, decides it for all, workers name it in their pushes, and so every bundle
/// divides a step alike. That takes a coordinator that publishes a view only once all servers act on the one before.
///
/// A push that already arrived is used even if its worker dies. A worker that is not in the step's view waits at the
/// arbiter, with a push of 0 examples that names no view, for its end, or until it is in; then it gets the values of the
/// step that the arbiter has open from the other bundles. Who asks for a step that is not open here yet, from one who has
/// heard of it from a bundle that is ahead, waits until it is, and is not waited for before.
package struct SynchronousBarrier: Sendable {
    package struct Contribution: Equatable, Sendable {
        /// The handle of the parked message, which is to be answered with the new values.
        package var token: Int
        /// 0 means that it carries no gradient.
        package var examples: Int
        /// Its examples over those of all.
        package var weight: Double
        package var rank: Int
        package var worker: Int
        package var incarnation: UInt64

        package init(token: Int, examples: Int, weight: Double, rank: Int, worker: Int, incarnation: UInt64) {
            self.token = token
            self.examples = examples
            self.weight = weight
            self.rank = rank
            self.worker = worker
            self.incarnation = incarnation
        }
    }

    package enum Action: Equatable, Sendable {
        /// The push waits for the others.
        case park
        /// The push waits in place of the one with the old token, which is to be let go.
        case replaceParked(oldToken: Int)
        /// Apply the contributions, by rank, and answer all; nothing to apply where all weights are 0. `view` divides
        /// the next step.
        case close(step: Int, contributions: [Contribution], view: UInt64)
        /// Nothing to take: answer with the current values, `nextStep` and `stepView`.
        case answerCurrent(token: Int)
        case refuse(token: Int, String)
    }

    private struct Parked {
        var token: Int
        var examples: Int
        var named: UInt64?
    }

    /// Members of the open step's view whose gradients are not waited for.
    package let backup: Int
    /// The step that is open.
    package private(set) var nextStep: Int
    /// The view that divides the open step; 0 before the first.
    package private(set) var stepView: UInt64 = 0
    /// The newest view known; 0 before the first.
    package private(set) var view: UInt64 = 0
    /// Parts of closed steps that never came. With backup workers, who does without some anyway, they are not noted.
    package private(set) var missed: [MissedPart] = []

    /// Steps that a worker may be ahead of the open one.
    static let mostAhead = 64

    private var ranks: [UInt64: [WorkerIdentity: Int]] = [:]
    private var former: Set<WorkerIdentity> = []
    private var leaving: Set<WorkerIdentity> = []
    private var parked: [WorkerIdentity: Parked] = [:]
    /// Pushes of later steps, and wishes for their values.
    private var early: [WorkerIdentity: (step: Int, push: Parked, isPull: Bool)] = [:]
    /// A push of the open step has named `stepView`.
    private var isViewNamed = false
    private var lastNamed: UInt64 = 0
    /// Closed steps that are done again by a view that is not known here yet.
    private var doneAgain: [Int: UInt64] = [:]

    package init(nextStep: Int, backup: Int = 0) {
        self.nextStep = nextStep
        self.backup = backup
    }

    /// Numbers of the living who have a part of the step, or may have, and whose push is still awaited.
    package var awaited: [Int] {
        living.filter { !isPart(parked[$0]) && early[$0] == nil }.map(\.worker).sorted()
    }

    private var stepRanks: [WorkerIdentity: Int] { ranks[stepView] ?? [:] }

    private var living: [WorkerIdentity] {
        let members = Set(stepRanks.keys)
        // Until a push names the view that divides the step, it may be one by which leavers have a part of it.
        return (isViewNamed ? members : members.union(leaving)).filter { !former.contains($0) }
    }

    // MARK: Events

    /// Takes a newer view; older ones change nothing.
    ///
    /// - Parameter leaving: those who still take part in the steps that older views divide.
    package mutating func setMembers(
        _ ranks: [(worker: Int, incarnation: UInt64, rank: Int)], leaving: Set<WorkerIdentity> = [], view: UInt64
    ) -> [Action] {
        guard view > self.view else { return [] }
        var members: [WorkerIdentity: Int] = [:]
        for member in ranks {
            members[WorkerIdentity(worker: member.worker, incarnation: member.incarnation)] = member.rank
        }
        for older in self.ranks.values { former.formUnion(older.keys) }
        former.formUnion(self.leaving)
        former.subtract(members.keys)
        former.subtract(leaving)
        self.leaving = leaving
        self.ranks[view] = members
        self.view = view
        for (step, named) in doneAgain.sorted(by: { $0.key < $1.key }) where named <= view {
            doneAgain[step] = nil
            isDoneAgain(step, view: named)
        }
        // The first view is for the open step, as is the one that comes after pushes have named it. One that was
        // skipped is taken for the next that is known.
        if stepView == 0 || (self.ranks[stepView] == nil && stepView < view) { stepView = view }
        var actions: [Action] = []
        for (holder, entry) in early.sorted(by: { $0.value.push.token < $1.value.push.token })
        where former.contains(holder) {
            early[holder] = nil
            actions.append(.refuse(token: entry.push.token, Self.isDead(holder, entry.step)))
        }
        for (holder, push) in parked.sorted(by: { $0.value.token < $1.value.token }) {
            guard let reason = outsiderRefusal(holder, examples: push.examples) else { continue }
            parked[holder] = nil
            actions.append(.refuse(token: push.token, reason))
        }
        return actions + goOn()
    }

    /// Takes a push.
    ///
    /// - Parameters:
    ///   - examples: of the worker's part of the batch; 0 is allowed.
    ///   - token: the caller's handle of the message.
    ///   - named: the view by which the worker divided the step, as the arbiter's reply named it.
    package mutating func push(
        worker: Int, incarnation: UInt64, step: Int, examples: Int, token: Int, view named: UInt64? = nil
    ) -> [Action] {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        let named = named == 0 ? nil : named
        if let reason = refusal(holder, step: step, examples: examples, named: named) {
            return [.refuse(token: token, reason)]
        }
        if step < nextStep { return [.answerCurrent(token: token)] }
        let push = Parked(token: token, examples: examples, named: named)
        if step > nextStep {
            // An older step's late repeat must not take the place of a newer's.
            if let old = early[holder], old.step > step { return [.answerCurrent(token: token)] }
            let old = early.updateValue((step, push, false), forKey: holder)
            return Self.waits(token, inPlaceOf: old?.push.token) + goOn()
        }
        return take(push, holder) + goOn()
    }

    /// Notes that a step which is closed here is done again by others, for other bundles had nothing of it when all who took
    /// part in it had died. What those push is not taken.
    package mutating func isDoneAgain(_ step: Int, view: UInt64) {
        guard backup == 0 else { return }
        guard let members = ranks[view] else {
            if view > self.view { doneAgain[step] = view }
            return
        }
        let parts = MissedPart.missing(of: members, step: step, view: view) { _ in false }
        missed += parts.filter { !missed.contains($0) }
    }

    /// Takes a wish for the values of a step, or later ones.
    package mutating func pull(worker: Int, incarnation: UInt64, step: Int, token: Int) -> [Action] {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        if former.contains(holder) { return [.refuse(token: token, Self.isDead(holder, step))] }
        if let reason = leadRefusal(worker, step: step) { return [.refuse(token: token, reason)] }
        // A newer request than this has come.
        let isRepeat = early[holder].map { $0.step > step || !$0.isPull } ?? false
        if step <= nextStep || isRepeat { return [.answerCurrent(token: token)] }
        let wish = Parked(token: token, examples: 0, named: nil)
        let old = early.updateValue((step, wish, true), forKey: holder)
        return Self.waits(token, inPlaceOf: old?.push.token) + goOn()
    }

    /// The token under which this worker's push of a step waits.
    package func waiting(_ holder: WorkerIdentity, step: Int) -> Int? {
        if step == nextStep { return parked[holder]?.token }
        return early[holder].flatMap { $0.step == step ? $0.push.token : nil }
    }

    // MARK: Decisions

    /// Takes a push of the open step.
    private mutating func take(_ push: Parked, _ holder: WorkerIdentity) -> [Action] {
        if let named = push.named {
            // A view that was skipped is taken for the next that is known.
            let divided = ranks.keys.filter { $0 >= named }.min() ?? named
            guard divided == stepView || !isViewNamed else {
                let sentence =
                    "worker \(holder.worker) divided step \(nextStep) by view \(named), others by view \(stepView); "
                    + "restart the worker"
                return [.refuse(token: push.token, sentence)]
            }
            stepView = divided
        } else if isPart(parked[holder]) {
            // Sent while it waited for a view with it in it; it has pushed since.
            return [.answerCurrent(token: push.token)]
        }
        if let reason = outsiderRefusal(holder, examples: push.examples) {
            return [.refuse(token: push.token, reason)]
        }
        if push.named != nil {
            isViewNamed = true
            lastNamed = max(lastNamed, stepView)
        }
        let old = parked.updateValue(push, forKey: holder)
        return Self.waits(push.token, inPlaceOf: old?.token)
    }

    private static func waits(_ token: Int, inPlaceOf old: Int?) -> [Action] {
        if let old, old != token { [.replaceParked(oldToken: old)] } else { [.park] }
    }

    private static func isDead(_ holder: WorkerIdentity, _ step: Int) -> String {
        "worker \(holder.worker) was declared dead, its step \(step) is refused; start a new worker"
    }

    private func refusal(_ holder: WorkerIdentity, step: Int, examples: Int, named: UInt64?) -> String? {
        if former.contains(holder) { return Self.isDead(holder, step) }
        let name = "worker \(holder.worker)"
        if examples < 0 { return "\(name) pushes step \(step) with \(examples) examples; there can't be fewer than 0" }
        if examples > 0, named == nil {
            return "\(name) pushes a part of step \(step) and names no view that divides it; restart the worker"
        }
        if let reason = leadRefusal(holder.worker, step: step) { return reason }
        // A newcomer for whom nobody waited or a leaver for whom nobody waits, or, with backup workers, one who is late.
        let mayBeOld = examples == 0 && named == nil || leaving.contains(holder) || backup > 0
        if step < 0 || step < nextStep - 1 && !mayBeOld {
            return "\(name) pushes step \(step), but step \(nextStep) is the next and older ones are closed"
        }
        return nil
    }

    /// Why nobody can be at a step yet. The arbiter names a step when the one before is closed there, so that no bundle is
    /// more than a few behind; a damaged number is not to close all that come before it.
    private func leadRefusal(_ worker: Int, step: Int) -> String? {
        guard step - nextStep > Self.mostAhead else { return nil }
        return "worker \(worker) asks for step \(step), but step \(nextStep) is the next; restart the worker"
    }

    /// Why a gradient can't be taken of one who is known not to be in the step's view.
    private func outsiderRefusal(_ holder: WorkerIdentity, examples: Int) -> String? {
        guard examples > 0, let members = ranks[stepView], members[holder] == nil, ranks[view]?[holder] != nil else {
            return nil
        }
        return "worker \(holder.worker) pushes a part of step \(nextStep), which view \(stepView) divides without it; "
            + "push 0 examples to wait for the next"
    }

    /// A part of the step, as opposed to a wish to be told of the next.
    private func isPart(_ push: Parked?) -> Bool { push?.named != nil }

    /// Closes the open step if it can be, and then those for which enough has come early.
    private mutating func goOn() -> [Action] {
        var actions = tellMembers()
        while let closing = closeIfComplete() {
            actions += closing
            for (holder, entry) in early.sorted(by: { $0.value.push.token < $1.value.push.token })
            where entry.step <= nextStep {
                early[holder] = nil
                actions +=
                    entry.step < nextStep || entry.isPull
                    ? [.answerCurrent(token: entry.push.token)]
                    : take(entry.push, holder).filter { $0 != .park }
            }
            actions += tellMembers()
        }
        return actions
    }

    /// Tells those who wait for the end of a step that they are to take part in it.
    private mutating func tellMembers() -> [Action] {
        // With all members dead and nothing of theirs here, the step is for those who came after them.
        if view > stepView, ranks[stepView] != nil, stepRanks.keys.allSatisfy({ former.contains($0) }),
            !parked.contains(where: { isPart($0.value) && stepRanks[$0.key] != nil })
        {
            stepView = view
        }
        let told = parked.filter { !isPart($0.value) && stepRanks[$0.key] != nil }
        for holder in told.keys { parked[holder] = nil }
        return told.values.map(\.token).sorted().map { .answerCurrent(token: $0) }
    }

    private mutating func closeIfComplete() -> [Action]? {
        let members = stepRanks
        let living = living
        let arrived = living.count(where: { isPart(parked[$0]) })
        let passed = living.count(where: { parked[$0] == nil && early[$0] != nil })
        let isComplete = arrived + passed == living.count || arrived >= max(1, living.count - backup)
        let hasPart = parked.contains { isPart($0.value) && members[$0.key] != nil }
        guard isComplete, passed > 0 || hasPart else { return nil }

        let total = parked.reduce(0) { $0 + (members[$1.key] == nil ? 0 : $1.value.examples) }
        var contributions: [Contribution] = []
        var refusals: [Action] = []
        for (holder, push) in parked {
            let rank = members[holder] ?? members.count + (ranks[view]?[holder] ?? 0)
            let weight = total == 0 ? 0 : Double(push.examples) / Double(total)
            if members[holder] == nil, push.examples > 0 {
                let sentence = "worker \(holder.worker) pushed step \(nextStep) before the view that names it"
                refusals.append(.refuse(token: push.token, sentence))
            } else {
                contributions.append(
                    Contribution(
                        token: push.token, examples: push.examples, weight: weight, rank: rank,
                        worker: holder.worker, incarnation: holder.incarnation))
            }
        }
        contributions.sort { ($0.rank, $0.token) < ($1.rank, $1.token) }
        let step = nextStep
        if backup == 0 {
            missed += MissedPart.missing(of: members, step: step, view: stepView) { isPart(parked[$0]) }
        }
        // The arbiter's next view may be older than the newest known here, but not than one that it has named.
        let named = lastNamed
        ranks = ranks.filter { $0.key >= named }
        nextStep += 1
        stepView = view
        isViewNamed = false
        parked = [:]
        return [.close(step: step, contributions: contributions, view: view)] + refusals
    }
}
