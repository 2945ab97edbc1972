/// What workers told of their steps, put together by batch: losses, metrics, examples.
package struct TrainingRecord: Sendable {
    package struct Entry: Sendable, Equatable {
        package var batch: Int
        /// Sums over the examples.
        package var loss: Double
        package var metrics: [String: Double]
        package var examples: Int

        package init(batch: Int, loss: Double = 0, metrics: [String: Double] = [:], examples: Int = 0) {
            self.batch = batch
            self.loss = loss
            self.metrics = metrics
            self.examples = examples
        }

        var meanLoss: Double { examples == 0 ? .nan : loss / Double(examples) }
    }

    /// Batches of which a part is still to come: what each worker told.
    private var open: [Int: [Int: Entry]] = [:]
    /// Batches that have been taken; what is told of them again counts nothing.
    private var taken = RangeSet<Int>()
    /// The last complete ones, for the means that people read.
    private var recent: [Entry] = []
    private(set) var samples = 0
    /// Whether the means leave out batches whose loss is not finite, for they were not trained on.
    var passesOverNaN = false

    private static let window = 50

    package init() {}

    /// Adds a worker's part of a batch of `size` examples. Returns the entries that are complete now, in order: those of so
    /// many parts, where that is known, for there may be more examples in them than in the batch.
    ///
    /// Parts are added up in the order of workers, whoever told first, so that a synchronous job's losses come out the same.
    ///
    /// - Parameter patience: an older batch is taken as it is when one so much newer comes: what a dead worker never told
    ///   must not keep it open.
    package mutating func add(
        _ part: Entry, of worker: Int, size: Int, parts: Int? = nil, patience: Int = 64
    ) -> [Entry] {
        guard !taken.contains(part.batch) else { return [] }
        open[part.batch, default: [:]][worker] = part
        let isWhole = parts.map { open[part.batch]?.count ?? 0 >= $0 }
        return take {
            $0.batch == part.batch && isWhole ?? ($0.examples >= size) || $0.batch < part.batch - patience
        }
    }

    /// Takes the entries of which a part has not been told.
    package mutating func takeOpen() -> [Entry] { take { _ in true } }

    private mutating func take(where isComplete: (Entry) -> Bool) -> [Entry] {
        let entries = open.map { TrainingRecord.sum($1, batch: $0) }.filter(isComplete).sorted { $0.batch < $1.batch }
        for entry in entries {
            open[entry.batch] = nil
            taken.insert(contentsOf: entry.batch..<entry.batch + 1)
        }
        let told = entries.filter { $0.examples > 0 }
        recent = (recent + told.filter { !passesOverNaN || $0.loss.isFinite }).suffix(TrainingRecord.window)
        return told
    }

    private static func sum(_ parts: [Int: Entry], batch: Int) -> Entry {
        parts.sorted { $0.key < $1.key }.reduce(into: Entry(batch: batch)) { sum, part in
            sum.loss += part.value.loss
            sum.examples += part.value.examples
            sum.metrics.merge(part.value.metrics, uniquingKeysWith: +)
        }
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
