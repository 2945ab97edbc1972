import Cluster
import Foundation

/// Answers of a coordinator as nodes and the command line get them.
enum ControlReplies {
    static func kind(_ prepared: PreparedJob, _ chance: inout Chance) -> WireReply.OneOf_Kind {
        switch chance.below(9) {
        case 0: return .statusReport(status())
        case 1, 2: return .view(view(&chance))
        case 3:
            var lease = WireLease()
            lease.ranges = [range(3, 4)]
            switch chance.below(3) {
            case 0: (lease.evaluation.first, lease.evaluation.count) = (1, 2)
            case 1: lease.examples = [range(0, 3)]
            default: break
            }
            return .lease(lease)
        case 4:
            var reply = WireConfiguration()
            reply.preprocessing = Data([1, 2, 3])
            reply.preprocessingTotal = 3
            return .configuration(reply)
        case 5: return .serverAssigned(WireServerAssigned())
        case 6:
            var assigned = WireWorkerAssigned()
            assigned.totalSteps = 100
            return .workerAssigned(assigned)
        case 7:
            var part = WirePart()
            part.graph = Data([1, 2, 3])
            (part.total, part.restoreStep) = (3, -1)
            return .part(part)
        default:
            var refused = WireRefused()
            refused.reason = "no"
            return .refused(refused)
        }
    }

    private static func status() -> WireStatusReport {
        var report = WireStatusReport()
        report.phase = "training"
        report.metrics = ["accuracy": 0.5]
        var node = WireNodeStatus()
        node.state = "ready"
        node.tally.dropped = ["late": 1]
        report.nodes = [node]
        return report
    }

    private static func view(_ chance: inout Chance) -> WireView {
        var view = WireView()
        view.number = 1
        view.phase = chance.pick(["training", "", "closing", "saving"])
        view.servers = [WireView.Server()]
        view.workers = (0..<Int32(2)).map { rank in
            var worker = WireView.Worker()
            (worker.number, worker.rank, worker.incarnation) = (rank, rank, UInt64(rank + 1))
            return worker
        }
        var member = WireWorkerIdentity()
        member.incarnation = 1
        view.closed.members = [member]
        return view
    }

    private static func range(_ first: Int64, _ count: Int64) -> WireIndexRange {
        var range = WireIndexRange()
        (range.first, range.count) = (first, count)
        return range
    }
}
