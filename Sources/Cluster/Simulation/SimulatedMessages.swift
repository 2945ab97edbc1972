/// What a simulated worker sends to a bundle's lane. Its bytes are only counted.
struct SimulatedRequest {
    enum Kind { case pull, push, pushOnly, wait, pause }

    var kind: Kind
    var worker: Int
    /// An answer to another request than the worker's newest about this bundle is not heard.
    var number: Int
    var bundle: Int
    var holder: WorkerIdentity
    var step = 0
    var batch = 0
    /// Those of the gradient, by their positions in the job's order.
    var positions = RangeSet<Int>()
    var clock: UInt64 = 0

    var examples: Int { positions.total }

    /// Whether a gradient comes with it, or has come before.
    var hasGradient: Bool { examples > 0 }
}

struct SimulatedReply {
    enum Kind: Equatable { case values, late, done, waiting, refused(String) }

    var kind: Kind
    var number: Int
    var bundle: Int
    var step = 0
    var clock: UInt64 = 0
}

/// What nodes ask of the coordinator.
enum ControlRequest {
    case register
    case heartbeat(WireHeartbeat)
    /// Sums of an evaluation, then a wish for work.
    case work(WireLeaseEvaluation?, WireLeaseBatches)
    case leave(WireLeave)
}

enum ControlReply {
    case number(Int)
    case view(ClusterView)
    case lease(WireLease)
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
    case laneActs(server: Int, lane: Int)
    /// A request has waited long enough to be told so.
    case patience(bundle: Int, token: Int)
    /// No answer has come to a request.
    case timeout(worker: Int, bundle: Int, number: Int)
    case controlTimeout(SimulatedNode, number: Int)
    case exited(pid: Int)
    /// The worker has done what it was at: a computation, a rest, an evaluation.
    case woke(worker: Int, turn: Int)
}
