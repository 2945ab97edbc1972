/// What a lane tells of its bundles.
struct LaneFacts {
    /// The view that it acts on.
    var view: UInt64 = 0
    /// Updates that all of them have; nil for a lane without bundles.
    var step: Int?
    /// Batches that all of them have; nil where of none that can be said.
    var applied: RangeSet<Int>?
    /// Steps of which all tables have every part, or never will; nil without tables.
    var settled: RangeSet<Int>?
    /// Parts of synchronous steps that one of them will never have.
    var missed: Set<MissedPart> = []
    /// Examples whose gradients all of them have, and the most that one of them has; nil for a lane without bundles.
    var examples: (least: Int, most: Int)?
    /// What became of each worker's gradients.
    var tallies: [Int: WorkerTally] = [:]
    /// An update has changed a Variable.
    var hasChanged = false

    init() {}

    init(_ bundles: [BundleState], view: UInt64, hasChanged: Bool = true) {
        self.view = view
        self.hasChanged = hasChanged
        step = bundles.map(\.steps).min()
        applied = Self.common(bundles.map(\.wholeBatches))
        settled = Self.common(bundles.map(\.settledSteps))
        missed = bundles.reduce(into: []) { $0.formUnion($1.missed) }
        let examples = bundles.map(\.ledger.examples)
        self.examples = examples.min().map { ($0, examples.max() ?? $0) }
        tallies = bundles.reduce(into: [:]) { $0.merge($1.ledger.record.workers) { $0 + $1 } }
    }

    /// Of all lanes of a server.
    init(_ lanes: [LaneFacts]) {
        view = lanes.map(\.view).min() ?? 0
        step = lanes.compactMap(\.step).min()
        applied = Self.common(lanes.map(\.applied))
        settled = Self.common(lanes.map(\.settled))
        missed = lanes.reduce(into: []) { $0.formUnion($1.missed) }
        let examples = lanes.compactMap(\.examples)
        self.examples = examples.map(\.least).min().map { ($0, examples.map(\.most).max() ?? $0) }
        tallies = lanes.reduce(into: [:]) { $0.merge($1.tallies) { $0 + $1 } }
        hasChanged = lanes.contains(where: \.hasChanged)
    }

    /// What all have that name something.
    private static func common(_ ranges: [RangeSet<Int>?]) -> RangeSet<Int>? {
        let all = ranges.compactMap { $0 }
        return all.dropFirst().reduce(all.first) { $0?.intersection($1) }
    }
}

extension LaneFacts {
    /// Of a server without bundles, which lacks nothing.
    private static let all = 1 << 52

    private var wireTallies: [WireWorkerTally] {
        tallies.sorted { $0.key < $1.key }.map { $1.wire(worker: $0) }
    }

    /// - Parameter acknowledged: parts that have been told.
    func tell(in beat: inout WireHeartbeat, except acknowledged: Set<MissedPart> = []) {
        beat.view = view
        beat.step = Int64(step ?? 0)
        beat.applied = (applied ?? RangeSet(0..<Self.all)).wire
        beat.settled = (settled ?? RangeSet(0..<Self.all)).wire
        beat.missed = missed.subtracting(acknowledged).map(\.wire)
        beat.examples = Int64(examples?.least ?? Self.all)
        beat.mostExamples = Int64(examples?.most ?? 0)
        beat.tallies = wireTallies
        beat.changed = hasChanged
    }

    func tell(in leave: inout WireLeave) {
        leave.step = Int64(step ?? 0)
        leave.examples = Int64(examples?.least ?? Self.all)
        leave.mostExamples = Int64(examples?.most ?? 0)
        leave.tallies = wireTallies
        leave.changed = hasChanged
    }
}
