import Cluster
import Dataflow
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization
import Training

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
        peer = try DamagingPeer(layout, prepared)
        data = try RequestSocket(dial: peer.data.boundAddress, maximumMessage: ControlClient.maximumMessage)
        control = try ControlClient(peer.control.boundAddress)
    }

    /// Takes the names of the fields that the last input has reached.
    func takeNames() -> [String] {
        peer.reached.withLock { reached in
            defer { reached = [] }
            return reached
        }
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

    /// What servers and workers do by a view.
    private func act(on view: ClusterView) throws {
        for rule in [BundleState.Rule.asynchronous, .bounded(staleness: 1), .synchronous(backup: 0), .table(batch: 4)] {
            var bundle = BundleState(rule)
            _ = bundle.act(on: view)
            if view.checkpointStep - bundle.steps <= BundleState.mostAhead {
                _ = (bundle.absent(before: view.checkpointStep), bundle.appliedBatches(atStep: view.checkpointStep))
            }
        }
        for worker in view.workers {
            _ = view.part(ofStep: 3, of: 100, rank: worker.rank, prepared.schedule)
            _ = view.madeUp(by: worker.incarnation, since: 0)
        }
    }

    private func readControl(_ chance: inout Chance) throws -> Depth {
        peer.damage.withLock { $0 = chance.next() }
        do {
            switch try control.ask(.status(WireStatus())) {
            case .statusReport(let report): _ = try JobStatus(report)
            case .view(let view): try act(on: try ClusterView(view))
            case .lease(let lease): _ = try LeasedWork(lease)
            case .configuration(let reply):
                var pieces = Pieces("Configuration.preprocessing_total")
                _ = try pieces.take(reply.preprocessing, of: reply.preprocessingTotal)
            case .workerAssigned(let assigned):
                var job = prepared
                try job.begin(assigned)
                _ = (job.totalExamples, job.schedule.positions(ofBatch: job.totalSteps))
            case .part(let part):
                let part = try ServerPart(part)
                var pieces = Pieces("Part.total")
                _ = try pieces.take(part.piece, of: part.total ?? 0)
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
    private let prepared: PreparedJob
    /// Names of the fields that were sent at an edge.
    let reached = Mutex<[String]>([])

    init(_ layout: BundleLayout, _ prepared: PreparedJob) throws {
        self.layout = layout
        self.prepared = prepared
        let name = "fuzz-peer-\(UUID())"
        data = try ReplySocket(listen: Address("inproc://\(name)"), maximumMessage: ControlClient.maximumMessage)
        control = try ReplySocket(
            listen: Address("inproc://\(name)-control"), maximumMessage: ControlClient.maximumMessage)
        Thread.detachNewThread { [self] in serve(data) { [self] in values($0, &$1) } }
        Thread.detachNewThread { [self] in serve(control) { [self] _, chance in reply(&chance) } }
    }

    private func serve(_ socket: ReplySocket, _ answer: (_ request: [UInt8], inout Chance) -> [UInt8]) {
        while let request = try? socket.receive() {
            let seed = damage.withLock { $0.take() }
            var chance = Chance(seed: seed ?? 1, input: 0)
            var bytes = answer(request.message.bytes, &chance)
            if seed != nil, chance.once(in: 3) { ByteDamage(others: []).apply(to: &bytes, &chance) }
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
        case 6..<10:
            let field = chance.pick(DataEdge.allCases)
            field.set(&header, &chance)
            reached.withLock { $0.append("returned DataHeader.\(field)") }
        default: break
        }
        return header.bytes((0..<count).map { UInt8(truncatingIfNeeded: $0) })
    }

    private func reply(_ chance: inout Chance) -> [UInt8] {
        var reply = WireReply()
        reply.kind = ControlReplies.kind(prepared, &chance)
        if let field = FieldWalk.setEdge(&reply, &chance), let name = Reach.answered[field] {
            reached.withLock { $0.append("answered \(name)") }
        }
        return (try? reply.serializedBytes()) ?? []
    }
}
