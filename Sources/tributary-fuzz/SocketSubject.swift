import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import SwiftProtobuf
import Synchronization
import Training

/// Sends damaged messages to everything that reads a socket: a server's executors, the coordinator, a worker's clients.
final class SocketSubject: Subject {
    enum Depth: String, CaseIterable { case refused, answered, waiting }

    private var asynchronous: FuzzJob
    private var synchronous: FuzzJob
    private var bounded: FuzzJob
    private var controlled: FuzzJob
    private let replies: ReplySubject
    private let program: [UInt8]
    private let memory: SharedMemory
    private var sequence: UInt64 = 0
    private var inputs = 0
    private var controls = 0
    private var reached: [Int] = []

    init() throws {
        asynchronous = try FuzzJob(.async)
        synchronous = try FuzzJob(.sync)
        bounded = try FuzzJob(.bounded(staleness: 1))
        controlled = try FuzzJob(.async, saves: true)
        replies = try ReplySubject(asynchronous.prepared)
        memory = try SharedMemory(count: 4096)
        guard case .part(let part) = try asynchronous.control.ask(.getPart(WireGetPart())) else {
            throw Finding("the coordinator has no program")
        }
        program = [UInt8](part.graph)
    }

    func read(_ chance: inout Chance) throws -> Depth {
        inputs += 1
        // What a long job keeps of strange requests is not to slow the next ones down.
        if inputs % 20_000 == 0 {
            asynchronous = try renewed(asynchronous, .async)
            synchronous = try renewed(synchronous, .sync)
            bounded = try renewed(bounded, .bounded(staleness: 1))
        }
        if chance.once(in: 1000) {
            defer { note(HostileJob.reached) }
            return try HostileJob.read(&chance)
        }
        switch chance.below(32) {
        case 0..<12: return try sendData(to: asynchronous, patience: .seconds(10), &chance)
        case 12..<14: return try sendData(to: bounded, patience: .milliseconds(2), &chance)
        case 14..<18: return try sendData(to: synchronous, patience: .milliseconds(2), &chance)
        case 18..<25: return try sendControl(&chance)
        case 25..<31:
            defer { note(replies.takeNames()) }
            return try replies.read(&chance)
        default: return try readProgram(&chance)
        }
    }

    func takeReached() -> [Int] {
        defer { reached = [] }
        return reached
    }

    /// - Parameter names: of fields that were sent.
    private func note(_ names: [String]) { reached += names.compactMap { Reach.numbers[$0] } }

    private func renewed(_ job: FuzzJob, _ consistency: JobConfig.Cluster.Consistency) throws -> FuzzJob {
        job.end()
        return try FuzzJob(consistency, saves: job === controlled)
    }

    // MARK: Servers

    private func sendData(to job: FuzzJob, patience: Duration, _ chance: inout Chance) throws -> Depth {
        let shard = chance.pick(job.layout.shards)
        var bytes = dataMessage(job, shard, &chance)
        if chance.once(in: 2) { ByteDamage(others: []).apply(to: &bytes, &chance) }
        let reply: Messaging.Message
        do { reply = try job.executors[shard.executor].request(Messaging.Message(bytes), timeout: patience) } catch {
            // A push that is synchronous or under bounded staleness waits for others; an executor that is there answers an
            // offer of memory all the same, if only that it does not take it.
            let offer = ExchangeCodec.message(.attach, envelope(job, shard)).bytes
            guard patience < .seconds(1) else { throw Finding("the executor does not answer: \(error)") }
            let answer: Messaging.Message
            do {
                answer = try job.executors[shard.executor].request(Messaging.Message(offer), timeout: .seconds(10))
            } catch { throw Finding("the executor answers nothing after \(describe(bytes)): \(error)") }
            guard case .refused? = self.reply(answer.bytes) else {
                throw Finding("the executor answers an empty offer with \(describe(answer.bytes))")
            }
            return .waiting
        }
        switch self.reply(reply.bytes) {
        case .refused: return .refused
        case .values, .applied, .held, .late: return .answered
        case .waiting: return .waiting
        case nil: throw Finding("the executor answers something else")
        }
    }

    private func reply(_ bytes: [UInt8]) -> ExchangeReply? {
        bytes.withUnsafeBytes { try? ExchangeCodec.reply($0).reply }
    }

    private func describe(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { bytes in
            (try? ExchangeCodec.request(bytes)).map { "\($0.request)" }
                ?? (try? ExchangeCodec.reply(bytes)).map { "\($0.reply)" } ?? "no message"
        }
    }

    private func envelope(_ job: FuzzJob, _ shard: Cluster.Shard) -> ExchangeEnvelope {
        sequence += 1
        return ExchangeEnvelope(
            jobKey: job.jobKey, worker: WorkerIdentity(worker: job.worker, incarnation: job.incarnation),
            shard: shard.number, sequence: sequence)
    }

