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
    private let layout: ShardLayout
    private let session: Session
    private let peer: DamagingPeer
    private let data: RequestSocket
    private let control: ControlClient
    private var client: ParameterClient?

    init(_ prepared: PreparedJob) throws {
        self.prepared = prepared
        layout = ShardLayout(prepared.cut, executors: [1])
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
            cut: prepared.cut, layout: layout, session: session, sockets: [[data]], jobKey: 1,
            worker: WorkerIdentity(worker: 0, incarnation: 1), cluster: cluster, shouldStop: { false },
            onEvent: { _ in })
    }

    /// What servers and workers do by a view.
    private func act(on view: ClusterView) throws {
        for rule in [
            ShardState.Rule.asynchronous, .bounded(staleness: 1), .lead(backup: 0), .holding, .embeddings(batch: 4),
        ] {
            var shard = ShardState(rule)
            _ = shard.act(on: view)
            _ = shard.appliedBatches(atStep: view.checkpointStep)
        }
        for worker in view.workers {
            _ = prepared.schedule.positions(ofBatch: 3, rank: worker.rank, of: view.workers.count)
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
    private let layout: ShardLayout
    private let prepared: PreparedJob
    /// Names of the fields that were sent at an edge.
    let reached = Mutex<[String]>([])

    init(_ layout: ShardLayout, _ prepared: PreparedJob) throws {
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
        guard var envelope = request.withUnsafeBytes({ ExchangeCodec.envelope($0) }),
            layout.shards.indices.contains(envelope.shard)
        else { return [] }
        var reply = ExchangeReply.values(.updates(1))
        var count = layout.shards[envelope.shard].valueBytes
        var edge: HeaderEdge?
        switch chance.below(12) {
        case 0:
            let member = WorkerIdentity(worker: 1, incarnation: 1)
            let open = OpenStep(step: 1, view: 1, members: [member])
            reply = chance.pick([.applied, .held, .refused("no"), .waiting("all"), .values(.open(open)), .late(open)])
            edge = chance.once(in: 2) ? chance.pick(HeaderEdge.allCases) : nil
        case 1: envelope.sequence &+= 1
        case 2: envelope.shard = chance.below(1000)
        case 3: envelope.isShared = true
        case 4: envelope.hasHalfValues = true
        case 5: count = chance.below(1000)
        case 6..<10: edge = chance.pick(HeaderEdge.allCases)
        default: break
        }
        var bytes = ExchangeCodec.message(reply, envelope, room: reply.carriesValues ? count : 0).bytes
        if let edge {
            edge.set(&bytes, &chance)
            reached.withLock { $0.append("answered exchange.\(edge)") }
        }
        return bytes
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
