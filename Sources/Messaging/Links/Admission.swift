/// Decides when a listener takes the next connection, so that strangers cost little and do not keep others out.
///
/// A stranger is a peer that has not proved the secret yet. There are so many at once at most: when all places are taken,
/// the one that has been there longest gives way, for one who knows the secret needs milliseconds. And so many come a
/// second at most, not counting those who then prove the secret; the others wait in the system's queue.
package struct Admission {
    /// Strangers at once.
    package static let places = 128
    /// How long a peer may take to prove the secret, from when it could have begun to.
    package static let patience = Duration.seconds(5)
    /// How long the dialling side waits for the listening one to begin: longer than the system's queue takes to empty.
    static let queueing = Duration.seconds(30)
    /// How long it need not give way.
    package static let grace = Duration.seconds(1)
    /// How many come at once, and a second after those.
    package static let burst = 100.0
    package static let rate = 50.0

    package enum Decision: Equatable {
        case take
        case wait(Duration)
        /// This one has to go; then it is asked anew.
        case dismiss(Int)
    }

    private var strangers: [(id: Int, since: Duration)] = []
    private var credit = Admission.burst
    private var creditedAt = Duration.zero

    package init() {}

    /// What to do about the next connection.
    /// - Parameter now: on a clock that only goes on.
    package mutating func next(now: Duration) -> Decision {
        credit = min(credit + (now - creditedAt) / .seconds(1) * Admission.rate, Admission.burst)
        creditedAt = now
        if credit < 1 { return .wait(.seconds((1 - credit) / Admission.rate)) }
        guard strangers.count >= Admission.places, let oldest = strangers.first else { return .take }
        let age = now - oldest.since
        return age < Admission.grace ? .wait(Admission.grace - age) : .dismiss(oldest.id)
    }

    /// A stranger has come.
    package mutating func came(_ id: Int, now: Duration) {
        credit -= 1
        strangers.append((id, now))
    }

    /// It has gone, or has proved the secret and was no stranger.
    package mutating func isDone(_ id: Int, hasProved: Bool) {
        let before = strangers.count
        strangers.removeAll { $0.id == id }
        if hasProved, strangers.count < before { credit = min(credit + 1, Admission.burst) }
    }
}
