/// What a coordinator gives a worker to do.
package enum LeasedWork: Equatable, Sendable {
    /// Batches to train on.
    case batches([Range<Int>])
    /// A synchronous step after the last that has a batch: of examples, by their positions in the job's order, that dead
    /// workers have left.
    case additional(step: Int, RangeSet<Int>)
    /// Held-out batches to evaluate.
    case evaluation(round: Int, Range<Int>)
    /// Nothing now.
    case nothing
}
