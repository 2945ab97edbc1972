/// What a coordinator gives a worker to do.
package enum LeasedWork: Equatable, Sendable {
    /// Batches to train on.
    case batches([Range<Int>])
    /// Held-out batches to evaluate.
    case evaluation(round: Int, Range<Int>)
    /// Nothing now.
    case nothing

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ lease: WireLease) throws(NodeError) {
        if lease.hasEvaluation {
            let first = try Limit.step.check(lease.evaluation.first, "EvaluationLease.first")
            let count = try Limit.examples.check(lease.evaluation.count, "EvaluationLease.count")
            self = .evaluation(
                round: try Limit.step.check(lease.evaluation.round, "EvaluationLease.round"), first..<first + count)
        } else {
            let ranges = try RangeSet(lease.ranges, "Lease.ranges").ranges
            self = ranges.isEmpty ? .nothing : .batches(Array(ranges))
        }
    }
}
