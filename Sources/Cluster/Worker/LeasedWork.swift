/// What a coordinator gives a worker to do.
package enum LeasedWork: Equatable, Sendable {
    /// Batches to train on.
    case batches([Range<Int>])
    /// Held-out batches to evaluate.
    case evaluation(round: Int, Range<Int>)
    /// Nothing now.
    case nothing

    /// - Throws: `NodeError` for batches that cannot be.
    package init(_ lease: WireLease) throws {
        func range(_ first: Int64, _ count: Int64) throws -> Range<Int> {
            guard DataHeader.numbers.contains(first), DataHeader.numbers.contains(count) else {
                throw NodeError(.refused, "the coordinator leases \(count) batches from \(first) on, which cannot be")
            }
            return Int(first)..<Int(first + count)
        }
        if lease.hasEvaluation {
            let evaluation = lease.evaluation
            self = .evaluation(round: Int(evaluation.round), try range(evaluation.first, evaluation.count))
        } else {
            let ranges = try lease.ranges.map { try range($0.first, $0.count) }
            self = ranges.isEmpty ? .nothing : .batches(ranges)
        }
    }
}
