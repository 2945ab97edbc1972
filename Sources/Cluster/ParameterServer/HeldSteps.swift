/// The synchronous steps of a shard that is not the lead: it holds what workers push until it hears whose gradients the lead
/// shard has closed the step with, and applies those.
///
/// Nobody pushes a step here before this shard has closed the one before, for its values are what the step is computed from.
struct HeldSteps: Sendable {
    struct Held: Equatable, Sendable {
        var token: Int
        var examples: Int
    }

    private(set) var nextStep: Int
    private(set) var held: [WorkerIdentity: Held] = [:]

    init(nextStep: Int) { self.nextStep = nextStep }

    /// Holds a push of the open step; false for one that is here already, or whose step is over.
    ///
    /// - Throws: `ExchangeRefusal` for a step that nobody can be at.
    mutating func hold(
        _ push: Held, of worker: WorkerIdentity, step: Int
    ) throws(ExchangeRefusal) -> Bool {
        guard step <= nextStep else {
            throw ExchangeRefusal(
                "worker \(worker.worker) pushes step \(step), but step \(nextStep) is open; restart the worker")
        }
        guard step == nextStep, held[worker] == nil else { return false }
        held[worker] = push
        return true
    }

    /// Closes a step. Returns the pushes of its members in their order, and all that were held; nil if it is closed already.
    ///
    /// - Throws: `ExchangeRefusal` for a step that cannot be closed, as the gradients of a member are not here.
    mutating func close(
        _ closed: ClosedStep
    ) throws(ExchangeRefusal) -> (members: [(worker: WorkerIdentity, push: Held)], all: [WorkerIdentity: Held])? {
        guard closed.step >= nextStep else { return nil }
        guard closed.step == nextStep else {
            throw ExchangeRefusal(
                "step \(closed.step) is to be closed, but step \(nextStep) is open; restart the worker")
        }
        var members: [(worker: WorkerIdentity, push: Held)] = []
        for worker in closed.members {
            guard let push = held[worker] else {
                throw ExchangeRefusal(
                    "the gradients of worker \(worker.worker) for step \(nextStep) are not here; restart the worker")
            }
            members.append((worker, push))
        }
        let all = held
        held = [:]
        nextStep += 1
        return (members, all)
    }
}

/// Why a request is refused.
struct ExchangeRefusal: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
