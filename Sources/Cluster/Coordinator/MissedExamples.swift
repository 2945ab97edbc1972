package import Training

/// Examples that some bundle lacks because a worker died or left with its part of a synchronous step, and who makes up for
/// them.
///
/// What servers miss is divided among the workers of the next view, and each adds its share to its part of the first step
/// that it trains by that view or a newer one. Steps wait for all their living members, so that this is the same step for
/// all of them; the share of one who died before is given out anew. Each example thus goes into every bundle at least once,
/// and twice into one that had the part which another lacked.
package struct MissedExamples: Sendable {
    /// What one view gave out.
    private struct MakeUp {
        let view: UInt64
        /// Positions in the job's order of examples, by the incarnation of each of the view's workers.
        var shares: [UInt64: RangeSet<Int>]
        /// The step into which they went; nil until one of those workers has told of it.
        var step: Int?

        /// Nothing is left of it that may still be trained.
        var isOver: Bool { step != nil || shares.values.allSatisfy(\.isEmpty) }
    }

    /// Steps below this have parts; those that come after the last, for what was missed of it, have none.
    private let totalSteps: Int
    private let schedule: BatchSchedule
    /// Of no worker yet.
    private var open: RangeSet<Int>
    /// The newest last.
    private var makeUps: [MakeUp] = []
    private var told: Set<MissedPart> = []
    private var toldSteps = RangeSet<Int>()

    /// For a checkpoint that comes late, and for servers that tell late.
    private static let memory = 64

    /// - Parameter missed: positions that an earlier run has left.
    package init(totalSteps: Int, schedule: BatchSchedule, missed: RangeSet<Int> = RangeSet()) {
        self.totalSteps = totalSteps
        self.schedule = schedule
        open = missed
    }

    /// Whether nothing is left to make up for, as far as servers have told.
    package var isEmpty: Bool { open.isEmpty && isOver }

    /// Whether there is something for a new view to give out.
    package var isDue: Bool { !open.isEmpty && isOver }

    private var isOver: Bool { makeUps.last?.isOver ?? true }

    private func positions(_ part: MissedPart) -> Range<Int> {
        part.step < totalSteps ? schedule.positions(ofBatch: part.step, rank: part.rank, of: part.count) : 0..<0
    }

    /// Takes a part that some bundle will never have.
    package mutating func note(_ part: MissedPart) {
        guard told.insert(part).inserted else { return }
        open.insert(contentsOf: positions(part))
        // If the worker had a share, it went into its first step by the view that gave it out or a newer one: into this one,
        // if not into one before. The step that is known may be a later one than that.
        for i in makeUps.indices where makeUps[i].view <= part.view && part.step <= makeUps[i].step ?? part.step {
            open.formUnion(makeUps[i].shares.removeValue(forKey: part.incarnation) ?? RangeSet())
        }
    }

    /// Takes steps that are over and of which some table knows nothing, for all died who had told the other bundles.
    package mutating func note(steps: RangeSet<Int>) {
        let new = steps.subtracting(toldSteps)
        for range in new.intersection(RangeSet(0..<totalSteps)).ranges {
            open.insert(contentsOf: schedule.positions(ofBatches: range))
        }
        for i in makeUps.indices where makeUps[i].step.map({ new.contains($0) }) ?? false {
            for share in makeUps[i].shares.values { open.formUnion(share) }
            makeUps[i].shares = [:]
        }
        toldSteps.formUnion(steps)
    }

    /// Gives out what is missed, no more than `most` examples at once, and adds to the view what is given out. Returns how
    /// many examples are given out by this view.
    @discardableResult
    package mutating func divide(amongWorkersOf view: inout ClusterView, most: Int) -> Int {
        var count = 0
        if isDue, !view.workers.isEmpty {
            let positions = Array(open.ranges.joined().prefix(most))
            count = positions.count
            var shares: [UInt64: RangeSet<Int>] = [:]
            for worker in view.workers {
                let part = BatchSchedule.part(of: positions.count, rank: worker.rank, of: view.workers.count)
                shares[worker.incarnation] = positions[part].reduce(into: RangeSet()) {
                    $0.insert(contentsOf: $1..<$1 + 1)
                }
            }
            for share in shares.values { open.subtract(share) }
            makeUps = (makeUps + [MakeUp(view: view.number, shares: shares)]).suffix(Self.memory)
        }
        guard let newest = makeUps.last, !newest.isOver else { return count }
        view.makeUps = view.workers.compactMap { worker in
            let share = newest.shares[worker.incarnation] ?? RangeSet()
            return share.isEmpty
                ? nil : ClusterView.MakeUp(view: newest.view, incarnation: worker.incarnation, positions: share)
        }
        return count
    }

    /// A worker tells of a step that is closed everywhere.
    ///
    /// - Parameter view: that divided it.
    package mutating func closed(_ step: Int, of view: ClusterView, by incarnation: UInt64) {
        guard var newest = makeUps.last, view.number >= newest.view else { return }
        let wasOver = newest.isOver
        if newest.shares[incarnation] != nil { newest.step = min(newest.step ?? step, step) }
        defer { makeUps[makeUps.count - 1] = newest }
        if wasOver { return }
        for absent in Set(newest.shares.keys).subtracting(view.workers.map(\.incarnation)) {
            open.formUnion(newest.shares.removeValue(forKey: absent) ?? RangeSet())
        }
    }

    /// What the values of a checkpoint lack that holds the steps below `step`.
    ///
    /// - Parameter absent: parts that had not come when it was made, but are not missed.
    package func missing(below step: Int, absent: Set<MissedPart> = []) -> RangeSet<Int> {
        var missing = open
        for part in absent.subtracting(told) { missing.insert(contentsOf: positions(part)) }
        for makeUp in makeUps where makeUp.step ?? step >= step {
            for share in makeUp.shares.values { missing.formUnion(share) }
        }
        return missing.intersection(RangeSet(0..<schedule.positions(ofBatch: min(max(step, 0), totalSteps)).lowerBound))
    }
}
