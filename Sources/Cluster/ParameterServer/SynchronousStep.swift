/// When a synchronous step of one bundle closes, and with whose gradients.
///
/// A step closes when every living member of its view has pushed it. Deaths take effect at once; joins and new ranks do
/// at the step for which pushes name the view. The reply to a closed step names the view of the next: one bundle, the
/// arbiter, decides it for all, workers name it in their pushes, and so every bundle divides a step alike. That takes a
/// coordinator that publishes a view only once all servers act on the one before.
///
/// A push that already arrived is used even if its worker dies. A worker that is not in the step's view may wait for
/// its end with a push of 0 examples that names no view.
package struct SynchronousBarrier: Sendable {
    package struct Contribution: Equatable, Sendable {
        /// The handle of the parked message, which is to be answered with the new values.
        package var token: Int
        /// Its examples over those of all; 0 means that it carries no gradient.
        package var weight: Double
        package var rank: Int
        package var worker: Int
        package var incarnation: UInt64

        package init(token: Int, weight: Double, rank: Int, worker: Int, incarnation: UInt64) {
            self.token = token
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
        /// A repeat of the step closed last: answer with the current values and `stepView`.
        case answerCurrent(token: Int)
        case refuse(token: Int, String)
    }

    private struct Parked {
        var token: Int
        var examples: Int
    }

    /// The step that is open.
    package private(set) var nextStep: Int
    /// The view that divides the open step; 0 before the first.
    package private(set) var stepView: UInt64 = 0
    /// The newest view known; 0 before the first.
    package private(set) var view: UInt64 = 0

    private var ranks: [UInt64: [WorkerIdentity: Int]] = [:]
    private var former: Set<WorkerIdentity> = []
    private var parked: [WorkerIdentity: Parked] = [:]
    /// A push of the open step has named `stepView`.
    private var isViewNamed = false

    package init(nextStep: Int) { self.nextStep = nextStep }

    /// Numbers of the living members of the step's view whose push is still awaited.
    package var awaited: [Int] {
        living.filter { parked[$0] == nil }.map(\.worker).sorted()
    }

    private var stepRanks: [WorkerIdentity: Int] { ranks[stepView] ?? [:] }

    private var living: [WorkerIdentity] { stepRanks.keys.filter { !former.contains($0) } }

    // MARK: Events

    /// Takes a newer view; older ones change nothing.
    package mutating func setMembers(
        _ ranks: [(worker: Int, incarnation: UInt64, rank: Int)], view: UInt64
    ) -> [Action] {
        guard view > self.view else { return [] }
        var members: [WorkerIdentity: Int] = [:]
        for member in ranks {
            members[WorkerIdentity(worker: member.worker, incarnation: member.incarnation)] = member.rank
        }
        for older in self.ranks.values { former.formUnion(older.keys) }
        former.subtract(members.keys)
        self.ranks[view] = members
        self.view = view
        // The first view is for the open step, as is the one that comes after pushes have named it. One that was
        // skipped is taken for the next that is known.
        if stepView == 0 || (self.ranks[stepView] == nil && stepView < view) { stepView = view }
        var actions: [Action] = []
        for (holder, push) in parked.sorted(by: { $0.value.token < $1.value.token }) {
            guard let reason = outsiderRefusal(holder, examples: push.examples) else { continue }
            parked[holder] = nil
            actions.append(.refuse(token: push.token, reason))
        }
        return actions + closeIfComplete()
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
        if step < nextStep - 1, examples == 0, named == nil, !former.contains(holder) {
            // A newcomer for whom nobody waited.
            return [.answerCurrent(token: token)]
        }
        if let reason = refusal(holder, step: step, examples: examples) { return [.refuse(token: token, reason)] }
        if step == nextStep - 1 { return [.answerCurrent(token: token)] }
        if let named, named != 0 {
            // A view that was skipped is taken for the next that is known.
            let divided = ranks.keys.filter { $0 >= named }.min() ?? named
            guard divided == stepView || !isViewNamed else {
                let sentence =
                    "worker \(worker) divided step \(step) by view \(named), others by view \(stepView); "
                    + "restart the worker"
                return [.refuse(token: token, sentence)]
            }
            stepView = divided
        }
        if let reason = outsiderRefusal(holder, examples: examples) { return [.refuse(token: token, reason)] }
        if let named, named != 0 { isViewNamed = true }
        let old = parked.updateValue(Parked(token: token, examples: examples), forKey: holder)
        var actions: [Action] = [.park]
        if let old, old.token != token { actions = [.replaceParked(oldToken: old.token)] }
        return actions + closeIfComplete()
    }

    /// Forgets a parked push whose bytes are lost; its worker, if it lives, is awaited anew.
    package mutating func drop(_ token: Int) {
        parked = parked.filter { $0.value.token != token }
    }

    // MARK: Decisions

    private func refusal(_ holder: WorkerIdentity, step: Int, examples: Int) -> String? {
        let name = "worker \(holder.worker)"
        if former.contains(holder) {
            return "\(name) was declared dead, its step \(step) is refused; start a new worker"
        }
        if examples < 0 { return "\(name) pushes step \(step) with \(examples) examples; there can't be fewer than 0" }
        if step > nextStep {
            return "\(name) pushes step \(step), but step \(nextStep) is the next; restart the worker"
        }
        if step < nextStep - 1 || step < 0 {
            return "\(name) pushes step \(step), but step \(nextStep) is the next and older ones are closed"
        }
        return nil
    }

    /// Why a gradient can't be taken of one who is known not to be in the step's view.
    private func outsiderRefusal(_ holder: WorkerIdentity, examples: Int) -> String? {
        guard examples > 0, let members = ranks[stepView], members[holder] == nil, ranks[view]?[holder] != nil else {
            return nil
        }
        return "worker \(holder.worker) pushes a part of step \(nextStep), which view \(stepView) divides without it; "
            + "push 0 examples to wait for the next"
    }

    private mutating func closeIfComplete() -> [Action] {
        // With all members dead and nothing of theirs here, the step is for those who came after them.
        if view > stepView, ranks[stepView] != nil, living.isEmpty,
            !parked.keys.contains(where: { stepRanks[$0] != nil })
        {
            stepView = view
            isViewNamed = false
        }
        let members = stepRanks
        guard !parked.isEmpty, living.allSatisfy({ parked[$0] != nil }),
            parked.keys.contains(where: { members[$0] != nil })
        else { return [] }

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
                        token: push.token, weight: weight, rank: rank, worker: holder.worker,
                        incarnation: holder.incarnation))
            }
        }
        contributions.sort { ($0.rank, $0.token) < ($1.rank, $1.token) }
        let step = nextStep
        // The arbiter's next view may be older than the newest known here, but not than the one just used.
        let used = stepView
        ranks = ranks.filter { $0.key >= used }
        nextStep += 1
        stepView = view
        isViewNamed = false
        parked = [:]
        return [.close(step: step, contributions: contributions, view: view)] + refusals
    }
}
