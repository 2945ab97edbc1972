/// What a worker found on one batch, or on its part of one.
package struct StepReport: Equatable, Sendable {
    package var batch: Int
    package var examples = 0
    /// Sums over the examples; any numbers, also those that are not finite. Of a metric as many as it needs.
    package var loss = 0.0
    package var metrics: [String: [Double]] = [:]
    /// The view that divided the batch; 0 where one worker has all of it.
    package var view: UInt64 = 0
    /// Of a synchronous step: parts that it lacks, as the lead shard closed it.
    package var absent: [AbsentPart] = []

    package init(batch: Int, view: UInt64 = 0) {
        self.batch = batch
        self.view = view
    }
}

/// What a worker found on a run of held-out batches.
package struct EvaluationReport: Equatable, Sendable {
    package var round: Int
    package var batches: Range<Int>
    package var sum: EvaluationSum

    package init(round: Int, batches: Range<Int>, sum: EvaluationSum) {
        self.round = round
        self.batches = batches
        self.sum = sum
    }
}

/// What a worker found that is not a finite number: in a loss, a gradient, or the values of a Variable.
package struct NotFiniteReport: Equatable, Sendable {
    package var worker: WorkerIdentity
    /// The batch, or the step after which it evaluated.
    package var step: Int
    /// "NaN", "inf" or "-inf"; empty where it is finite, or not known.
    package var loss = ""
    /// The Variable of the first gradient that is not finite, and what it holds; empty if there is none.
    package var gradient = ""
    package var gradientValue = ""
    /// The first Variable whose values are not finite, and what it holds; empty if there is none.
    package var variable = ""
    package var variableValue = ""
    /// Of held-out examples.
    package var isEvaluation = false

    package init(worker: WorkerIdentity, step: Int) {
        self.worker = worker
        self.step = step
    }
}
