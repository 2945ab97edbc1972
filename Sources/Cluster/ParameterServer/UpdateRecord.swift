/// What became of the gradients that one bundle was pushed: per worker, how many went in and at which staleness, how many
/// were dropped and why.
///
/// Counts are kept for the whole job, single entries for the last ones only.
package struct UpdateRecord: Equatable, Sendable {
    package typealias Drop = JobReport.Gradients.Drop

    package struct Entry: Equatable, Sendable {
        package var step: Int
        package var worker: Int
        package var staleness: Int
        /// nil for a gradient that went in.
        package var drop: Drop?

        package init(step: Int, worker: Int, staleness: Int, drop: Drop?) {
            self.step = step
            self.worker = worker
            self.staleness = staleness
            self.drop = drop
        }
    }

    /// The entries that are kept.
    package static let limit = 4096

    /// By the worker's number, whichever its incarnations.
    package private(set) var workers: [Int: WorkerTally] = [:]
    private var ring: [Entry] = []
    private var next = 0

    package init() {}

    /// The last entries, the oldest first.
    package var entries: [Entry] { Array(ring[next...] + ring[..<next]) }

    package var total: WorkerTally { workers.values.reduce(into: WorkerTally()) { $0 += $1 } }

    /// Notes a gradient that went in.
    package mutating func applied(worker: Int, step: Int, staleness: Int) {
        workers[worker, default: WorkerTally()].add(staleness: staleness)
        append(Entry(step: step, worker: worker, staleness: staleness, drop: nil))
    }

    /// Notes a gradient that did not.
    package mutating func dropped(worker: Int, step: Int, staleness: Int, _ drop: Drop) {
        workers[worker, default: WorkerTally()].dropped[drop, default: 0] += 1
        append(Entry(step: step, worker: worker, staleness: staleness, drop: drop))
    }

    private mutating func append(_ entry: Entry) {
        if ring.count < UpdateRecord.limit {
            ring.append(entry)
        } else {
            ring[next] = entry
            next = (next + 1) % UpdateRecord.limit
        }
    }
}

/// Counts of one worker's gradients, each bundle's part of a step being one.
package struct WorkerTally: Equatable, Sendable {
    package var applied = 0
    package var dropped: [UpdateRecord.Drop: Int] = [:]
    /// Updates made between pull and push: sum and largest over the applied.
    package var stalenessSum = 0
    package var stalenessMax = 0
    /// How many of the applied had a staleness of 0, 1, 2, 3–4, 5–8, 9–16, … up to `bounds`, the last with all above.
    package var histogram = [Int](repeating: 0, count: WorkerTally.bounds.count)

    /// The largest staleness of each place of the histogram; the last has all above the one before.
    package static let bounds = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

    package init() {}

    package var meanStaleness: Double { applied == 0 ? 0 : Double(stalenessSum) / Double(applied) }

    mutating func add(staleness: Int) {
        applied += 1
        stalenessSum += staleness
        stalenessMax = max(stalenessMax, staleness)
        histogram[WorkerTally.bounds.firstIndex { staleness <= $0 } ?? WorkerTally.bounds.count - 1] += 1
    }

    package static func + (a: WorkerTally, b: WorkerTally) -> WorkerTally {
        var total = a
        total += b
        return total
    }

    package static func += (total: inout WorkerTally, part: WorkerTally) {
        total.applied += part.applied
        total.dropped.merge(part.dropped, uniquingKeysWith: +)
        total.stalenessSum += part.stalenessSum
        total.stalenessMax = max(total.stalenessMax, part.stalenessMax)
        for i in total.histogram.indices { total.histogram[i] += part.histogram[i] }
    }
}
