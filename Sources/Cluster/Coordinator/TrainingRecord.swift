/// What workers told of their steps, put together by batch: losses, metrics, examples.
struct TrainingRecord: Sendable {
    struct Entry: Sendable, Equatable {
        var batch: Int
        var loss = 0.0
        var metrics: [String: Double] = [:]
        var examples = 0

        var meanLoss: Double { examples == 0 ? .nan : loss / Double(examples) }
    }

    /// Batches of which a part is still to come.
    private var open: [Int: Entry] = [:]
    /// The last complete ones, for the means that people read.
    private var recent: [Entry] = []
    private(set) var samples = 0

    private static let window = 50

    /// Adds a worker's part of a batch of `size` examples. Returns the entries that are complete now, in order.
    mutating func add(_ part: Entry, size: Int) -> [Entry] {
        var entry = open[part.batch] ?? Entry(batch: part.batch)
        entry.loss += part.loss
        entry.examples += part.examples
        for (name, sum) in part.metrics { entry.metrics[name, default: 0] += sum }
        samples += part.examples
        open[part.batch] = entry
        guard entry.examples >= size else { return [] }
        // What a dead worker never told must not keep older batches open.
        let complete = open.keys.filter { $0 == part.batch || $0 < part.batch - 64 }.sorted()
        let entries = complete.compactMap { open.removeValue(forKey: $0) }
        recent = (recent + entries).suffix(TrainingRecord.window)
        return entries
    }

    /// Counts examples of which no worker lived to tell the loss.
    mutating func addUntold(examples: Int) { samples += examples }

    private var recentExamples: Int { recent.reduce(0) { $0 + $1.examples } }

    /// The mean loss of the last batches.
    var recentLoss: Double? {
        recentExamples == 0 ? nil : recent.reduce(0) { $0 + $1.loss } / Double(recentExamples)
    }

    var recentMetrics: [String: Double] {
        var sums: [String: Double] = [:]
        for entry in recent { for (name, sum) in entry.metrics { sums[name, default: 0] += sum } }
        return sums.mapValues { $0 / Double(max(recentExamples, 1)) }
    }
}
