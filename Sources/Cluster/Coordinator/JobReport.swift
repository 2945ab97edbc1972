/// What became of a job: the last line of stdout under `--json`.
public struct JobReport: Codable, Sendable, Equatable {
    /// How a job ended.
    public enum Status: String, Codable, Sendable, CaseIterable {
        /// All its updates are made.
        case finished
        /// It was asked to end before that.
        case stopped
        /// `JobReport.reason` says why.
        case failed
    }

    public struct Node: Codable, Sendable, Equatable {
        /// How far a node came.
        public enum State: String, Codable, Sendable, CaseIterable {
            /// It had a number, and never took part.
            case joined
            /// It took part until the end, and has not said that it ended.
            case ready
            /// It ended in good order.
            case finished
            /// It was silent for too long, or its process ended.
            case dead
        }

        public var number: Int
        public var host: String
        public var pid: Int
        public var state: State
        public var steps: Int
        /// Of a child process.
        public var exitStatus: Int?
        /// What became of a worker's gradients.
        public var gradients: Gradients?

        enum CodingKeys: String, CodingKey {
            case number, host, pid, state, steps, gradients
            case exitStatus = "exit_status"
        }
    }

    /// What became of gradients, each shard's part of a step being one.
    public struct Gradients: Codable, Sendable, Equatable {
        /// Why a gradient did not go in.
        public enum Drop: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
            /// The step had closed without it.
            case late
            /// Its worker was declared dead.
            case dead
            /// Its batch is in the values already, by another push.
            case repeated
            /// It was not finite, or another's of the same step.
            case notFinite = "not_finite"
        }

        public var applied: Int
        /// By reason.
        public var dropped: [Drop: Int]
        /// Updates applied between pull and push: mean and largest over the applied.
        public var meanStaleness: Double
        public var maxStaleness: Int
        /// How many had a staleness of 0, 1, 2, 3–4, 5–8, …, by the largest of each; 1024 has all above 512.
        public var staleness: [Int: Int]

        enum CodingKeys: String, CodingKey {
            case applied, dropped, staleness
            case meanStaleness = "mean_staleness"
            case maxStaleness = "max_staleness"
        }

        init(_ tally: WorkerTally) {
            applied = tally.applied
            dropped = tally.dropped
            meanStaleness = tally.meanStaleness
            maxStaleness = tally.stalenessMax
            let counts = zip(WorkerTally.bounds, tally.histogram).filter { $0.1 > 0 }
            staleness = Dictionary(uniqueKeysWithValues: counts)
        }
    }

    public var status: Status
    /// Updates applied, those of earlier runs included.
    public var steps: Int
    /// Examples that this run trained on.
    public var samples: Int
    /// Of training and evaluating in this run.
    public var seconds: Double
    public var samplesPerSecond: Double
    /// On held-out examples after the last update, where there are any; else that of the last batches.
    public var loss: Double?
    /// Mean training loss of the last batches.
    public var trainLoss: Double?
    /// On held-out examples after the last update.
    @NullForNaN public var metrics: [String: Double]
    public var workers: [Node]
    public var servers: [Node]
    /// The manifest of the last checkpoint.
    public var checkpoint: String?
    /// Why what the job learned last could not be saved.
    public var checkpointError: String?
    /// Batches that were leased anew because a worker died.
    public var leasedAgain: Int
    /// What became of all workers' gradients.
    public var gradients: Gradients
    /// Examples of the batches done in this run that some Variables' updates lack: their gradients came too late for a step,
    /// or the job was stopped before they were made up for.
    public var missedExamples: Int
    /// Examples that some Variables' updates have twice: a worker died when not all of them had its part of a synchronous
    /// step.
    public var repeatedExamples: Int
    /// Steps whose update was left out because a loss or gradient was not finite.
    public var skippedSteps: Int
    /// The job failed because losses, gradients or values were not finite.
    public var hasDiverged: Bool
    /// Mean and largest number of updates applied between a pull and its push.
    public var meanStaleness: Double
    public var maxStaleness: Int
    /// Why the job stopped or failed.
    public var reason: String?
    /// Why the file of the losses is not complete.
    public var lossesError: String?

    enum CodingKeys: String, CodingKey {
        case status, steps, samples, seconds, loss, metrics, workers, servers, checkpoint, reason, gradients
        case samplesPerSecond = "samples_per_second"
        case trainLoss = "train_loss"
        case checkpointError = "checkpoint_error"
        case lossesError = "losses_error"
        case leasedAgain = "batches_leased_again"
        case missedExamples = "examples_missed"
        case repeatedExamples = "examples_repeated"
        case skippedSteps = "steps_skipped"
        case hasDiverged = "diverged"
        case meanStaleness = "mean_staleness"
        case maxStaleness = "max_staleness"
    }
}

/// Numbers by name that are `null` in JSON where they are not finite.
@propertyWrapper
public struct NullForNaN: Codable, Sendable, Equatable {
    public var wrappedValue: [String: Double]

    public init(wrappedValue: [String: Double]) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode([String: Double?].self).mapValues { $0 ?? .nan }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue.mapValues { $0.isFinite ? $0 : nil })
    }
}

extension JobReport.Node.State {
    /// What the report says of a node's state at the end.
    init(_ state: Member.State) {
        switch state {
        case .joined: self = .joined
        case .ready: self = .ready
        case .left: self = .finished
        case .dead: self = .dead
        }
    }
}