    private func dataMessage(_ job: FuzzJob, _ shard: Cluster.Shard, _ chance: inout Chance) -> [UInt8] {
        var envelope = envelope(job, shard)
        var payload: [UInt8] = []
        let request: ExchangeRequest
        envelope.hasHalfValues = chance.once(in: 4)
        envelope.buffer = chance.once(in: 4) ? 1 : 0
        let step = Int(sequence)
        switch chance.below(12) {
        case 0: request = .pull(pauses: chance.below(3), clock: chance.once(in: 2) ? chance.below(3) : nil)
        case 1: request = .pause(pauses: chance.below(3))
        case 2: request = .await(step: step)
        case 3:
            let members = (0..<chance.below(3)).map { WorkerIdentity(worker: $0, incarnation: job.incarnation) }
            request = .close(ClosedStep(step: chance.below(3) - 1, members: members))
        case 4, 5:
            request = .attach
            let places = chance.once(in: 2) ? [0] : [0, 512]
            payload =
                SharedBufferOffer(
                    memory: memory.offer,
                    values: places.map { start in shard.blocks.indices.map { start + $0 * 64 } },
                    pushes: shard.pushes.indices.map { 1024 + $0 * 64 }
                ).bytes
            if chance.once(in: 2) {
                let field = chance.pick(BufferEdge.allCases)
                field.set(&payload, &chance)
                note(["offered SharedBufferOffer.\(field)"])
            }
        default:
            let bases: [GradientPush.Basis] = [
                .updates(step), .clock(0), .view(job.view),
                job.prepared.config.cluster.consistency.isSynchronous
                    ? .view(job.view) : .updates(step),
            ]
            request = .push(
                GradientPush(
                    step: chance.once(in: 2) ? step : chance.below(3), batch: step, examples: 1,
                    basis: chance.pick(bases), wantsValues: chance.once(in: 2), isVoid: chance.once(in: 20)))
            envelope.isShared = chance.once(in: 3)
            envelope.isEncoded = !envelope.isShared && chance.once(in: 2)
            if envelope.isEncoded {
                payload = encoded(shard, &chance)
            } else if !envelope.isShared {
                payload = (0..<shard.pushBytes).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            }
        }
        var bytes = ExchangeCodec.message(request, envelope, payload: payload).bytes
        if chance.once(in: 2) {
            let field = chance.pick(HeaderEdge.allCases)
            field.set(&bytes, &chance)
            note(["asked exchange.\(field)"])
        }
        return bytes
    }

    /// Gradients in a form of the wire each, most of them whole.
    private func encoded(_ shard: Cluster.Shard, _ chance: inout Chance) -> [UInt8] {
        let formats: [WireFormat] = [.float32, .bfloat16, .int8, .topK(0.25)]
        var bytes: [UInt8] = []
        for (index, push) in shard.pushes.enumerated() {
            var part: [UInt8] = []
            var encoder = GradientEncoder(chance.pick(formats))
            let gradient = (0..<push.bytes / 4).map { _ in chance.number() }
            let coding = gradient.withUnsafeBufferPointer {
                encoder.encode(.init(shard: shard.number, push: index), $0, to: &part)
            }
            if chance.once(in: 4) { ByteDamage(others: []).apply(to: &part, &chance) }
            for word in [coding.rawValue, UInt32(part.count)] { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
            bytes += part
        }
        return bytes
    }

    // MARK: The coordinator

    private func sendControl(_ chance: inout Chance) throws -> Depth {
        controls += 1
        // Strangers that have joined are waited for.
        if controlled.isOver || controls % 200 == 0 {
            controlled = try renewed(controlled, chance.once(in: 2) ? .sync : .async)
        }
        var request = WireRequest()
        request.protocol = ControlClient.protocolVersion
        request.kind = ControlRequests.kind(controlled, &chance)
        if !chance.once(in: 4) {
            for _ in 0...chance.below(2) {
                if let field = FieldWalk.setEdge(&request, &chance) {
                    note([Reach.asked[field].map { "asked \($0)" }].compactMap { $0 })
                }
            }
        }
        var bytes: [UInt8] = try request.serializedBytes()
        if chance.once(in: 4) { ByteDamage(others: []).apply(to: &bytes, &chance) }
        let job = controlled
        let socket = try RequestSocket(
            dial: job.control.address, secret: FuzzJob.token, maximumMessage: ControlClient.maximumMessage)
        defer { socket.close() }
        let reply: Messaging.Message
        do { reply = try socket.request(Messaging.Message(bytes), timeout: .seconds(10)) } catch {
            // It may have been asked to end.
            for _ in 0..<100 where !job.isOver { Thread.sleep(forTimeInterval: 0.01) }
            guard job.isOver else { throw Finding("the coordinator does not answer: \(error)") }
            return .waiting
        }
        guard let kind = try? WireReply(serializedBytes: reply.bytes).kind else {
            throw Finding("the coordinator answers something else")
        }
        if case .refused = kind { return .refused }
        return .answered
    }

    // MARK: What a server is sent by its coordinator

    private func readProgram(_ chance: inout Chance) throws -> Depth {
        var bytes = program
        if chance.once(in: 2) {
            var edged = try WireServerProgram(serializedBytes: program)
            if let field = FieldWalk.setEdge(&edged, &chance) {
                note([Reach.program[field].map { "program \($0)" }].compactMap { $0 })
            }
            bytes = try edged.serializedBytes()
        } else {
            ByteDamage(others: []).apply(to: &bytes, &chance)
        }
        guard let program = try? WireServerProgram(serializedBytes: bytes) else { return .refused }
        do {
            try program.check(executors: 2)
            _ = try GraphDefinition.decode([UInt8](program.initialGraph))
            for shard in program.shards {
                let store = try ShardStore(shard, options: SessionOptions(threads: 1, process: nil))
                var values: [String: Tensor] = [:]
                for name in shard.blocks.flatMap(\.sources) + shard.replicas {
                    values[name] = .zeros(.float32, sized: [3, 2])
                }
                try store.initialize(values)
            }
        } catch is GraphError { return .refused } catch is NodeError { return .refused } catch is FormatError {
            return .refused
        }
        return .answered
    }
}
