import Cluster

/// The updates between two moments of a job.
struct StepMeter {
    private var started: ContinuousClock.Instant?
    private var begin: (time: ContinuousClock.Instant, step: Int)?
    private var end: (time: ContinuousClock.Instant, step: Int)?
    private(set) var firstLoss: Double?
    private(set) var lastLoss: Double?

    /// Length of the timed part, once it is over.
    var seconds: Double? {
        guard let begin, let end else { return nil }
        return (end.time - begin.time).seconds
    }

    var stepsPerSecond: Double? {
        guard let begin, let end, let seconds else { return nil }
        return Double(end.step - begin.step) / seconds
    }

    /// Takes in how far the job is; true once the timed part is over.
    mutating func note(_ progress: JobProgress, warmup: Double, seconds: Double) -> Bool {
        guard end == nil, progress.step > 0 else { return end != nil }
        let now = ContinuousClock.now
        firstLoss = firstLoss ?? progress.loss
        lastLoss = progress.loss ?? lastLoss
        guard let started else {
            self.started = now
            return false
        }
        if let begin {
            // A time counts when the updates have changed, for progress comes some times a second.
            if now - begin.time >= .seconds(seconds) { end = (now, progress.step) }
        } else if now - started >= .seconds(warmup) {
            begin = (now, progress.step)
        }
        return end != nil
    }
}
