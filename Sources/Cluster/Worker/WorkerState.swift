/// What a worker does next: what comes of its requests in, one task at a time out. No socket, no clock, no tensors.
package struct WorkerState: Sendable {
    package enum Task: Equatable, Sendable {
        /// Get all values; the request names how often the worker has paused.
        case pull(pauses: Int)
        /// Report what was done and ask for work.
        case ask
        /// Train on a batch of its own and push under this clock.
        case train(batch: Int, step: Int, clock: Int)
        /// Train this worker's part of a step, as this view divides it: of the batch with the step's number, or of these
        /// positions in the job's order of examples. Where the view lacks the worker, wait for the step's end.
        case trainTogether(step: Int, view: UInt64, examples: RangeSet<Int>?)
        case evaluate(round: Int, Range<Int>)
        /// Ask all servers to let nobody wait for this worker.
        case pause(pauses: Int)
        /// There is no work: ask again later.
        case rest
    }

    package private(set) var task: Task = .pull(pauses: 0)
    private let isSynchronous: Bool
    private let isBounded: Bool
    private var step = 0
    /// This worker's pushes so far, as bounded staleness counts them.
    private var clock = 0
    /// The view that divides the open step.
    private var view: UInt64 = 0
    private var pauses = 0
    private var isPaused = false
    /// Batches of its own, still to be trained on.
    private var batches: [Range<Int>] = []
    /// Where the steps end that it trains together with others.
    private var end = 0
    /// The examples of an additional step after the last that has a batch.
    private var additional: (step: Int, examples: RangeSet<Int>)?
    private var evaluation: (round: Int, batches: Range<Int>)?

    package init(_ consistency: JobConfig.Cluster.Consistency) {
        isSynchronous = consistency.isSynchronous
        isBounded = consistency.isBounded
    }

    // MARK: Events

    /// The values have come.
    package mutating func pulled(_ outcome: WorkerExchange.Outcome) {
        note(outcome)
        clock = outcome.clock
        isPaused = false
        if let (round, range) = evaluation {
            evaluation = nil
            task = .evaluate(round: round, range)
        } else {
            train()
        }
    }

    /// The answer to `ask`.
    package mutating func given(_ work: LeasedWork) {
        switch work {
        case .nothing where isBounded && !isPaused:
            pauses += 1
            isPaused = true
            task = .pause(pauses: pauses)
        case .nothing: task = .rest
        case .evaluation(let round, let range):
            evaluation = (round, range)
            task = .pull(pauses: pauses)
        case .batches(let ranges):
            if isSynchronous {
                end = ranges.last?.upperBound ?? 0
                // Others have not yet reported what this one knows is done.
                if step >= end { task = .rest } else { train() }
            } else {
                batches = ranges
                // What others did while it rested is more than the bound allows.
                if isPaused { task = .pull(pauses: pauses) } else { train() }
            }
        case .additional(let step, let examples):
            additional = (step, examples)
            end = step + 1
            if self.step >= end { task = .rest } else { train() }
        }
    }

    /// The step is over in which this worker had no part.
    package mutating func waited(_ outcome: WorkerExchange.Outcome) {
        note(outcome)
        train()
    }

    /// The push of the task is answered.
    package mutating func pushed(_ outcome: WorkerExchange.Outcome) {
        if isSynchronous {
            // With backup workers, one that is late goes on with the others' step.
            note(outcome)
        } else {
            step += 1
            clock += 1
            batches[0] = batches[0].dropFirst()
        }
        train()
    }

    /// The task, which is none of the others, is done.
    package mutating func done() {
        if case .pause = task { task = .rest } else { task = .ask }
    }

    private mutating func note(_ outcome: WorkerExchange.Outcome) {
        guard let open = outcome.open else { return }
        step = max(step, open.step)
        view = open.view
    }

    private mutating func train() {
        if isSynchronous {
            guard step < end else { return task = .ask }
            task = .trainTogether(
                step: step, view: view, examples: additional.flatMap { $0.step == step ? $0.examples : nil })
            return
        }
        while let first = batches.first, first.isEmpty { batches.removeFirst() }
        task = batches.first.map { .train(batch: $0.lowerBound, step: step, clock: clock) } ?? .ask
    }
}
