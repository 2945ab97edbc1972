/// What a worker asks of a shard.
package enum ExchangeRequest: Equatable, Sendable {
    /// Use memory of this machine for the shard's values and gradients. The message carries a `SharedBufferOffer`.
    case attach
    /// Send the values.
    ///
    /// `pauses` is how often the worker has paused. `clock` is its clock under bounded staleness, as the lead shard gave it;
    /// nil asks the lead shard for one.
    case pull(pauses: Int, clock: Int?)
    /// Take these gradients. The message carries them, unless they lie in shared memory or the push has none.
    case push(GradientPush)
    /// Send the values after a synchronous step that the lead shard has closed. A shard that still holds the step's
    /// gradients applies those of the step's members first.
    case close(ClosedStep)
    /// Answer this worker's push of a step, which was told to wait; or, without such a push, say when the step is closed.
    case await(step: Int)
    /// Let nobody wait for this worker, which has no batches for now; it has paused so many times, this time included.
    case pause(pauses: Int)

    /// Whether a shard may answer so.
    package func accepts(_ reply: ExchangeReply) -> Bool {
        switch (self, reply) {
        case (_, .refused), (.attach, .applied), (.pause, .applied), (.close, .values): true
        case (.pull, .values), (.pull, .waiting): true
        case (.push, _), (.await, .values), (.await, .late), (.await, .waiting): true
        case (.attach, _), (.pause, _), (.close, _), (.pull, _), (.await, _): false
        }
    }
}

/// A worker's gradients of one step for one shard.
package struct GradientPush: Equatable, Sendable {
    /// What the gradients were computed from.
    package enum Basis: Equatable, Sendable {
        /// An asynchronous job: values with so many updates.
        case updates(Int)
        /// Bounded staleness: so many pushes of this worker came before.
        case clock(Int)
        /// A synchronous job: this worker's part of the step, as the view of this number divides it.
        case view(UInt64)
    }

    /// The worker's step, from 0.
    package var step: Int
    /// The global number of the batch.
    package var batch: Int
    /// Examples that the gradients are the mean over; 0 for a push without gradients.
    package var examples: Int
    package var basis: Basis
    /// Whether the answer is to carry the new values. A synchronous job always needs them.
    package var wantsValues = true
    /// The gradients are not finite and stay behind: the push counts, but its update is not made.
    package var isVoid = false

    package init(
        step: Int, batch: Int, examples: Int, basis: Basis, wantsValues: Bool = true, isVoid: Bool = false
    ) {
        self.step = step
        self.batch = batch
        self.examples = examples
        self.basis = basis
        self.wantsValues = wantsValues
        self.isVoid = isVoid
    }
}

/// A synchronous step that is over: the workers whose gradients are in it, in the order in which they are added up.
package struct ClosedStep: Equatable, Sendable {
    /// −1 before the first step.
    package var step: Int
    package var members: [WorkerIdentity]

    package init(step: Int, members: [WorkerIdentity]) {
        self.step = step
        self.members = members
    }
}
