/// What a worker found on one batch, or on its part of one.
package struct StepReport: Sendable {
    package let batch: Int
    package let examples: Int
    /// Sums over the examples; any numbers, also those that are not finite. Of a metric as many as it needs.
    package let loss: Double
    package let metrics: [String: [Double]]
    /// The view that divided the batch; 0 where one worker has all of it.
    package let view: UInt64

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireStepResult) throws(NodeError) {
        batch = try Limit.step.check(wire.batch, "StepResult.batch")
        examples = try Limit.examples.check(wire.examples, "StepResult.examples")
        loss = wire.loss
        metrics = wire.metrics.sums
        view = wire.view
    }
}

/// What a worker found on a run of held-out batches.
package struct EvaluationReport: Sendable {
    package let round: Int
    package let batches: Range<Int>
    package let sum: EvaluationSum

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireEvaluationSum) throws(NodeError) {
        round = try Limit.step.check(wire.round, "EvaluationSum.round")
        let first = try Limit.step.check(wire.first, "EvaluationSum.first")
        let count = try Limit.examples.check(wire.countBatches, "EvaluationSum.count_batches")
        batches = first..<first + count
        sum = EvaluationSum(
            loss: wire.loss, metrics: wire.metrics.sums,
            examples: try Limit.examples.check(wire.examples, "EvaluationSum.examples"))
    }
}

extension [WireMetricSum] {
    fileprivate var sums: [String: [Double]] { Dictionary(map { ($0.name, $0.sums) }, uniquingKeysWith: { $1 }) }
}
