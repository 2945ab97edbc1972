/// The synchronous steps of the lead shard, which alone decides whose gradients a step has.
///
/// A step closes when every living member of the view that divides it has pushed its part here, or, with backup workers,
/// all but so many. A worker pushes here last, when all other shards hold its parts: so its gradients are in a step
/// everywhere or nowhere. A push that has arrived counts even if its worker dies; a worker that dies before is not waited
/// for. The next step is divided by the newest view.
///
/// A worker that is not in that view waits for the step's end.
struct LeadSteps: Sendable {
    enum Event: Equatable {
        /// The step is closed with these pushes, by rank; `tokens` are all requests that this answers.
        case close(step: Int, pushes: [Push], tokens: [Int])
        /// These requests are to be answered with the values of the open step.
        case answer([Int])
        /// A newer request has taken the place of the one with this token.
        case drop(Int)
        case refuse(Int, String)
    }

    struct Push: Equatable, Sendable {
        var worker: WorkerIdentity
        var token: Int
        var examples: Int
    }

    /// Members whose gradients are not waited for.
    let backup: Int
    private(set) var nextStep: Int
    /// The workers whose gradients are in the step before.
    private(set) var closed: [WorkerIdentity] = []
    /// Parts that closed steps lack. With backup workers, who leave out some anyway, none is noted.
    private(set) var absent: [AbsentPart] = []
    /// Steps are closed as long as this is so.
    private var isOpen = true
    /// The view that divides the open step, and its workers by rank; 0 before the first view.
    private var division: (view: UInt64, members: [WorkerIdentity]) = (0, [])
    private var pushes: [WorkerIdentity: Push] = [:]
    /// Requests that wait for the end of the step, or for the first view.
    private var waiting: [WorkerIdentity: Int] = [:]

    init(nextStep: Int, backup: Int) {
        self.nextStep = nextStep
        self.backup = backup
    }

    /// What the answer with the values says.
    var open: OpenStep { OpenStep(step: nextStep, view: division.view, members: closed) }

    /// Numbers of the workers that the open step waits for.
    func awaited(_ roster: Roster) -> [Int] {
        division.members.filter { !roster.hasDeparted($0) && pushes[$0] == nil }.map(\.worker).sorted()
    }

    /// The token under which this worker's push of the open step lies here.
    func token(of worker: WorkerIdentity) -> Int? { pushes[worker]?.token }

    // MARK: Events

    mutating func act(_ roster: Roster) -> [Event] {
        guard let view = roster.view else { return [] }
        isOpen = view.phase != .closing && view.phase != .saving
        var events: [Event] = []
        for (worker, token) in waiting.sorted(by: { $0.value < $1.value }) where roster.hasDeparted(worker) {
            waiting[worker] = nil
            events.append(.refuse(token, "worker \(worker.worker) was declared dead; start a new worker"))
        }
        // With all its members dead, and no part of theirs here, the step is for those who came after them.
        if division.view == 0 || pushes.isEmpty && division.members.allSatisfy(roster.hasDeparted) {
            events += divide(by: view)
        }
        return events + close(roster)
    }

    /// A worker asks for the values: at once, but none before the first view.
    mutating func pull(_ worker: WorkerIdentity, token: Int) -> [Event] {
        division.view > 0 ? [.answer([token])] : wait(worker, token)
    }

    /// A worker waits for the end of a step in which it has no part.
    mutating func await(_ worker: WorkerIdentity, step: Int, token: Int) -> [Event] {
        step < nextStep || division.members.contains(worker) ? [.answer([token])] : wait(worker, token)
    }

    /// Takes a push of the open step.
    mutating func push(_ push: Push, step: Int, view: UInt64, _ roster: Roster) -> [Event] {
        let name = "worker \(push.worker.worker)"
        guard step == nextStep else {
            return [
                .refuse(
                    push.token, "\(name) pushes step \(step), but step \(nextStep) is open; restart the worker")
            ]
        }
        guard view == division.view, division.members.contains(push.worker) else {
            return [
                .refuse(
                    push.token,
                    "\(name) pushes a part of step \(step) by view \(view), but view \(division.view) divides it; "
                        + "restart the worker")
            ]
        }
        let old = pushes.updateValue(push, forKey: push.worker)
        return (old.map { [.drop($0.token)] } ?? []) + close(roster)
    }

    // MARK: Decisions

    private mutating func wait(_ worker: WorkerIdentity, _ token: Int) -> [Event] {
        waiting.updateValue(token, forKey: worker).map { [.drop($0)] } ?? []
    }

    private mutating func divide(by view: ClusterView) -> [Event] {
        division = (view.number, view.members)
        let members = waiting.filter { division.members.contains($0.key) }
        for worker in members.keys { waiting[worker] = nil }
        return members.isEmpty ? [] : [.answer(members.values.sorted())]
    }

    private mutating func close(_ roster: Roster) -> [Event] {
        let living = division.members.filter { !roster.hasDeparted($0) }
        let here = living.count { pushes[$0] != nil }
        guard isOpen, !pushes.isEmpty, here == living.count || here >= max(1, living.count - backup) else { return [] }
        let all = division.members.compactMap { pushes[$0] }
        let step = nextStep
        if backup == 0 {
            for (rank, member) in division.members.enumerated() where pushes[member] == nil {
                absent.append(AbsentPart(step: step, rank: rank, parts: division.members.count))
            }
        }
        let parts = all.filter { $0.examples > 0 }
        closed = parts.map(\.worker)
        nextStep += 1
        let tokens = all.map(\.token) + waiting.values.sorted()
        (pushes, waiting) = ([:], [:])
        if let view = roster.view { division = (view.number, view.members) }
        return [.close(step: step, pushes: parts, tokens: tokens)]
    }
}
