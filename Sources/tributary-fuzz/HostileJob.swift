import Cluster
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization

/// A short job whose server and worker reach their coordinator through one that changes numbers in its answers.
enum HostileJob {
    /// Names of the fields that the last one has reached.
    static var reached: [String] { names.value.withLock { $0 } }

    private static let names = Shared<[String]>([])

    /// A value that threads share.
    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    /// Nodes may end with whatever error; but they end, and with the job at the latest.
    static func read(_ chance: inout Chance) throws -> SocketSubject.Depth {
        names.value.withLock { $0 = [] }
        var config = JobConfig()
        config.model.kind = FuzzModel.kind
        config.train.batch = 1
        config.train.length = .steps(12)
        config.train.evaluateEverySteps = 3
        config.cluster.servers = 1
        config.cluster.workers = 1
        config.cluster.consistency = chance.pick([.async, .sync, .bounded(staleness: 1)])
        config.cluster.heartbeatInterval = .milliseconds(1)
        config.cluster.heartbeatTimeout = .milliseconds(300)
        config.cluster.joinTimeout = .seconds(1)
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        if chance.once(in: 2) { (config.checkpoint.directory, config.checkpoint.everySteps) = (directory, 4) }
        let name = "hostile-\(UUID())"
        let coordinator = try Coordinator(
            config: config, job: FuzzModel(), listen: Address("inproc://\(name)"), options: CoordinatorOptions())
        let stop = StopSignal()
        let running = Shared(3)
        func run(_ body: @escaping @Sendable () -> Void) {
            Thread.detachNewThread {
                body()
                running.value.withLock { $0 -= 1 }
            }
        }
        func wait(_ seconds: Double) -> Bool {
            let end = Date() + seconds
            while Date() < end, running.value.withLock({ $0 }) > 0 { Thread.sleep(forTimeInterval: 0.002) }
            return running.value.withLock { $0 } == 0
        }
        let isServerHostile = chance.once(in: 2)
        let middle = try Middle(coordinator.address, seed: chance.next())
        defer { middle.end() }
        let (real, changed) = (coordinator.address, middle.address)
        let options = NodeOptions(threads: 1, jobs: [FuzzModel()], joinTimeout: .seconds(1), stop: stop)
        let listen = try Address("inproc://\(name)-server")
        run { _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in }) }
        run {
            try? ServerNode(coordinator: isServerHostile ? changed : real, listen: listen, options: options).run()
        }
        run { try? WorkerNode(coordinator: isServerHostile ? real : changed, options: options).run() }
        if !wait(0.4) {
            coordinator.stop(now: true, reason: "over")
            stop.stop(now: true)
            guard wait(8) else { throw Finding("a node does not end after \(reached.joined(separator: ", "))") }
        }
        return .answered
    }

    /// Hands requests to a coordinator, and its answers back with numbers at the edges.
    private final class Middle: Sendable {
        let address: Address
        private let socket: ReplySocket
        private let client: RequestSocket

        init(_ coordinator: Address, seed: UInt64) throws {
            socket = try ReplySocket(
                listen: Address("inproc://middle-\(UUID())"), maximumMessage: ControlClient.maximumMessage)
            address = socket.boundAddress
            client = try RequestSocket(dial: coordinator, maximumMessage: ControlClient.maximumMessage)
            Thread.detachNewThread { [socket, client] in
                var chance = Chance(seed: seed, input: 0)
                // The first answers are those of joining.
                var left = chance.below(12)
                while let request = try? socket.receive() {
                    guard
                        let answer = try? client.request(
                            Messaging.Message(request.message.bytes), timeout: .seconds(2)),
                        var reply = try? WireReply(serializedBytes: answer.bytes)
                    else { continue }
                    left -= 1
                    if left < 0, let field = FieldWalk.setEdge(&reply, &chance), let name = Reach.answered[field] {
                        names.value.withLock { $0.append("answered \(name)") }
                        left = 3 + chance.below(6)
                    }
                    let bytes: [UInt8] = (try? reply.serializedBytes()) ?? []
                    try? request.reply(Messaging.Message(bytes))
                }
            }
        }

        func end() {
            socket.close()
            client.close()
        }
    }
}
