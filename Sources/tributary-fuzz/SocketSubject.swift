import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import SwiftProtobuf
import Synchronization
import Training

/// Sends damaged messages to everything that reads a socket: a server's lanes, the coordinator, a worker's clients.
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
        let bundle = chance.pick(job.layout.bundles)
        var bytes = dataMessage(job, bundle, &chance)
        if chance.once(in: 2) { ByteDamage(others: []).apply(to: &bytes, &chance) }
        let reply: Messaging.Message
        do { reply = try job.lanes[bundle.lane].request(Messaging.Message(bytes), timeout: patience) } catch {
            // A push that is synchronous or under bounded staleness waits for others; a lane that is there answers a pull
            // all the same, if only that it is of a worker that it does not take any more.
            let pull = header(job, bundle, .pull).bytes([])
            guard patience < .seconds(1) else { throw Finding("the lane does not answer: \(error)") }
            let answer: Messaging.Message
            do { answer = try job.lanes[bundle.lane].request(Messaging.Message(pull), timeout: .seconds(10)) } catch {
                let sent = DataHeader(bytes).map { "\($0)" } ?? "no header"
                throw Finding("the lane answers no pull after \(sent): \(error)")
            }
            guard let header = DataHeader(answer.bytes), [.values, .waiting, .refused].contains(header.kind) else {
                throw Finding(
                    "the lane answers a pull with \(DataHeader(answer.bytes).map { "\($0.kind)" } ?? "nothing")")
            }
            return .waiting
        }
        guard let header = DataHeader(reply.bytes) else { throw Finding("the lane answers something else") }
        switch header.kind {
        case .refused: return .refused
        case .values, .applied, .attached: return .answered
        case .waiting: return .waiting
        default: throw Finding("the lane answers with \(header.kind)")
        }
    }

    private func header(_ job: FuzzJob, _ bundle: Cluster.Bundle, _ kind: DataHeader.Kind) -> DataHeader {
        sequence += 1
        var header = DataHeader(
            kind, jobKey: job.jobKey, incarnation: job.incarnation, step: Int(sequence), batch: Int(sequence),
            clock: 0, worker: job.worker, bundle: bundle.number, examples: 1)
        header.sequence = sequence
        return header
    }

    private func dataMessage(_ job: FuzzJob, _ bundle: Cluster.Bundle, _ chance: inout Chance) -> [UInt8] {
        let kinds: [DataHeader.Kind] = [
            .pull, .push, .push, .push, .pushOnly, .await, .attach, .attach, .values, .waiting, .refused, .applied,
            .attached,
        ]
        var header = header(job, bundle, chance.pick(kinds))
        var payload: [UInt8] = []
        switch header.kind {
        case .push, .pushOnly:
            header.isShared = chance.once(in: 3)
            header.isEncoded = !header.isShared && chance.once(in: 2)
            if header.isEncoded {
                payload = encoded(bundle, &chance)
            } else if !header.isShared {
                payload = (0..<bundle.pushBytes).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            }
        case .attach:
            let places = chance.once(in: 2) ? [0] : [0, 512]
            payload =
                RegionOffer(
                    memory: memory.offer,
                    values: places.map { start in bundle.blocks.indices.map { start + $0 * 64 } },
                    pushes: bundle.pushes.indices.map { 1024 + $0 * 64 }
                ).bytes
            if chance.once(in: 2) {
                let field = chance.pick(RegionEdge.allCases)
                field.set(&payload, &chance)
                note(["offered RegionOffer.\(field)"])
            }
        default: header.isShared = chance.once(in: 4)
        }
        header.hasHalfValues = chance.once(in: 4)
        header.isSecond = chance.once(in: 4)
        if chance.once(in: 2) {
            let field = chance.pick(DataEdge.allCases)
            field.set(&header, &chance)
            note(["pushed DataHeader.\(field)"])
        } else if chance.once(in: 4) {
            header.clock = job.view
        }
        return header.bytes(payload)
    }

    /// Gradients in a form of the wire each, most of them whole.
    private func encoded(_ bundle: Cluster.Bundle, _ chance: inout Chance) -> [UInt8] {
        let formats: [WireFormat] = [.float32, .bfloat16, .int8, .topK(0.25)]
        var bytes: [UInt8] = []
        for (index, push) in bundle.pushes.enumerated() {
            var part: [UInt8] = []
            var encoder = GradientEncoder(chance.pick(formats))
            let gradient = (0..<push.bytes / 4).map { _ in chance.number() }
            let coding = gradient.withUnsafeBufferPointer {
                encoder.encode(.init(bundle: bundle.number, push: index), $0, to: &part)
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
            try program.check(lanes: 2)
            _ = try GraphDefinition.decode([UInt8](program.initialGraph))
            for bundle in program.bundles {
                let shard = try BundleShard(bundle, options: SessionOptions(threads: 1, process: nil))
                var values: [String: Tensor] = [:]
                for name in bundle.blocks.flatMap(\.sources) + bundle.replicas {
                    values[name] = .zeros(.float32, sized: [3, 2])
                }
                try shard.initialize(values)
            }
        } catch is GraphError { return .refused } catch is NodeError { return .refused } catch is FormatError {
            return .refused
        }
        return .answered
    }
}

extension DataHeader {
    init?(_ bytes: [UInt8]) {
        guard let header = bytes.withUnsafeBytes({ DataHeader($0) }) else { return nil }
        self = header
    }

    /// A message of this header and a payload.
    func bytes(_ payload: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: DataHeader.size)
        bytes.withUnsafeMutableBytes { write(to: $0) }
        return bytes + payload
    }
}
