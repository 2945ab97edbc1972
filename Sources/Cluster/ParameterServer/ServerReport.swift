/// What a server reports of its shards.
package struct ServerReport: Sendable {
    /// The view that it acts on.
    package var view: UInt64 = 0
    /// Updates that all shards have; nil without shards.
    package var step: Int?
    /// Of an asynchronous job: batches that all shards have; nil without shards.
    package var applied: RangeSet<Int>?
    /// Of the lead shard, if this server has it.
    package var lead: LeadReport?
    /// Examples whose gradients all shards have, and the most that one has; nil without shards.
    package var examples: (least: Int, most: Int)?
    /// What became of each worker's gradients.
    package var tallies: [Int: WorkerTally] = [:]
    /// An update has changed a Variable.
    package var hasChanged = false

    package init() {}

    package init(_ shards: [ShardState], view: UInt64, hasChanged: Bool = true) {
        self.view = view
        self.hasChanged = hasChanged
        step = shards.map(\.steps).min()
        applied = Self.common(shards.map { $0.rule.isSynchronous ? nil : $0.ledger.appliedBatches })
        lead = shards.compactMap(\.closing).first
        let examples = shards.map(\.ledger.examples)
        self.examples = examples.min().map { ($0, examples.max() ?? $0) }
        tallies = shards.reduce(into: [:]) { $0.merge($1.ledger.record.workers) { $0 + $1 } }
    }

    /// Of all executors of a server.
    init(_ executors: [ServerReport]) {
        view = executors.map(\.view).min() ?? 0
        step = executors.compactMap(\.step).min()
        applied = Self.common(executors.map(\.applied))
        lead = executors.compactMap(\.lead).first
        let examples = executors.compactMap(\.examples)
        self.examples = examples.map(\.least).min().map { ($0, examples.map(\.most).max() ?? $0) }
        tallies = executors.reduce(into: [:]) { $0.merge($1.tallies) { $0 + $1 } }
        hasChanged = executors.contains(where: \.hasChanged)
    }

    /// What all have that name something.
    private static func common(_ ranges: [RangeSet<Int>?]) -> RangeSet<Int>? {
        let all = ranges.compactMap { $0 }
        return all.dropFirst().reduce(all.first) { $0?.intersection($1) }
    }
}
