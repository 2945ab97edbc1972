/// Bounded staleness of one shard: whose reply has to wait for whom.
///
/// A worker's clock is the number of its pushes, from where it began. The reply to a push waits while a worker that trains
/// has a clock that is more than `staleness` behind. Who has died, left or run out of batches is not waited for; who comes
/// or comes back begins at the present clock, the least of those that train, so that nobody waits for what it missed. One
/// shard, the lead, tells a worker its clock, and the worker names it in what it asks of the others, and so all shards go
/// by the same clocks: otherwise two workers might wait for each other, each at another shard. Between the values that a
/// worker gets and its push, others make 2 × staleness + 1 updates each, one more where it has just begun.
package struct StalenessGate: Sendable {
    package let staleness: Int
    /// Of those that train.
    private var clocks: [WorkerIdentity: Int] = [:]
    /// How often each worker has paused.
    private var pauses: [WorkerIdentity: Int] = [:]
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
    ///   - clock: its clock, as another shard has named it; nil where this one is to name it.
    package mutating func begin(_ worker: WorkerIdentity, pauses: Int, clock: Int?) -> Int {
        if let clock = clocks[worker] { return clock }
        let now = clock ?? present
        guard pauses >= self.pauses[worker, default: 0] else { return now }
        clocks[worker] = now
        return now
    }

    /// Notes a push; those whose clocks are returned by `release` may go on.
    package mutating func pushed(_ worker: WorkerIdentity, clock: Int) { set(worker, clock + 1) }

    /// Holds the reply to a push back until `release` names it. An older request of the worker is returned, to be let go.
    package mutating func wait(_ worker: WorkerIdentity, token: Int, clock: Int) -> Int? {
        waiting.updateValue((token, clock + 1), forKey: worker).map(\.token)
    }

    /// A worker has no batches for now. What it said before its last pause comes too late and changes nothing.
    package mutating func pause(_ worker: WorkerIdentity, pauses: Int) {
        guard pauses > self.pauses[worker, default: 0] else { return }
        self.pauses[worker] = pauses
        note()
        clocks[worker] = nil
    }

    /// A worker has died or left. Its request that waits, if any, is returned.
    package mutating func remove(_ worker: WorkerIdentity) -> Int? {
        note()
        clocks[worker] = nil
        pauses[worker] = nil
        return waiting.removeValue(forKey: worker)?.token
    }

    /// Takes those who need wait no longer, the earliest first.
    package mutating func release() -> [(worker: WorkerIdentity, token: Int)] {
        guard !waiting.isEmpty else { return [] }
        let bound = clocks.values.min().map { $0 + staleness } ?? .max
        let free = waiting.filter { $0.value.clock <= bound }
        for worker in free.keys { waiting[worker] = nil }
        return free.map { ($0.key, $0.value.token) }.sorted { $0.token < $1.token }
    }

    /// Numbers of those that the request of `token` waits for.
    package func awaited(by token: Int) -> [Int] {
        guard let entry = waiting.values.first(where: { $0.token == token }) else { return [] }
        return clocks.filter { $0.value + staleness < entry.clock }.map(\.key.worker).sorted()
    }

    /// Puts the request of one token in the place of the one that waits for this worker; the old token, if one waits.
    package mutating func renew(_ worker: WorkerIdentity, token: Int) -> Int? {
        guard let old = waiting[worker] else { return nil }
        waiting[worker] = (token, old.clock)
        return old.token
    }

    private mutating func set(_ worker: WorkerIdentity, _ clock: Int) {
        clocks[worker] = clock
        note()
    }

    private mutating func note() { reached = max(reached, present) }
}
