/// What servers tell of their bundles: which batches they have, and what became of workers' gradients.
struct ServerReports: Sendable {
    /// Batches that all bundles of a server have.
    private var applied: [Int: RangeSet<Int>] = [:]
    /// Steps of which all tables of a server have every part, or have told that they miss it.
    private var settled: [Int: RangeSet<Int>] = [:]
    /// By server and worker.
    private var tallies: [Int: [Int: WorkerTally]] = [:]
    /// Examples whose gradients all bundles of a server have, and those that the one with the most has.
    private var examples: [Int: (least: Int, most: Int)] = [:]

    /// Some update has changed a Variable.
    private(set) var hasChanged = false

    /// Takes what a server tells; in its last word it names no batches.
    mutating func note(_ news: NodeNews) {
        if news.hasChanged { hasChanged = true }
        // They only grow, whatever comes late.
        applied[news.number, default: RangeSet()].formUnion(news.applied)
        settled[news.number, default: RangeSet()].formUnion(news.settled)
        tallies[news.number] = news.tallies
        examples[news.number] = news.examples
    }

    /// Batches below `total` that every bundle has; none before all of so many servers have told.
    func applied(servers: Int, total: Int) -> RangeSet<Int> {
        guard applied.count == servers, let first = applied.values.first else { return RangeSet() }
        let all = RangeSet(0..<max(total, 0))
        return applied.values.dropFirst().reduce(first.intersection(all)) { $0.intersection($1) }
    }

    /// Steps of which some table lacks more than it has told.
    func unsettled(_ steps: Range<Int>) -> RangeSet<Int> {
        settled.values.reduce(into: RangeSet()) { $0.formUnion(RangeSet(steps).subtracting($1)) }
    }

    /// What became of one worker's gradients on all servers, or of all workers'.
    func tally(of worker: Int?) -> WorkerTally {
        tallies.values.flatMap { $0 }.filter { worker == nil || $0.key == worker }
            .reduce(into: WorkerTally()) { $0 += $1.value }
    }

    /// Of the bundle that has the fewest; nil before any server has told.
    var leastExamples: Int? { examples.values.map(\.least).min() }

    /// Of the bundle that has the most.
    var mostExamples: Int { examples.values.map(\.most).max() ?? 0 }
}
