import Cluster
import Dataflow
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization

/// A worker's clients, whose server and coordinator answer with damaged messages.
final class ReplySubject: Subject {
    typealias Depth = SocketSubject.Depth

    private let prepared: PreparedJob
    private let layout: BundleLayout
    private let session: Session
    private let peer: DamagingPeer
    private let data: RequestSocket
    private let control: ControlClient
    private var client: ParameterClient?

    init(_ prepared: PreparedJob) throws {
        self.prepared = prepared
        layout = BundleLayout(prepared.cut, lanes: [1])
        session = try Session(prepared.graph, options: SessionOptions(threads: 1, process: nil))
        peer = try DamagingPeer(layout)
        data = try RequestSocket(dial: peer.data.boundAddress, maximumMessage: ControlClient.maximumMessage)
        control = try ControlClient(peer.control.boundAddress)
    }

    func read(_ chance: inout Chance) throws -> Depth {
        try chance.once(in: 2) ? readValues(&chance) : readControl(&chance)
    }

    private func readValues(_ chance: inout Chance) throws -> Depth {
        peer.damage.withLock { $0 = chance.next() }
        do {
            let client = try self.client ?? made()
            _ = try client.pull()
            self.client = client
            return .answered
        } catch is NodeError {
            client = nil
            return .refused
        }
    }

    private func made() throws -> ParameterClient {
        var cluster = prepared.config.cluster
        cluster.sharedMemory = false
        return try ParameterClient(
            cut: prepared.cut, layout: layout, session: session, sockets: [[data]], jobKey: 1, incarnation: 1,
            worker: 0,
            cluster: cluster, shouldStop: { false }, onEvent: { _ in })
    }

    private func readControl(_ chance: inout Chance) throws -> Depth {
        peer.damage.withLock { $0 = chance.next() }
        do {
            switch try control.ask(.status(WireStatus())) {
            case .statusReport(let report): _ = JobStatus(report)
            case .view(let view): _ = try ClusterView(view)
            case .lease(let lease): _ = try LeasedWork(lease)
            default: break
            }
            return .answered
        } catch is NodeError { return .refused }
    }
}

/// Answers as a server and a coordinator do; a message that `damage` seeds is damaged, the next is whole.
final class DamagingPeer: Sendable {
    let data: ReplySocket
    let control: ReplySocket
    let damage = Mutex<UInt64?>(nil)
    private let layout: BundleLayout

    init(_ layout: BundleLayout) throws {
        self.layout = layout
        let name = "fuzz-peer-\(UUID())"
        data = try ReplySocket(listen: Address("inproc://\(name)"), maximumMessage: ControlClient.maximumMessage)
        control = try ReplySocket(
            listen: Address("inproc://\(name)-control"), maximumMessage: ControlClient.maximumMessage)
        Thread.detachNewThread { [self] in serve(data) { [self] in values($0, &$1) } }
        Thread.detachNewThread { [self] in serve(control) { _, chance in DamagingPeer.reply(&chance) } }
    }

    private func serve(_ socket: ReplySocket, _ answer: (_ request: [UInt8], inout Chance) -> [UInt8]) {
        while let request = try? socket.receive() {
            let seed = damage.withLock { $0.take() }
            var chance = Chance(seed: seed ?? 1, input: 0)
            var bytes = answer(request.message.bytes, &chance)
            if seed != nil, chance.below(4) > 0 { ByteDamage(others: []).apply(to: &bytes, &chance) }
            try? request.reply(Messaging.Message(bytes))
        }
    }

    /// Mostly what was asked for.
    private func values(_ request: [UInt8], _ chance: inout Chance) -> [UInt8] {
        guard let asked = DataHeader(request), layout.bundles.indices.contains(Int(asked.bundle)) else { return [] }
        var header = asked
        header.kind = .values
        var count = layout.bundles[Int(asked.bundle)].valueBytes
        switch chance.below(12) {
        case 0: header.kind = chance.pick([.applied, .refused, .attached, .pull])
        case 1: header.sequence &+= 1
        case 2: header.bundle = UInt32(truncatingIfNeeded: chance.integer())
        case 3: header.isShared = true
        case 4: header.hasHalfValues = true
        case 5: count = chance.below(1000)
        case 6: header.step = Int64(chance.integer())
        default: break
        }
        return header.bytes((0..<count).map { UInt8(truncatingIfNeeded: $0) })
    }

    private static func reply(_ chance: inout Chance) -> [UInt8] {
        var reply = WireReply()
        switch chance.below(4) {
        case 0:
            var report = WireStatusReport()
            report.step = Int64(chance.integer())
            report.loss = Double(chance.number())
            var node = WireNodeStatus()
            node.number = Int32(truncatingIfNeeded: chance.integer())
            node.lastSeenSeconds = Double(chance.number())
            report.nodes = [node]
            reply.kind = .statusReport(report)
        case 1:
            var view = WireView()
            view.phase = chance.pick(["training", "", "saving"])
            view.checkpointStep = Int64(chance.integer())
            var worker = WireView.Worker()
            worker.rank = Int32(truncatingIfNeeded: chance.integer())
            view.workers = [worker]
            var makeUp = WireMakeUp()
            makeUp.view = UInt64(bitPattern: Int64(chance.integer()))
            var range = WireIndexRange()
            range.first = Int64(chance.integer())
            range.count = Int64(chance.integer())
            makeUp.examples = [range]
            view.makeUps = [makeUp]
            reply.kind = .view(view)
        case 2:
            var lease = WireLease()
            var range = WireIndexRange()
            range.first = Int64(chance.integer())
            range.count = Int64(chance.integer())
            lease.ranges = [range]
            if chance.once(in: 2) {
                lease.evaluation.first = Int64(chance.integer())
                lease.evaluation.count = Int64(chance.integer())
            }
            reply.kind = .lease(lease)
        default:
            var refused = WireRefused()
            refused.reason = "no"
            reply.kind = .refused(refused)
        }
        return (try? reply.serializedBytes()) ?? []
    }
}
