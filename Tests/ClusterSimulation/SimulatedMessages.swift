import Cluster

/// What a simulated worker sends to a shard. Its bytes are only counted.
struct SimulatedRequest {
    var index: Int
    var worker: WorkerIdentity
    var shard: Int
    var sequence: UInt64
    var request: ExchangeRequest
    /// Examples of the gradients, by their positions in the job's order.
    var positions = RangeSet<Int>()
    /// Updates in the shard's values that the gradients were computed from.
    var basis = 0

    /// The push that comes with it.
    var push: GradientPush? { if case .push(let push) = request { push } else { nil } }
}

struct SimulatedReply {
    var shard: Int
    var sequence: UInt64
    var reply: ExchangeReply
}

/// What nodes ask of the coordinator.
enum ControlRequest {
    case register
    case heartbeat(NodeReport)
    /// Sums of an evaluation, then a wish for work.
    case work([EvaluationReport], done: [StepReport])
    case checkpoint(CheckpointPart, server: Int, sequence: UInt64)
    case leave(NodeReport)
}

enum ControlReply {
    case number(Int)
    case view(ClusterView)
    case lease(LeasedWork)
    case refused(String)
}

enum SimulatedNode: Equatable { case server(Int), worker(Int) }

/// What a simulated cluster waits for.
enum SimulatedEvent {
    case tick
    case fault(SimulationPlan.Fault)
    case stop
    case request(SimulatedRequest)
    case reply(SimulatedReply, worker: Int)
    case control(ControlRequest, from: SimulatedNode, number: Int)
    case controlReply(ControlReply, to: SimulatedNode, number: Int)
    case executorActs(server: Int, executor: Int)
    /// A request has waited long enough for an answer that says so.
    case patience(shard: Int, token: Int)
    /// No answer has come to a request.
    case timeout(worker: Int, shard: Int, sequence: UInt64)
    case controlTimeout(SimulatedNode, number: Int)
    case exited(pid: Int)
    /// The worker has done what it was at: a computation, a rest, an evaluation.
    case woke(worker: Int, turn: Int)
}
