/// Where a job is in its life, as people see it.
public enum JobPhase: String, Codable, Sendable, CaseIterable {
    /// For servers and workers to join.
    case waiting
    case training
    /// On held-out examples; training waits.
    case evaluating
    /// Workers end the steps at hand.
    case stopping
    /// Servers write the last checkpoint.
    case saving
    case finished, stopped, failed
}

/// How far a job is, for a progress line.
public struct JobProgress: Sendable, Equatable {
    public struct Evaluation: Sendable, Equatable {
        public var step: Int
        public var loss: Double
        public var metrics: [String: Double]
    }

    public var phase = JobPhase.waiting
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
