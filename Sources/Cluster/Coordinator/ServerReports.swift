/// What servers have reported of their shards.
struct ServerReports: Sendable {
    /// Batches that all shards of a server have, in an asynchronous job.
    private var applied: [Int: RangeSet<Int>] = [:]
    /// By server and worker.
    private var tallies: [Int: [Int: WorkerTally]] = [:]
    /// Examples whose gradients all shards of a server have, and those that the one with the most has.
    private var examples: [Int: (least: Int, most: Int)] = [:]
    /// The newest report of the lead shard.
    private(set) var lead: LeadReport?

    /// Some update has changed a Variable.
    private(set) var hasChanged = false

    /// Takes what a server reports. As it leaves it names no batches.
    mutating func note(_ report: ServerReport, of server: Int) {
        if report.hasChanged { hasChanged = true }
        // They only grow, whatever comes late.
        if let applied = report.applied { self.applied[server, default: RangeSet()].formUnion(applied) }
        if let lead = report.lead, lead.steps >= self.lead?.steps ?? 0 { self.lead = lead }
        tallies[server] = report.tallies
        if let examples = report.examples { self.examples[server] = examples }
    }

    /// Batches below `total` that every shard has; none before all of so many servers have reported.
    func applied(servers: Int, total: Int) -> RangeSet<Int> {
        guard applied.count == servers, let first = applied.values.first else { return RangeSet() }
        let all = RangeSet(0..<max(total, 0))
        return applied.values.dropFirst().reduce(first.intersection(all)) { $0.intersection($1) }
    }

    /// What became of one worker's gradients on all servers, or of all workers'.
    func tally(of worker: Int?) -> WorkerTally {
        tallies.values.flatMap { $0 }.filter { worker == nil || $0.key == worker }
            .reduce(into: WorkerTally()) { $0 += $1.value }
    }

    /// Of the shard that has the fewest; nil before any server has reported.
    var leastExamples: Int? { examples.values.map(\.least).min() }

    /// Of the shard that has the most.
    var mostExamples: Int { examples.values.map(\.most).max() ?? 0 }
}
