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
    ///
    /// - Parameter patience: an older batch is taken as it is when one so much newer comes: what a dead worker never told
    ///   must not keep it open.
    mutating func add(_ part: Entry, size: Int, patience: Int = 64) -> [Entry] {
        var entry = open[part.batch] ?? Entry(batch: part.batch)
        entry.loss += part.loss
        entry.examples += part.examples
        for (name, sum) in part.metrics { entry.metrics[name, default: 0] += sum }
        open[part.batch] = entry
        return take { $0.examples >= size && $0.batch == part.batch || $0.batch < part.batch - patience }
    }

    /// Takes the entries of which a part has not been told.
    mutating func takeOpen() -> [Entry] { take { _ in true } }

    private mutating func take(where isComplete: (Entry) -> Bool) -> [Entry] {
        let entries = open.values.filter(isComplete).sorted { $0.batch < $1.batch }
        for entry in entries { open[entry.batch] = nil }
        let told = entries.filter { $0.examples > 0 }
        recent = (recent + told).suffix(TrainingRecord.window)
        return told
    }

    /// Counts examples that were trained on.
    mutating func count(examples: Int) { samples += examples }

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
