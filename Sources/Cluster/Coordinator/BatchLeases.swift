/// Which batches of the job are done, which are leased to whom, and which are free.
///
/// Exactly the batches 0..<total are handed out, each to one worker at a time. A batch is done once its holder had it
/// acknowledged, or once a server says of a dead holder's batch that it applied it.
package struct BatchLeases: Sendable {
    package let total: Int
    /// The most batches of one lease.
    package let leaseSize: Int
    package private(set) var done: RangeSet<Int>

    private var free: RangeSet<Int>
    private var leased: [WorkerIdentity: RangeSet<Int>] = [:]
    private var dead: Set<WorkerIdentity> = []

    /// - Parameter done: batches of an earlier run, as a checkpoint has them; those outside 0..<total are dropped.
    package init(total: Int, done: RangeSet<Int> = RangeSet(), leaseSize: Int) {
        if total < 0 || leaseSize < 1 { fatalError("a job has \(total) batches, in leases of \(leaseSize)") }
        let all = RangeSet(0..<total)
        self.total = total
        self.leaseSize = leaseSize
        self.done = done.intersection(all)
        self.free = all.subtracting(done)
    }

    /// The batches of one lease while `total` batches remain: 1…16, and less than half a worker's part of the rest, so
    /// that workers finish together (factoring; Hummel, Schonberg & Flynn 1992).
    package static func leaseSize(total: Int, workers: Int) -> Int {
        min(16, max(1, total / (2 * max(1, workers))))
    }

    /// The next batches that are neither done nor leased, lowest first. So what a dead worker left comes first.
    ///
    /// Empty if there is none now, or if this incarnation was declared dead.
    ///
    /// - Parameter limit: no batch from here on is handed out.
    package mutating func lease(to worker: Int, incarnation: UInt64, limit: Int? = nil) -> [Range<Int>] {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        guard !dead.contains(holder) else { return [] }
        // An empty entry stays: the number of entries is the number of workers that share the rest.
        var held = leased[holder, default: RangeSet()]
        var left = 0
        for range in free.ranges { left += max(0, min(range.upperBound, limit ?? total) - range.lowerBound) }
        let workers = leased[holder] == nil ? leased.count + 1 : leased.count
        var room = min(leaseSize, left, Self.leaseSize(total: left, workers: workers))
        var lease: [Range<Int>] = []
        for range in free.ranges where room > 0 {
            let end = min(range.upperBound, range.lowerBound + room)
            lease.append(range.lowerBound..<min(end, limit ?? total))
            room -= lease[lease.count - 1].count
        }
        for range in lease {
            free.remove(contentsOf: range)
            held.insert(contentsOf: range)
        }
        leased[holder] = held
        return lease
    }

    /// Notes batches of a synchronous job, which all workers share and nobody holds. Returns those that are new.
    package mutating func completeTogether(_ batches: RangeSet<Int>) -> RangeSet<Int> {
        let new = batches.intersection(RangeSet(0..<total)).subtracting(done)
        done.formUnion(new)
        return new
    }

    /// Notes acknowledged batches and returns how many are newly done.
    ///
    /// Only the holder of a batch can complete it, so that repeats, and news from a worker whose batches have been
    /// leased anew, count nothing.
    @discardableResult
    package mutating func complete(_ batches: [Int], by worker: Int, incarnation: UInt64) -> Int {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        guard var held = leased[holder] else { return 0 }
        var count = 0
        for batch in batches where held.contains(batch) {
            held.remove(contentsOf: batch..<batch + 1)
            done.insert(contentsOf: batch..<batch + 1)
            count += 1
        }
        leased[holder] = held
        return count
    }

    /// Ends a worker's leases: what servers applied of them is done, the rest is returned and leased anew.
    ///
    /// To be called once every server refuses this incarnation. `applied` may hold other workers' batches; those that
    /// are leased stay so until they are acknowledged.
    @discardableResult
    package mutating func worker(
        _ worker: Int, incarnation: UInt64, died applied: RangeSet<Int>
    ) -> RangeSet<Int> {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        dead.insert(holder)
        let held = leased.removeValue(forKey: holder) ?? RangeSet()
        let rest = held.subtracting(applied)
        free.formUnion(held)
        done.formUnion(free.intersection(applied))
        free.subtract(applied)
        return rest
    }

    /// Takes back the unused batches of a worker that leaves in good order, which has pushed nothing of them.
    package mutating func release(worker: Int, incarnation: UInt64) {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        free.formUnion(leased.removeValue(forKey: holder) ?? RangeSet())
    }

    /// What one incarnation holds, lowest first.
    package func held(by worker: Int, incarnation: UInt64) -> [Range<Int>] {
        leased[WorkerIdentity(worker: worker, incarnation: incarnation)].map { Array($0.ranges) } ?? []
    }

    /// Leased batches by the worker's number.
    package var outstanding: [Int: RangeSet<Int>] {
        var outstanding: [Int: RangeSet<Int>] = [:]
        for (holder, held) in leased where !held.isEmpty {
            outstanding[holder.worker, default: RangeSet()].formUnion(held)
        }
        return outstanding
    }

    package var doneCount: Int { done.total }

    package var isComplete: Bool { doneCount == total }

    /// The lowest batch that isn't done; `total` if all are.
    package func firstUndone() -> Int {
        guard let first = done.ranges.first, first.lowerBound == 0 else { return 0 }
        return first.upperBound
    }
}
