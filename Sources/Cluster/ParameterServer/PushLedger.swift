/// Which pushes one shard has applied, so that each counts exactly once.
///
/// A push is known by its worker and step. A worker's steps grow, and it pushes one only after the reply to the last.
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

    /// Batches of the job whose gradients are in this shard's values.
    package internal(set) var appliedBatches = RangeSet<Int>()
    package internal(set) var updates = 0
    /// Examples whose gradients went in, since the start.
    package private(set) var examples = 0
    package private(set) var record = UpdateRecord()

    /// The last step dealt with, by worker, and whether its gradient was dropped.
    private var last: [WorkerIdentity: (step: Int, isDropped: Bool)] = [:]
    /// `updates` in the values that the worker computes with: those that it says, else those that it got last.
    private var seen: [WorkerIdentity: Int] = [:]

    package init() {}

    /// The last step of this worker that was dealt with; −1 before the first.
    package func lastStep(_ worker: WorkerIdentity) -> Int { last[worker]?.step ?? -1 }

    /// Whether the gradient of this step, the worker's last, was dropped.
    package func isDropped(_ worker: WorkerIdentity, step: Int) -> Bool {
        last[worker].map { $0.step == step && $0.isDropped } ?? false
    }

    /// The number of updates that the worker's values lack, its own included.
    package func staleness(_ worker: WorkerIdentity) -> Int { updates - (seen[worker] ?? updates) }

    /// Says what to do with a push before a byte of it is read.
    ///
    /// - Parameter batch: of an asynchronous job, where each is trained on once: one that is applied already was leased
    ///   again because the word of it came late, or because other shards lack it, and counts no second time.
    package mutating func admit(_ worker: WorkerIdentity, step: Int, batch: Int? = nil) -> Verdict {
        let last = lastStep(worker)
        if let batch, appliedBatches.contains(batch), step > last {
            drop(worker, step: step, .repeated)
            return .repeated
        }
        if step > last { return .new }
        if step < last {
            return .stale("worker \(worker.worker) pushes step \(step) but step \(last) is already applied")
        }
        return .duplicate
    }

    /// Notes that a worker got the current values, or those with so many updates.
    package mutating func sawValues(_ worker: WorkerIdentity, updates: Int? = nil) {
        seen[worker] = min(updates ?? self.updates, self.updates)
    }

    /// Notes one update by the pushes of these workers.
    ///
    /// - Parameters:
    ///   - examples: of all of them together.
    ///   - isVoid: the update was left out, for gradients were not finite: it counts all the same.
    package mutating func applied(
        step: Int, batch: Int, examples: Int, by workers: [WorkerIdentity], isVoid: Bool = false
    ) {
        for worker in workers {
            if isVoid {
                record.dropped(worker: worker.worker, .notFinite)
            } else {
                record.applied(worker: worker.worker, staleness: staleness(worker))
            }
            last[worker] = (step, false)
        }
        updates += 1
        // What heartbeats can tell.
        self.examples = min(self.examples + examples, Limit.count.range.upperBound)
        appliedBatches.insert(contentsOf: batch..<batch + 1)
    }

    /// Notes that a gradient is not used.
    package mutating func drop(_ worker: WorkerIdentity, step: Int, _ why: UpdateRecord.Drop) {
        record.dropped(worker: worker.worker, why)
        last[worker] = (step, true)
    }

    /// Forgets which values a worker that has departed has got.
    package mutating func forget(_ worker: WorkerIdentity) { seen[worker] = nil }
}
