import Cluster
import Foundation

/// Requests to a coordinator as its nodes send them, mostly.
enum ControlRequests {
    static func kind(_ job: FuzzJob, _ chance: inout Chance) -> WireRequest.OneOf_Kind {
        let role: WireRole = chance.pick([.worker, .worker, .server])
        // Of the worker that has joined, mostly: what strangers ask is refused early.
        let worker = Int32(truncatingIfNeeded: chance.once(in: 12) ? chance.integer() : job.worker)
        let incarnation = chance.once(in: 12) ? chance.next() : job.incarnation
        switch chance.below(13) {
        case 0:
            return .getConfiguration(WireGetConfiguration())
        case 1:
            var request = WireRegisterServer()
            request.dataAddresses = (0..<chance.below(4)).map { _ in
                chance.pick(["", "tcp://127.0.0.1:1", "inproc://x"])
            }
            request.version = chance.pick(["", NodeStart.version])
            request.incarnation = chance.once(in: 2) ? incarnation : job.serverIncarnation
            request.number = worker
            return .registerServer(request)
        case 2:
            var request = WireRegisterWorker()
            request.version = NodeStart.version
            request.incarnation = incarnation
            request.fingerprint = chance.once(in: 4) ? "" : job.prepared.fingerprint
            request.number = worker
            var variable = WireVariableInfo()
            variable.name = "weights"
            variable.dtype = chance.pick(["float32", "none"])
            variable.shape = [3, 2]
            request.variables = [variable]
            return .registerWorker(request)
        case 3: return .getPart(WireGetPart())
        case 4:
            var request = WireServerReady()
            request.incarnation = chance.once(in: 2) ? job.serverIncarnation : incarnation
            return .serverReady(request)
        case 5, 6: return .heartbeat(heartbeat(job, role, worker, incarnation, &chance))
        case 7:
            var request = WireLeaseBatches()
            request.worker = worker
            request.incarnation = incarnation
            request.done = results(&chance)
            return .leaseBatches(request)
        case 8, 9: return .evaluated(evaluation(job, &chance))
        case 10: return .checkpointWritten(written(job, &chance))
        case 11:
            var request = WireNotFinite()
            request.worker = worker
            request.incarnation = incarnation
            // Values of Variables that are not finite end the job.
            request.loss = "NaN"
            request.evaluating = !chance.once(in: 20)
            return .notFinite(request)
        default:
            // Some end the job: a new one is begun then.
            switch chance.below(60) {
            case 0:
                var request = WireStop()
                request.now = chance.once(in: 2)
                return .stop(request)
            case 1..<10:
                var request = WireLeave()
                request.role = role
                request.number = worker
                request.incarnation = incarnation
                if role == .server { request.incarnation = job.serverIncarnation }
                request.done = results(&chance)
                request.step = Int64(chance.below(5))
                request.tallies = [tally(worker, &chance)]
                return .leave(request)
            default: return .status(WireStatus())
            }
        }
    }

    private static func heartbeat(
        _ job: FuzzJob, _ role: WireRole, _ worker: Int32, _ incarnation: UInt64, _ chance: inout Chance
    ) -> WireHeartbeat {
        var request = WireHeartbeat()
        request.role = role
        request.number = worker
        request.incarnation = incarnation
        if role == .server { (request.number, request.incarnation) = (0, job.serverIncarnation) }
        request.applied = ranges(&chance)
        if role == .server, chance.once(in: 2) {
            request.lead.steps = Int64(chance.below(10))
            request.lead.absent = parts(&chance)
            var member = WireWorkerIdentity()
            member.number = worker
            request.lead.members = [member]
        }
        request.mostExamples = Int64(chance.below(100))
        request.view = UInt64(chance.below(3))
        request.step = Int64(chance.below(100))
        request.examples = Int64(chance.below(100))
        request.tallies = [tally(worker, &chance), tally(worker, &chance)]
        request.done = results(&chance)
        return request
    }

    /// Sums of the held-out batches that the worker has, for which it trains until it is given some.
    private static func evaluation(_ job: FuzzJob, _ chance: inout Chance) -> WireEvaluated {
        var request = WireEvaluated()
        request.worker = Int32(job.worker)
        request.incarnation = job.incarnation
        guard let lease = job.evaluationLease() else { return request }
        var sum = WireEvaluationSum()
        (sum.round, sum.first, sum.countBatches) = (lease.round, lease.first, lease.count)
        sum.loss = Double(chance.number())
        // The last that is taken: sums of many are added up.
        sum.examples = chance.once(in: 2) ? Int64(Int32.max) : Int64(chance.below(257))
        var metric = WireMetricSum()
        (metric.name, metric.sums) = ("accuracy", (0..<chance.below(3)).map { _ in Double(chance.number()) })
        sum.metrics = [metric]
        request.done = [sum]
        return request
    }

    private static func written(_ job: FuzzJob, _ chance: inout Chance) -> WireCheckpointWritten {
        var request = WireCheckpointWritten()
        request.incarnation = job.serverIncarnation
        request.sequence = chance.next() >> 1
        request.step = Int64(chance.below(5))
        request.bytes = 100
        var shard = WireShardSnapshot()
        shard.applied = ranges(&chance)
        shard.absent = parts(&chance)
        request.shards = [shard]
        return request
    }

    private static func tally(_ worker: Int32, _ chance: inout Chance) -> WireWorkerTally {
        var tally = WireWorkerTally()
        tally.worker = worker
        tally.applied = Int64(chance.below(1000))
        tally.dropped = ["late": Int64(chance.below(10)), "other": 1]
        tally.histogram = (0..<20).map { _ in Int64(chance.below(10)) }
        return tally
    }

    private static func ranges(_ chance: inout Chance) -> [WireIndexRange] {
        (0..<chance.below(3)).map { place in
            var range = WireIndexRange()
            range.first = Int64(place * 100)
            range.count = Int64(chance.below(90))
            return range
        }
    }

    private static func parts(_ chance: inout Chance) -> [WireAbsentPart] {
        (0..<chance.below(3)).map { _ in
            var part = WireAbsentPart()
            part.step = Int64(chance.below(10))
            part.parts = Int32(1 + chance.below(3))
            return part
        }
    }

    private static func results(_ chance: inout Chance) -> [WireStepResult] {
        (0..<chance.below(3)).map { _ in
            var result = WireStepResult()
            result.batch = Int64(chance.below(10))
            result.examples = 1
            result.view = UInt64(chance.below(3))
            result.loss = Double(chance.number())
            var metric = WireMetricSum()
            metric.name = chance.pick(["", "accuracy"])
            metric.sums = (0..<chance.below(3)).map { _ in Double(chance.number()) }
            result.metrics = [metric]
            result.absent = parts(&chance)
            return result
        }
    }
}
