/// What became of a job: the last line of stdout under `--json`.
public struct JobReport: Codable, Sendable, Equatable {
    public struct Node: Codable, Sendable, Equatable {
        public var number: Int
        public var host: String
        public var pid: Int
        /// "finished", "dead", …
        public var state: String
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

    /// What became of gradients, each bundle's part of a step being one.
    public struct Gradients: Codable, Sendable, Equatable {
        public var applied: Int
        /// By reason: "late", its step had closed; "dead", its worker was declared dead; "repeated", its batch is in already.
        public var dropped: [String: Int]
        /// Updates applied between pull and push: mean and largest over the applied.
        public var meanStaleness: Double
        public var maxStaleness: Int
        /// How many had a staleness of 0, 1, 2, 3–4, 5–8, …, by the largest of each; "1024" has all above 512.
        public var staleness: [String: Int]

        enum CodingKeys: String, CodingKey {
            case applied, dropped, staleness
            case meanStaleness = "mean_staleness"
            case maxStaleness = "max_staleness"
        }

        init(_ tally: WorkerTally) {
            applied = tally.applied
            dropped = Dictionary(uniqueKeysWithValues: tally.dropped.map { ($0.key.rawValue, $0.value) })
            meanStaleness = tally.meanStaleness
            maxStaleness = tally.stalenessMax
            let counts = zip(WorkerTally.bounds, tally.histogram).filter { $0.1 > 0 }
            staleness = Dictionary(uniqueKeysWithValues: counts.map { ("\($0.0)", $0.1) })
        }
    }

    /// "finished", "stopped" or "failed".
    public var status: String
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

/// How far a job is, for a progress line.
public struct Progress: Sendable, Equatable {
    public struct Evaluation: Sendable, Equatable {
        public var step: Int
        public var loss: Double
        public var metrics: [String: Double]
    }

    /// "waiting", "training", "evaluating", "stopping", "saving", "finished", "stopped" or "failed".
    public var phase = "waiting"
    public var step = 0
    public var totalSteps = 0
    /// From 0.
    public var epoch = 0
    public var epochs: Int?
    /// Mean over the last batches.
    public var loss: Double?
    public var metrics: [String: Double] = [:]
    public var samples = 0
    public var samplesPerSecond = 0.0
    public var secondsLeft: Double?
    public var workersAlive = 0
    public var workers = 0
    public var servers = 0
    /// The newest evaluation.
    public var evaluation: Evaluation?
    /// What became of all workers' gradients so far; nil before any reached a server.
    public var gradients: JobReport.Gradients?

    /// A job that waits for its nodes.
    public init() {}
}

/// A job as its coordinator tells it: what `tributary status` prints.
public struct JobStatus: Codable, Sendable {
    public struct Node: Codable, Sendable {
        public var role: String
        public var number: Int
        public var host: String
        public var pid: Int
        public var address: String
        public var state: String
        public var step: Int
        public var lastSeenSeconds: Double
        /// What became of a worker's gradients so far.
        public var gradients: JobReport.Gradients?

        enum CodingKeys: String, CodingKey {
            case role, number, host, pid, address, state, step, gradients
            case lastSeenSeconds = "last_seen_seconds"
        }
    }

    public var job: String
    public var phase: String
    public var step: Int
    public var totalSteps: Int
    public var epoch: Int
    /// Not a number before the first.
    public var loss: Double?
    @NullForNaN public var metrics: [String: Double]
    public var seconds: Double
    public var samples: Int
    public var samplesPerSecond: Double
    /// What became of all workers' gradients so far.
    public var gradients: JobReport.Gradients
    public var nodes: [Node]
    public var checkpoint: String
    public var failure: String

    enum CodingKeys: String, CodingKey {
        case job, phase, step, epoch, loss, metrics, seconds, samples, nodes, checkpoint, failure, gradients
        case totalSteps = "total_steps"
        case samplesPerSecond = "samples_per_second"
    }

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireStatusReport) throws(NodeError) {
        job = wire.job
        phase = wire.phase
        step = try Limit.step.check(wire.step, "StatusReport.step")
        totalSteps = try Limit.step.check(wire.totalSteps, "StatusReport.total_steps")
        epoch = try Limit.step.check(wire.epoch, "StatusReport.epoch")
        _ = try Limit.step.check(wire.checkpointStep, "StatusReport.checkpoint_step")
        loss = wire.loss
        _metrics = NullForNaN(wrappedValue: wire.metrics)
        seconds = wire.seconds
        samples = try Limit.total.check(wire.samples, "StatusReport.samples")
        samplesPerSecond = wire.samplesPerSecond
        nodes = try wire.nodes.map { (node) throws(NodeError) in
            Node(
                role: node.role == .server ? "server" : "worker",
                number: try Limit.node.check(node.number, "NodeStatus.number"), host: node.host,
                pid: try Limit.process.check(node.pid, "NodeStatus.pid"), address: node.address, state: node.state,
                step: try Limit.step.check(node.step, "NodeStatus.step"), lastSeenSeconds: node.lastSeenSeconds,
                gradients: node.hasTally ? JobReport.Gradients(try WorkerTally(node.tally, .total)) : nil)
        }
        gradients = JobReport.Gradients(try WorkerTally(wire.tally, .total))
        checkpoint = wire.checkpoint
        failure = wire.failure
    }
}
