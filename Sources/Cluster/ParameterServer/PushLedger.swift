/// Which pushes one bundle has applied, so that each counts exactly once; saved with the values it belongs to.
///
/// A push is (worker, incarnation, step); a worker's steps grow, and it pushes one only after the reply to the last.
package struct PushLedger: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// To be applied.
        case new
        /// Dealt with before, its reply was lost: answer with the current values.
        case duplicate
        /// Its batch is applied already, under another push: answer with the current values.
        case repeated
        /// To be refused with this sentence.
        case stale(String)
    }

    /// Batches of the job whose gradients are in this bundle's values.
    package internal(set) var appliedBatches = RangeSet<Int>()
    package internal(set) var updates = 0
    /// Examples whose gradients went in, since the start.
    package private(set) var examples = 0
    package private(set) var record = UpdateRecord()

    /// The last step dealt with, by worker, and whether its gradient was dropped.
    private var last: [WorkerIdentity: (step: Int, isDropped: Bool)] = [:]
    /// `updates` in the values that the worker computes with: those that it says, else those that it got last.
    private var seen: [WorkerIdentity: Int] = [:]
    private var fenced: Set<WorkerIdentity> = []

    package init() {}

    /// Whether this incarnation is refused.
    package func isFenced(_ holder: WorkerIdentity) -> Bool { fenced.contains(holder) }

    /// The last step of this worker that was dealt with; −1 before the first.
    package func lastStep(_ holder: WorkerIdentity) -> Int { last[holder]?.step ?? -1 }

    /// Whether the gradient of this step, the worker's last, was dropped.
    package func isDropped(_ holder: WorkerIdentity, step: Int) -> Bool {
        last[holder].map { $0.step == step && $0.isDropped } ?? false
    }

    /// The number of updates that the worker's values lack, its own included.
    package func staleness(_ holder: WorkerIdentity) -> Int { updates - (seen[holder] ?? updates) }

    /// Says what to do with a push before a byte of it is read.
    ///
    /// - Parameter batch: of an asynchronous job, where each is trained on once: one that is applied already was leased
    ///   again because the word of it came late, or because other bundles lack it, and counts no second time.
    package mutating func admit(_ holder: WorkerIdentity, step: Int, batch: Int? = nil) -> Verdict {
        if fenced.contains(holder) {
            if step > lastStep(holder) { drop(holder, step: step, .dead) }
            return .stale("worker \(holder.worker) was declared dead, its step \(step) is refused; start a new worker")
        }
        let last = lastStep(holder)
        if let batch, appliedBatches.contains(batch), step > last {
            drop(holder, step: step, .repeated)
            return .repeated
        }
        if step > last { return .new }
        if step < last {
            return .stale("worker \(holder.worker) pushes step \(step) but step \(last) is already applied")
        }
        return .duplicate
    }

    /// Notes that a worker got the current values, or those with so many updates.
    package mutating func sawValues(_ holder: WorkerIdentity, updates: Int? = nil) {
        if !fenced.contains(holder) { seen[holder] = min(updates ?? self.updates, self.updates) }
    }

    /// Notes one update by the pushes of these workers.
    ///
    /// - Parameters:
    ///   - examples: of all of them together.
    ///   - isVoid: the update was left out, for gradients were not finite: it counts all the same.
    package mutating func applied(
        step: Int, batch: Int, examples: Int, by workers: [WorkerIdentity], isVoid: Bool = false
    ) {
        for holder in workers {
            if isVoid {
                record.dropped(worker: holder.worker, step: step, staleness: staleness(holder), .notFinite)
            } else {
                record.applied(worker: holder.worker, step: step, staleness: staleness(holder))
            }
            last[holder] = (step, false)
        }
        updates += 1
        // What heartbeats can tell.
        self.examples = min(self.examples + examples, Limit.count.range.upperBound)
        appliedBatches.insert(contentsOf: batch..<batch + 1)
    }

    /// Notes that a gradient is not used.
    package mutating func drop(_ holder: WorkerIdentity, step: Int, _ why: UpdateRecord.Drop) {
        record.dropped(worker: holder.worker, step: step, staleness: staleness(holder), why)
        last[holder] = (step, true)
    }

    /// Refuses this incarnation from now on.
    package mutating func fence(_ holder: WorkerIdentity) {
        fenced.insert(holder)
        seen[holder] = nil
    }
}
