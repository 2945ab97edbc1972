internal import Training

/// When a job evaluates held-out examples, and how far that is: training stops at each point until it is done.
struct EvaluationSchedule: Sendable {
    /// The one that goes on.
    private(set) var round: EvaluationRound?
    /// What the last one gave.
    private(set) var last: (step: Int, sum: EvaluationSum)?
    /// Batches below this are trained on before the next evaluation, or the end.
    private(set) var limit: Int
    private var evaluatedAt = -1
    /// Held-out batches.
    private let batches: Int
    /// Updates from one evaluation to the next; nil: until an epoch ends.
    private let interval: Int?
    private let schedule: BatchSchedule
    private let totalSteps: Int

    /// - Parameter first: the batch that training begins with.
    init(_ facts: JobState.Facts, from first: Int) {
        batches = facts.evaluationBatches
        interval = facts.config.train.evaluateEverySteps.map { max($0, 1) }
        schedule = facts.schedule
        totalSteps = facts.totalSteps
        limit = 0
        limit = limit(after: first)
    }

    /// The first point after `batch`.
    private func limit(after batch: Int) -> Int {
        guard batches > 0 else { return totalSteps }
        let next = interval.map { (batch / $0 + 1) * $0 }
        return min(next ?? schedule.firstBatch(ofEpoch: schedule.epoch(ofBatch: batch) + 1), totalSteps)
    }

    /// Held-out batches for a worker that asks; nil if none are to be had.
    mutating func lease(to worker: WorkerIdentity) -> (round: Int, batches: Range<Int>)? {
        // One that holds batches has not got the answer that gave it those.
        let held = round?.held(by: worker.worker, incarnation: worker.incarnation).first
        guard let number = round?.number,
            let batches = held ?? round?.lease(to: worker.worker, incarnation: worker.incarnation, count: 1)
        else { return nil }
        return (number, batches)
    }

    /// Takes a sum of the round that goes on.
    mutating func add(_ report: EvaluationReport, by worker: WorkerIdentity) {
        guard report.round == round?.number else { return }
        round?.complete(report.batches, sum: report.sum, by: worker.worker, incarnation: worker.incarnation)
    }

    mutating func workerDied(_ worker: Int, incarnation: UInt64) {
        round?.workerDied(worker, incarnation: incarnation)
    }

    /// Ends the round if all of it is reported; false if one still goes on.
    mutating func endRound() -> Bool {
        guard let round else { return true }
        guard round.isComplete else { return false }
        last = (round.step, round.result)
        self.round = nil
        evaluatedAt = round.step
        limit = limit(after: round.step)
        return true
    }

    /// Begins the round that is due at `limit`; false if there is none.
    mutating func beginRound() -> Bool {
        guard batches > 0, evaluatedAt < limit else { return false }
        round = EvaluationRound(number: limit, step: limit, batches: batches)
        return true
    }
}
