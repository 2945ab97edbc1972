/// Which parts of synchronous steps a table lacks for good. It takes each worker's when it comes and closes no steps, but a
/// part that others have a counterpart of never comes once its worker has died.
struct TableParts: Sendable {
    private struct Step {
        /// The view that divides it.
        var view: UInt64
        /// Whose parts are here, or missed.
        var settled: Set<WorkerIdentity> = []
    }

    private(set) var missed: [MissedPart] = []
    /// Steps of which every part is here or missed.
    private(set) var settled: RangeSet<Int>
    /// Steps of which a part is here and another is not.
    private var open: [Int: Step] = [:]
    /// Ranks, by view.
    private var ranks: [UInt64: [WorkerIdentity: Int]] = [:]
    private var gone: Set<WorkerIdentity> = []
    /// The newest view that a part has named; older ones divide only steps that are open.
    private var lastNamed: UInt64 = 0

    /// More steps than workers can be at.
    private static let mostOpen = 2 * SynchronousBarrier.mostAhead

    /// - Parameter settled: steps in the values of a checkpoint.
    init(settled: RangeSet<Int> = RangeSet()) { self.settled = settled }

    /// Takes a newer view. Whoever was in an older one and is not in this one is gone.
    mutating func act(on view: ClusterView) {
        for older in ranks.values { gone.formUnion(older.keys) }
        gone.subtract(view.present)
        ranks[view.number] = Dictionary(
            view.workers.map { (WorkerIdentity(worker: $0.number, incarnation: $0.incarnation), $0.rank) },
            uniquingKeysWith: { first, _ in first })
        for step in open.keys.sorted() { settle(step) }
        let oldest = open.values.map(\.view).min() ?? lastNamed
        ranks = ranks.filter { $0.key >= min(oldest, lastNamed) }
    }

    /// Notes a worker's part of a step; of one without examples, repeats may come late.
    mutating func add(_ holder: WorkerIdentity, step: Int, view: UInt64) {
        guard !settled.contains(step) else { return }
        if ranks[view] != nil { lastNamed = max(lastNamed, view) }
        open[step, default: Step(view: view)].settled.insert(holder)
        settle(step)
        if open.count > Self.mostOpen, let oldest = open.keys.min() { open[oldest] = nil }
    }

    /// Parts of the steps before this that are not here, and are not missed yet: as one part those that nothing is known of.
    func absent(before step: Int) -> [MissedPart] {
        RangeSet(0..<max(step, 0)).subtracting(settled).ranges.joined().flatMap { number in
            guard let entry = open[number], let members = ranks[entry.view] else {
                return [MissedPart(step: number, view: 0, count: 1, incarnation: 0, rank: 0)]
            }
            return MissedPart.missing(of: members, step: number, view: entry.view) { entry.settled.contains($0) }
        }
    }

    private mutating func settle(_ number: Int) {
        guard var step = open[number], let members = ranks[step.view] else { return }
        missed += MissedPart.missing(of: members, step: number, view: step.view) {
            step.settled.contains($0) || !gone.contains($0)
        }
        step.settled.formUnion(gone.intersection(members.keys))
        open[number] = step
        guard step.settled.isSuperset(of: members.keys) else { return }
        open[number] = nil
        settled.insert(contentsOf: number..<number + 1)
    }
}
