/// What a worker does next: what comes of its requests in, one task at a time out. No socket, no clock, no tensors.
package struct WorkerState: Sendable {
    package enum Task: Equatable, Sendable {
        /// Get all values; the request names how often the worker has paused.
        case pull(pauses: UInt64)
        /// Tell what was done and ask for work.
        case ask
        /// Train on a batch of its own and push under this clock.
        case train(batch: Int, step: Int, clock: UInt64)
        /// Train this worker's part of a step, as this view divides it, and what it has to make up for since the view that
        /// divided its last step (0 before its first). Where the view lacks it, wait for the step's end.
        case trainTogether(step: Int, view: UInt64, since: UInt64)
        case evaluate(round: Int, Range<Int>)
        /// Tell all servers that nobody is to wait for this worker.
        case pause(pauses: UInt64)
        /// There is no work: ask again later.
        case rest
    }

    /// What the answers to a pull or a push say: those of the arbiter, the bundle by which all workers go.
    package struct Outcome: Equatable, Sendable {
        /// The updates that the values have; the open step, where steps are synchronous.
        package var step: Int
        /// The view that divides that step; the worker's clock under bounded staleness.
        package var clock: UInt64
        /// The gradient came too late for its step.
        package var isLate: Bool

        package init(step: Int = 0, clock: UInt64 = 0, isLate: Bool = false) {
            self.step = step
            self.clock = clock
            self.isLate = isLate
        }
    }

    package private(set) var task: Task = .pull(pauses: 0)
    private let isSynchronous: Bool
    private let isBounded: Bool
    private var step = 0
    private var clock: UInt64 = 0
    /// The view that divided its last step.
    private var lastView: UInt64 = 0
    private var pauses: UInt64 = 0
    private var isPaused = false
    /// Batches of its own, still to be trained on.
    private var batches: [Range<Int>] = []
    /// Where the steps end that it trains together with others.
    private var end = 0
    private var evaluation: (round: Int, batches: Range<Int>)?

    package init(_ consistency: JobConfig.Cluster.Consistency) {
        isSynchronous = consistency.isSynchronous
        isBounded = consistency.isBounded
    }

    // MARK: Events

    package mutating func pulled(_ outcome: Outcome) {
        step = max(step, outcome.step)
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
                // Others have not yet told what this one knows is done.
                if step >= end { task = .rest } else { train() }
            } else {
                batches = ranges
                // What others did while it rested is more than the bound allows.
                if isPaused { task = .pull(pauses: pauses) } else { train() }
            }
        }
    }

    /// The arbiter says which step is open, after a wait for one that this worker may take part in.
    package mutating func waited(_ outcome: Outcome) {
        step = max(step, outcome.step)
        // The values here are of an older step.
        task = .pull(pauses: pauses)
    }

    /// The push of the task is answered.
    ///
    /// - Parameter view: that divided a synchronous step.
    package mutating func pushed(_ outcome: Outcome, dividedBy view: UInt64 = 0) {
        if isSynchronous {
            lastView = view
            // The servers say which step is next: with backup workers, one that is late is led to it.
            let hasSkipped = outcome.step > step + 1
            step = max(step + 1, outcome.step)
            clock = outcome.clock
            if hasSkipped {
                // Bundles that still wait for its parts of the steps between learn that none will come.
                task = .pull(pauses: pauses)
                return
            }
        } else {
            step += 1
            clock &+= 1
            batches[0] = batches[0].dropFirst()
        }
        train()
    }

    /// The task, which is none of the others, is done.
    package mutating func done() {
        if case .pause = task { task = .rest } else { task = .ask }
    }

    private mutating func train() {
        if isSynchronous {
            task = step < end ? .trainTogether(step: step, view: clock, since: lastView) : .ask
            return
        }
        while let first = batches.first, first.isEmpty { batches.removeFirst() }
        task = batches.first.map { .train(batch: $0.lowerBound, step: step, clock: clock) } ?? .ask
    }
}
