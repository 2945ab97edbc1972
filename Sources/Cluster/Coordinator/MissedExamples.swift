package import Training

/// Examples that no shard has, for a worker died or left before it had pushed its part of a synchronous step everywhere; and
/// the additional steps after the last batch in which they are trained.
///
/// A step's gradients are in every shard or in none, so that an example is missing everywhere or nowhere.
package struct MissedExamples: Sendable {
    /// Steps below this have a batch.
    private let totalSteps: Int
    private let schedule: BatchSchedule
    /// Left by an earlier run.
    private let initial: RangeSet<Int>
    private var absent: Set<AbsentPart> = []
    /// By additional step, the positions of its examples.
    private var additional: [RangeSet<Int>] = []

    /// - Parameter missed: positions in the job's order of examples that an earlier run has left.
    package init(totalSteps: Int, schedule: BatchSchedule, missed: RangeSet<Int> = RangeSet()) {
        self.totalSteps = totalSteps
        self.schedule = schedule
        initial = missed
    }

    /// Additional steps that have been given out.
    package var additionalSteps: Int { additional.count }

    /// Takes a part that a closed step lacks.
    package mutating func note(_ part: AbsentPart) { absent.insert(part) }

    private func positions(_ part: AbsentPart) -> RangeSet<Int> {
        if part.step < totalSteps {
            return RangeSet(schedule.positions(ofBatch: part.step, rank: part.rank, of: part.parts))
        }
        let step = part.step - totalSteps
        guard additional.indices.contains(step) else { return RangeSet() }
        return Self.share(of: additional[step], rank: part.rank, of: part.parts)
    }

    /// The part of an additional step's examples that a worker trains.
    package static func share(of examples: RangeSet<Int>, rank: Int, of parts: Int) -> RangeSet<Int> {
        let part = BatchSchedule.part(of: examples.total, rank: rank, of: parts)
        var share = RangeSet<Int>()
        var begin = 0
        for range in examples.ranges {
            let inside =
                max(part.lowerBound, begin)..<max(min(part.upperBound, begin + range.count), part.lowerBound, begin)
            if !inside.isEmpty {
                let first = range.lowerBound + inside.lowerBound - begin
                share.insert(contentsOf: first..<first + inside.count)
            }
            begin += range.count
        }
        return share
    }

    /// Examples of the steps below `end` that the values after those steps lack.
    package func missing(below end: Int) -> RangeSet<Int> {
        var missing = initial
        for part in absent where part.step < min(end, totalSteps) { missing.formUnion(positions(part)) }
        for (index, examples) in additional.enumerated() where totalSteps + index < end {
            missing.subtract(examples)
            for part in absent where part.step == totalSteps + index { missing.formUnion(positions(part)) }
        }
        return missing
    }

    /// The examples of an additional step, when all steps before it are closed; nil if nothing is missing.
    ///
    /// - Parameter most: examples of a step.
    package mutating func examples(ofStep step: Int, most: Int) -> RangeSet<Int>? {
        let index = step - totalSteps
        if additional.indices.contains(index) { return additional[index] }
        let missing = missing(below: step)
        guard index == additional.count, !missing.isEmpty else { return nil }
        additional.append(
            missing.ranges.joined().prefix(max(most, 1)).reduce(into: RangeSet()) { $0.insert(contentsOf: $1..<$1 + 1) }
        )
        return additional[index]
    }
}
