/// What a shard answers a worker.
package enum ExchangeReply: Equatable, Sendable {
    /// The values, which the message carries, unless they were written to shared memory.
    case values(ValuesReply)
    /// The gradients lie here until the lead shard has closed their step.
    case held
    /// Done; no values were wanted.
    case applied
    /// The values; the gradients came too late for their step and are dropped. Only the lead shard says so.
    case late(OpenStep)
    /// The answer has to wait for the workers named here. Ask again with `await`.
    case waiting(String)
    /// No, for this reason.
    case refused(String)

    /// Whether the message has room for the values.
    package var carriesValues: Bool {
        switch self {
        case .values, .late: true
        case .held, .applied, .waiting, .refused: false
        }
    }
}

package enum ValuesReply: Equatable, Sendable {
    /// The updates that the values have.
    case updates(Int)
    /// Under bounded staleness: the updates, and the worker's clock.
    case clock(Int, updates: Int)
    /// From the lead shard of a synchronous job: the values of the open step.
    case open(OpenStep)

    /// The updates that the values have.
    var updates: Int {
        switch self {
        case .updates(let updates), .clock(_, let updates): updates
        case .open(let open): open.step
        }
    }
}

/// The step that the lead shard has open.
package struct OpenStep: Equatable, Sendable {
    package var step: Int
    /// The number of the view that divides it.
    package var view: UInt64
    /// The step before it.
    package var closed: ClosedStep

    /// - Parameter members: the workers whose gradients are in the step before.
    package init(step: Int, view: UInt64, members: [WorkerIdentity]) {
        self.step = step
        self.view = view
        closed = ClosedStep(step: step - 1, members: members)
    }
}
