/// A job as its coordinator tells it: what `tributary status` prints.
public struct JobStatus: Codable, Sendable {
    public struct Node: Codable, Sendable {
        /// How far a node is.
        public enum State: String, Codable, Sendable, CaseIterable {
            /// It has a number.
            case joined
            /// It can take part: a server whose Variables have values, a worker that has pulled them.
            case ready
            /// It ended in good order.
            case left
            /// It was silent for too long or its process ended.
            case dead
        }

        public var role: NodeRole
        public var number: Int
        public var host: String
        public var pid: Int
        public var address: String
        public var state: State
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
    public var phase: JobPhase
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
        guard let phase = JobPhase(rawValue: wire.phase) else {
            throw NodeError(.refused, "StatusReport.phase is \(ConfigValue.quoted(wire.phase)), which no job has")
        }
        self.phase = phase
        step = try Limit.step.check(wire.step, "StatusReport.step")
        totalSteps = try Limit.step.check(wire.totalSteps, "StatusReport.total_steps")
        epoch = try Limit.step.check(wire.epoch, "StatusReport.epoch")
        loss = wire.loss
        _metrics = NullForNaN(wrappedValue: wire.metrics)
        seconds = wire.seconds
        samples = try Limit.total.check(wire.samples, "StatusReport.samples")
        samplesPerSecond = wire.samplesPerSecond
        nodes = try wire.nodes.map { (node) throws(NodeError) in
            guard let state = Node.State(rawValue: node.state) else {
                throw NodeError(.refused, "NodeStatus.state is \(ConfigValue.quoted(node.state)), which no node has")
            }
            return Node(
                role: node.role == .server ? .server : .worker,
                number: try Limit.node.check(node.number, "NodeStatus.number"), host: node.host,
                pid: try Limit.process.check(node.pid, "NodeStatus.pid"), address: node.address, state: state,
                step: try Limit.step.check(node.step, "NodeStatus.step"), lastSeenSeconds: node.lastSeenSeconds,
                gradients: node.hasTally ? JobReport.Gradients(try WorkerTally(node.tally, .total)) : nil)
        }
        gradients = JobReport.Gradients(try WorkerTally(wire.tally, .total))
        checkpoint = wire.checkpoint
        failure = wire.failure
    }
}
