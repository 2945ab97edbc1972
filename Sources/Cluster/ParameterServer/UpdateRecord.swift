/// What became of the gradients that one shard was pushed: per worker, how many went in and at which staleness, how many
/// were dropped and why.
package struct UpdateRecord: Equatable, Sendable {
    package typealias Drop = JobReport.Gradients.Drop

    /// By the worker's number, whichever its incarnations.
    package private(set) var workers: [Int: WorkerTally] = [:]
    package init() {}

    package var total: WorkerTally { workers.values.reduce(into: WorkerTally()) { $0 += $1 } }

    /// Notes a gradient that went in.
    package mutating func applied(worker: Int, staleness: Int) {
        workers[worker, default: WorkerTally()].add(staleness: staleness)
    }

    /// Notes a gradient that did not.
    package mutating func dropped(worker: Int, _ drop: Drop) {
        workers[worker, default: WorkerTally()].dropped[drop, default: 0] += 1
    }
}

/// Counts of one worker's gradients, each shard's part of a step being one.
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
