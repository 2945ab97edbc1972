internal import Dataflow
internal import Training

/// Everything that a coordinator decides: events in, answers and views out. No socket, no clock, no thread; `now` is the time
/// since the job began.
///
/// Who takes part is in `JobState+Membership`, what they do in `JobState+Work`, when a phase ends in `JobState+Phases`.
package struct JobState {
    let facts: Facts
    package internal(set) var membership: Membership
    package internal(set) var leases: BatchLeases
    var views = ViewRecord()
    package internal(set) var record = TrainingRecord()
    var evaluation: EvaluationSchedule
    package var checkpoints = CheckpointProgress()
    /// Of the checkpoint at the job's end.
    var lastLabel: Int?
    var finishedBatches: [TrainingRecord.Entry] = []
    /// Lines for the log.
    package internal(set) var events: [String] = []
    /// When the first step could begin, and when training was over.
    var trainingBegan: Duration?
    var trainingEnded: Duration?
    package internal(set) var leasedAgain = 0
    /// Once decided.
    package internal(set) var outcome: (status: JobReport.Status, reason: String?)?
    var reports = ServerReports()
    package internal(set) var missed: MissedExamples
    /// Additional steps that are closed.
    var additionalSteps = 0
    /// Dead workers, and the view that lacks them, once there is one. Their batches are leased anew when all servers act on
    /// that view.
    var departed: [(worker: WorkerIdentity, view: UInt64?)] = []
    /// Who takes part has changed since the last view.
    var viewIsDue = false
    /// Synchronous workers that asked for work beyond the limit.
    var idle: Set<UInt64> = []
    var withoutWorkersSince: Duration?
    var stopBegan = Duration.zero
    var notFinite: NotFiniteRecord
    /// The job failed because its training diverged.
    var hasDiverged = false

    package init(_ facts: Facts) {
        self.facts = facts
        let cluster = facts.config.cluster
        membership = Membership(servers: cluster.servers, workers: cluster.workers, timeout: cluster.heartbeatTimeout)
        let all = facts.totalSteps
        leases = BatchLeases(
            total: all, done: facts.done.intersection(RangeSet(0..<max(all, 0))),
            leaseSize: BatchLeases.leaseSize(total: all, workers: cluster.workers))
        evaluation = EvaluationSchedule(facts, from: leases.firstUndone())
        missed = MissedExamples(totalSteps: all, schedule: facts.schedule, missed: facts.missed)
        notFinite = NotFiniteRecord(facts.config.train.onNaN)
        record.passesOverNaN = facts.config.train.onNaN == .skip
    }

    package var view: ClusterView { views.newest }
    package var phase: Phase { view.phase }
    var isSynchronous: Bool { facts.config.cluster.consistency.isSynchronous }
    var backup: Int { facts.config.cluster.consistency.backup }
    /// Whether what dead workers have left is trained by others: where each step waits for all the living.
    package var makesUp: Bool { isSynchronous && backup == 0 }
    var savesCheckpoints: Bool { facts.config.checkpoint.directory != nil }
    /// Batches that are done.
    package var step: Int { leases.doneCount }

    /// What the last evaluation gave.
    package var lastEvaluation: EvaluationSum? { evaluation.last?.sum }

    mutating func note(event: String) { events.append(event) }

    package mutating func takeEvents() -> [String] {
        defer { events = [] }
        // What nodes say of themselves stands in them.
        return events.map(TerminalText.line)
    }

    /// - Parameter isLast: also those that lack the report of a part.
    mutating func takeFinishedBatches(isLast: Bool = false) -> [TrainingRecord.Entry] {
        defer { finishedBatches = [] }
        return finishedBatches + (isLast ? record.takeOpen() : [])
    }

    /// What became of one worker's gradients on all servers, or of all workers'.
    package func tally(of worker: Int? = nil) -> WorkerTally { reports.tally(of: worker) }

    /// Updates were made in this run, and none has changed a Variable: the rate is 0, say.
    package var hasTrainedNothing: Bool {
        stepsOfRun > 0 && tally().applied > 0 && !reports.hasChanged && !hasDiverged
    }

    /// Steps that this run has made.
    var stepsOfRun: Int { leases.done.subtracting(facts.done).total }

    /// Examples that this run has trained on.
    package var samples: Int { makesUp ? examplesOfRun - missingNow.total : record.samples }

    /// Examples of the closed synchronous steps that the values lack.
    var missingNow: RangeSet<Int> { missed.missing(below: closedSteps) }

    /// Synchronous steps that are closed, additional ones included.
    var closedSteps: Int { leases.firstUndone() + additionalSteps }

    /// Examples of the batches done in this run that some shard's updates lack.
    package var missedExamples: Int {
        guard !makesUp else { return missingNow.total }
        // What a shard had before, it does not take again.
        let ahead = facts.ahead.map { examples(in: $0.intersection(leases.done)) }.max() ?? 0
        return max(0, reports.leastExamples.map { examplesOfRun - ahead - $0 } ?? 0)
    }

    /// Examples that some embedding table's updates of this run have twice, for others would have lacked them.
    package var repeatedExamples: Int {
        isSynchronous ? max(0, reports.mostExamples - (makesUp ? samples : examplesOfRun)) : 0
    }

    /// Of the batches done in this run, and those that the run before has left.
    private var examplesOfRun: Int {
        let left = makesUp ? facts.missed.total : 0
        return left + examples(in: leases.done.subtracting(facts.done))
    }

    func examples(in batches: RangeSet<Int>) -> Int {
        batches.ranges.reduce(0) { $0 + facts.schedule.positions(ofBatches: $1).count }
    }

    // MARK: Views

    mutating func publish(
        _ phase: Phase, _ reason: String = "", checkpointStep: Int = 0, closed: ClosedStep? = nil, now: Duration
    ) {
        var view = membership.view(number: self.view.number + 1, phase: phase, reason: reason)
        view.checkpointStep = checkpointStep
        view.closed = closed
        views.publish(view, now: now)
    }

    /// The view that a node gets which acts on another.
    package func view(after number: UInt64, for incarnation: UInt64, _ role: Role) -> ClusterView {
        views.next(after: number, for: incarnation, role)
    }
}
