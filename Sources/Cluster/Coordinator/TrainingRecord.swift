/// What workers reported of their steps, put together by batch: losses, metrics, examples.
package struct TrainingRecord: Sendable {
    package struct Entry: Sendable, Equatable {
        package var batch: Int
        /// Sums over the examples.
        package var loss: Double
        package var metrics: [String: [Double]]
        package var examples: Int

        package init(batch: Int, loss: Double = 0, metrics: [String: [Double]] = [:], examples: Int = 0) {
            self.batch = batch
            self.loss = loss
            self.metrics = metrics
            self.examples = examples
        }

        var meanLoss: Double { examples == 0 ? .nan : loss / Double(examples) }
    }

    /// A batch that lacks a part.
    private struct Open {
        /// Who has a part of it.
        var members: Set<WorkerIdentity>
        var parts: [WorkerIdentity: Entry] = [:]
    }

    private var open: [Int: Open] = [:]
    /// The newest batch that each worker has reported.
    private var newest: [WorkerIdentity: Int] = [:]
    private var departed: Set<WorkerIdentity> = []
    /// Batches that have been taken; what is reported of them again counts nothing.
    private var taken = RangeSet<Int>()
    /// Batches that each worker has reported.
    private var reported: [WorkerIdentity: RangeSet<Int>] = [:]
    /// The last complete ones, for the means that people read.
    private var recent: [Entry] = []
    package private(set) var samples = 0
    /// Whether the means leave out batches whose loss is not finite, for they were not trained on.
    var passesOverNaN = false

    private static let window = 50

    package init() {}

    /// Adds a worker's part of a batch. Returns the entries that are complete now, in order.
    ///
    /// A batch is complete when each of its members has reported its part, or has departed. Parts are added up in the order of
    /// workers, not of reports, so that a synchronous job's losses come out the same.
    ///
    /// - Parameters:
    ///   - members: the workers that divide the batch; nil if it is all this worker's.
    ///   - patience: a member that has reported a batch so much newer will not report this one any more: with backup
    ///     workers, one that is late leaves out steps.
    package mutating func add(
        _ part: Entry, of worker: WorkerIdentity, members: Set<WorkerIdentity>? = nil, patience: Int = 64
    ) -> [Entry] {
        let before = newest[worker]
        newest[worker] = max(before ?? 0, part.batch)
        if !taken.contains(part.batch) {
            open[part.batch, default: Open(members: members ?? [worker])].parts[worker] = part
        }
        // Besides this one, those may be complete now that the worker has left behind since it reported last.
        var candidates = [part.batch]
        if let before, part.batch - before <= open.count {
            candidates += max(before - patience, 0)..<max(part.batch - patience, before - patience, 0)
        } else {
            candidates = Array(open.keys)
        }
        return take(candidates) { [newest, departed] batch, entry in
            entry.members.allSatisfy { member in
                entry.parts[member] != nil || departed.contains(member) || newest[member] ?? 0 > batch + patience
            }
        }
    }

    /// Notes that a worker reports a batch; false if it has reported it before, for its message came twice.
    mutating func isFirst(_ batch: Int, of worker: WorkerIdentity) -> Bool {
        guard reported[worker]?.contains(batch) != true else { return false }
        reported[worker, default: RangeSet()].insert(contentsOf: batch..<batch + 1)
        return true
    }

    /// Nothing more is reported by this worker. Returns the entries that are complete without it.
    package mutating func left(_ worker: WorkerIdentity) -> [Entry] {
        departed.insert(worker)
        newest[worker] = nil
        return take(Array(open.keys)) { [departed] _, entry in
            entry.members.allSatisfy { entry.parts[$0] != nil || departed.contains($0) }
        }
    }

    /// Takes the entries that lack the report of a part.
    package mutating func takeOpen() -> [Entry] { take(Array(open.keys)) { _, _ in true } }

    private mutating func take(_ batches: [Int], where isComplete: (Int, Open) -> Bool) -> [Entry] {
        let entries = batches.compactMap { batch in
            open[batch].flatMap { isComplete(batch, $0) ? TrainingRecord.sum($0.parts, batch: batch) : nil }
        }.sorted { $0.batch < $1.batch }
        for entry in entries {
            open[entry.batch] = nil
            taken.insert(contentsOf: entry.batch..<entry.batch + 1)
        }
        let whole = entries.filter { $0.examples > 0 }
        recent = (recent + whole.filter { !passesOverNaN || $0.loss.isFinite }).suffix(TrainingRecord.window)
        return whole
    }

    private static func sum(_ parts: [WorkerIdentity: Entry], batch: Int) -> Entry {
        parts.sorted { ($0.key.worker, $0.key.incarnation) < ($1.key.worker, $1.key.incarnation) }.reduce(
            into: Entry(batch: batch)
        ) { sum, part in
            sum.loss += part.value.loss
            sum.examples += part.value.examples
            sum.metrics.add(part.value.metrics)
        }
    }

    /// Counts examples that were trained on.
    mutating func count(examples: Int) { samples += examples }

    var recentExamples: Int { recent.reduce(0) { $0 + $1.examples } }

    /// The mean loss of the last batches.
    var recentLoss: Double? {
        recentExamples == 0 ? nil : recent.reduce(0) { $0 + $1.loss } / Double(recentExamples)
    }

    /// The sums of the last batches' metrics.
    var recentMetrics: [String: [Double]] { recent.reduce(into: [:]) { $0.add($1.metrics) } }
}
