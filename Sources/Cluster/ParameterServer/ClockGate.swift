/// Bounded staleness of one bundle: whose reply has to wait for whom.
///
/// A worker's clock is the number of its pushes, from where it began. The reply to a push waits while a worker that trains
/// has a clock that is more than `staleness` behind. Who has died, left or run out of batches is not waited for; who comes
/// or comes back begins at the present clock, the least of those that train, so that nobody waits for what it missed. One
/// bundle, the arbiter, tells a worker its clock, and the worker names it in what it asks of the others, and so all bundles go
/// by the same clocks: otherwise two workers might wait for each other, each at another bundle. Between the values that a
/// worker gets and its push, others make 2 × staleness + 1 updates each, one more where it has just begun.
package struct ClockGate: Sendable {
    package let staleness: Int
    /// Of those that train.
    private var clocks: [WorkerIdentity: Int] = [:]
    /// How often each worker has paused.
    private var pauses: [WorkerIdentity: UInt64] = [:]
    /// The greatest clock that was ever the least.
    private var reached = 0
    private var waiting: [WorkerIdentity: (token: Int, clock: Int)] = [:]

    package init(staleness: Int) { self.staleness = staleness }

    /// The least clock of those that train.
    package var present: Int { clocks.values.min() ?? reached }

    /// Takes up a worker that gets values without a push; returns its clock.
    ///
    /// - Parameters:
    ///   - pauses: how often it has paused; a request from before its last pause takes up nobody.
    ///   - clock: its clock, as another bundle has named it; nil where this one is to name it.
    package mutating func begin(_ holder: WorkerIdentity, pauses: UInt64, clock: Int?) -> Int {
        if let clock = clocks[holder] { return clock }
        let now = clock ?? present
        guard pauses >= self.pauses[holder, default: 0] else { return now }
        clocks[holder] = now
        return now
    }

    /// Notes a push; those whose clocks are returned by `release` may go on.
    package mutating func pushed(_ holder: WorkerIdentity, clock: Int) { set(holder, clock + 1) }

    /// Holds the reply to a push back until `release` names it. An older request of the worker is returned, to be let go.
    package mutating func wait(_ holder: WorkerIdentity, token: Int, clock: Int) -> Int? {
        waiting.updateValue((token, clock + 1), forKey: holder).map(\.token)
    }

    /// A worker has no batches for now. What it said before its last pause comes too late and changes nothing.
    package mutating func pause(_ holder: WorkerIdentity, pauses: UInt64) {
        guard pauses > self.pauses[holder, default: 0] else { return }
        self.pauses[holder] = pauses
        note()
        clocks[holder] = nil
    }

    /// A worker has died or left. Its request that waits, if any, is returned.
    package mutating func remove(_ holder: WorkerIdentity) -> Int? {
        note()
        clocks[holder] = nil
        pauses[holder] = nil
        return waiting.removeValue(forKey: holder)?.token
    }

    /// Takes those who need wait no longer, the earliest first.
    package mutating func release() -> [(holder: WorkerIdentity, token: Int)] {
        guard !waiting.isEmpty else { return [] }
        let bound = clocks.values.min().map { $0 + staleness } ?? .max
        let free = waiting.filter { $0.value.clock <= bound }
        for holder in free.keys { waiting[holder] = nil }
        return free.map { ($0.key, $0.value.token) }.sorted { $0.token < $1.token }
    }

    /// Numbers of those that the request of `token` waits for.
    package func awaited(by token: Int) -> [Int] {
        guard let entry = waiting.values.first(where: { $0.token == token }) else { return [] }
        return clocks.filter { $0.value + staleness < entry.clock }.map(\.key.worker).sorted()
    }

    /// Puts the request of one token in the place of the one that waits for this worker; the old token, if one waits.
    package mutating func renew(_ holder: WorkerIdentity, token: Int) -> Int? {
        guard let old = waiting[holder] else { return nil }
        waiting[holder] = (token, old.clock)
        return old.token
    }

    private mutating func set(_ holder: WorkerIdentity, _ clock: Int) {
        clocks[holder] = clock
        note()
    }

    private mutating func note() { reached = max(reached, present) }
}
