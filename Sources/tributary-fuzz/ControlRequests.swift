import Cluster
import Foundation

/// Requests to a coordinator with fields of all sorts.
enum ControlRequests {
    static func kind(_ job: FuzzJob, _ chance: inout Chance) -> WireRequest.OneOf_Kind {
        let role: WireRole = chance.pick([.worker, .worker, .server, .unspecified])
        // Of the worker that has joined, mostly: what strangers ask is refused early.
        let worker = Int32(truncatingIfNeeded: chance.once(in: 6) ? chance.integer() : job.worker)
        let incarnation =
            chance.once(in: 6) ? UInt64(bitPattern: Int64(chance.integer())) : job.incarnation
        switch chance.below(11) {
        case 0: return .getConfiguration(WireGetConfiguration())
        case 1:
            var request = WireRegisterServer()
            request.dataAddresses = (0..<chance.below(4)).map { _ in
                chance.pick(["", "tcp://127.0.0.1:1", "inproc://x"])
            }
            request.version = chance.pick(["", NodeStart.version])
            request.incarnation = incarnation
            request.number = worker
            return .registerServer(request)
        case 2:
            var request = WireRegisterWorker()
            request.version = NodeStart.version
            request.incarnation = incarnation
            request.fingerprint = chance.pick(["", job.prepared.fingerprint])
            request.number = worker
            var variable = WireVariableInfo()
            variable.name = "weights"
            variable.dtype = chance.pick(["float32", "none"])
            variable.shape = (0..<chance.below(4)).map { _ in Int64(chance.integer()) }
            request.variables = [variable]
            return .registerWorker(request)
        case 3:
            var request = WireGetPart()
            request.server = chance.once(in: 2) ? 0 : worker
            request.offset = Int64(chance.integer())
            return .getPart(request)
        case 4:
            var request = WireServerReady()
            request.server = chance.once(in: 2) ? 0 : Int32(truncatingIfNeeded: chance.integer())
            request.incarnation = chance.once(in: 2) ? job.serverIncarnation : incarnation
            request.restoredStep = Int64(chance.integer())
            return .serverReady(request)
        case 5, 6:
            var request = WireHeartbeat()
            request.role = role
            request.number = worker
            request.incarnation = incarnation
            if role == .server, chance.once(in: 2) {
                (request.number, request.incarnation) = (0, job.serverIncarnation)
            }
            request.applied = ranges(&chance)
            request.settled = ranges(&chance)
            request.missed = parts(&chance)
            request.mostExamples = Int64(chance.integer())
            request.view = UInt64(bitPattern: Int64(chance.integer()))
            request.step = Int64(chance.integer())
            request.examples = Int64(chance.integer())
            var tally = WireWorkerTally()
            tally.worker = worker
            tally.applied = Int64(chance.integer())
            tally.dropped = ["late": Int64(chance.integer()), "other": 1]
            tally.stalenessSum = Int64(chance.integer())
            tally.stalenessMax = Int64(chance.integer())
            tally.histogram = (0..<20).map { _ in Int64(chance.integer()) }
            request.tallies = [tally, tally]
            request.done = results(&chance)
            return .heartbeat(request)
        case 7:
            var request = WireLeaseBatches()
            request.worker = worker
            request.incarnation = incarnation
            request.done = results(&chance)
            return .leaseBatches(request)
        case 8:
            var sum = WireEvaluationSum()
            sum.round = Int64(chance.integer())
            sum.first = Int64(chance.integer())
            sum.countBatches = Int64(chance.integer())
            sum.loss = Double(chance.number())
            sum.examples = Int64(chance.integer())
            var request = WireLeaseEvaluation()
            request.worker = worker
            request.incarnation = incarnation
            request.done = [sum]
            request.step = Int64(chance.integer())
            return .leaseEvaluation(request)
        case 9:
            var request = WireCheckpointWritten()
            request.server = chance.once(in: 2) ? 0 : Int32(truncatingIfNeeded: chance.integer())
            request.incarnation = chance.once(in: 2) ? job.serverIncarnation : incarnation
            request.sequence = UInt64(bitPattern: Int64(chance.integer()))
            request.step = Int64(chance.integer())
            request.bytes = Int64(chance.integer())
            request.applied = ranges(&chance)
            request.missed = parts(&chance)
            request.absent = parts(&chance)
            return .checkpointWritten(request)
        default:
            // Some end the job: a new one is begun then.
            switch chance.below(60) {
            case 0:
                var request = WireStop()
                request.now = chance.once(in: 2)
                return .stop(request)
            case 1:
                var request = WireLeave()
                request.role = role
                request.number = worker
                request.incarnation = incarnation
                request.done = results(&chance)
                request.step = Int64(chance.integer())
                return .leave(request)
            case 2..<20: return .checkpoint(WireCheckpoint())
            default: return .status(WireStatus())
            }
        }
    }

    private static func ranges(_ chance: inout Chance) -> [WireIndexRange] {
        (0..<chance.below(3)).map { _ in
            var range = WireIndexRange()
            range.first = Int64(chance.integer())
            range.count = Int64(chance.integer())
            return range
        }
    }

    private static func parts(_ chance: inout Chance) -> [WireMissedPart] {
        (0..<chance.below(3)).map { _ in
            var part = WireMissedPart()
            part.step = Int64(chance.integer())
            part.view = UInt64(chance.below(3))
            part.count = Int32(truncatingIfNeeded: chance.integer())
            part.rank = Int32(truncatingIfNeeded: chance.integer())
            part.incarnation = UInt64(bitPattern: Int64(chance.integer()))
            return part
        }
    }

    private static func results(_ chance: inout Chance) -> [WireStepResult] {
        (0..<chance.below(3)).map { _ in
            var result = WireStepResult()
            result.batch = Int64(chance.integer())
            result.examples = Int64(chance.integer())
            result.loss = Double(chance.number())
            var metric = WireMetricSum()
            metric.name = chance.pick(["", "accuracy"])
            metric.sum = Double(chance.number())
            result.metrics = [metric]
            return result
        }
    }
}
