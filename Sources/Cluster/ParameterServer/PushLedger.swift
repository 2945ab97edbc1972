/// Which pushes one bundle has applied, so that each counts exactly once; saved with the values it belongs to.
///
/// A push is (worker, incarnation, step); a worker's steps grow, and it pushes one only after the reply to the last.
package struct PushLedger: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        /// To be applied.
        case new
        /// Applied before, its reply was lost: answer with the current values.
        case duplicate
        /// To be refused with this sentence.
        case stale(String)
    }

    /// Batches of the job whose gradients are in this bundle's values.
    package internal(set) var appliedBatches = RangeSet<Int>()
    package internal(set) var updates = 0
    /// The number of updates applied between pull and push: its sum and maximum over pushes.
    package internal(set) var stalenessSum = 0
    package internal(set) var stalenessMax = 0
    /// The pushes that these statistics are about.
    package internal(set) var pushes = 0

    /// The last step applied, by worker.
    var lastStep: [WorkerIdentity: Int] = [:]
    /// `updates` when the worker last got values.
    var seen: [WorkerIdentity: Int] = [:]
    var fenced: Set<WorkerIdentity> = []

    package init() {}

    package var meanStaleness: Double { pushes == 0 ? 0 : Double(stalenessSum) / Double(pushes) }

    /// Says what to do with a push before a byte of it is read.
    ///
    /// - Parameter batch: of an asynchronous job, where each is trained on once: one that is applied already was leased
    ///   again because the word of it came late, and counts no second time.
    package mutating func admit(worker: Int, incarnation: UInt64, step: Int, batch: Int? = nil) -> Verdict {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        if fenced.contains(holder) {
            return .stale("worker \(worker) was declared dead, its step \(step) is refused; start a new worker")
        }
        if let batch, appliedBatches.contains(batch), step > lastStep[holder] ?? -1 {
            lastStep[holder] = step
            seen[holder] = updates
            return .duplicate
        }
        guard let last = lastStep[holder], step <= last else { return .new }
        if step < last {
            return .stale("worker \(worker) pushes step \(step) but step \(last) is already applied")
        }
        seen[holder] = updates
        return .duplicate
    }

    /// Notes that a worker got the current values without a push; a push's reply needs no note.
    package mutating func pulled(worker: Int, incarnation: UInt64) {
        seen[WorkerIdentity(worker: worker, incarnation: incarnation)] = updates
    }

    /// Notes an update by one worker's push.
    package mutating func applied(worker: Int, incarnation: UInt64, step: Int, batch: Int) {
        applied(step: step, batch: batch, by: [WorkerIdentity(worker: worker, incarnation: incarnation)])
    }

    /// Notes one update by the pushes of several workers, each of which gets the new values.
    package mutating func applied(step: Int, batch: Int, by workers: [WorkerIdentity]) {
        for holder in workers {
            let staleness = updates - (seen[holder] ?? updates)
            stalenessSum += staleness
            stalenessMax = max(stalenessMax, staleness)
            pushes += 1
            guard !fenced.contains(holder) else { continue }
            lastStep[holder] = step
            seen[holder] = updates + 1
        }
        updates += 1
        appliedBatches.insert(contentsOf: batch..<batch + 1)
    }

    /// Refuses this incarnation from now on.
    package mutating func fence(worker: Int, incarnation: UInt64) {
        let holder = WorkerIdentity(worker: worker, incarnation: incarnation)
        fenced.insert(holder)
        lastStep[holder] = nil
        seen[holder] = nil
    }
}
