import Cluster
import Foundation
import Messaging
import Synchronization
import Testing

/// How requests to a coordinator are sent again.
@Suite("A request that gets no answer")
struct ControlClientTests {
    /// A coordinator that answers some requests and no others.
    private final class Peer: Sendable {
        let socket: ReplySocket
        let count = Mutex(0)

        /// The bytes of a reply: field 2, and field 1, each empty.
        static let done: [UInt8] = [0x12, 0]
        static let refused: [UInt8] = [0x0A, 0]

        /// - Parameter answer: what a request gets, by its number from 1; nil for none.
        init(_ name: String, _ answer: @escaping @Sendable (Int) -> [UInt8]?) throws {
            socket = try ReplySocket(listen: Address("inproc://client-\(name)"), maximumMessage: 1 << 20)
            Thread.detachNewThread { [self] in
                do {
                    while let request = try socket.receive() {
                        let number = count.withLock { count in
                            count += 1
                            return count
                        }
                        guard let bytes = answer(number) else { continue }
                        try request.reply(Message(bytes))
                    }
                } catch {}  // It is closed.
            }
        }

        deinit { socket.close() }

        var requests: Int { count.withLock { $0 } }
    }

    private func client(
        _ peer: Peer, _ limit: Duration = .seconds(5), stop: StopSignal = StopSignal()
    ) throws
        -> ControlClient
    {
        let client = try ControlClient(peer.socket.boundAddress)
        client.persist(for: limit, stop: stop)
        return client
    }

    @Test("is sent again until it is answered")
    func again() throws {
        let peer = try Peer("again") { $0 < 3 ? nil : Peer.done }
        let client = try client(peer)
        guard case .done = try client.ask(.serverReady(WireServerReady()), timeout: .milliseconds(100)) else {
            Issue.record("another answer")
            return
        }
        #expect(peer.requests == 3)
    }

    @Test("is given up when the time is over")
    func over() throws {
        let peer = try Peer("over") { _ in nil }
        let client = try client(peer, .seconds(1))
        let begin = ContinuousClock.now
        let error = #expect(throws: NodeError.self) {
            try client.ask(.serverReady(WireServerReady()), timeout: .milliseconds(200))
        }
        #expect(error?.kind == .peerUnavailable)
        #expect(error?.message.hasPrefix("the coordinator does not answer: ") == true)
        #expect((.milliseconds(900)...Duration.seconds(2)).contains(ContinuousClock.now - begin))
        #expect(peer.requests >= 3)
        // Others, which begin later, know that the coordinator is silent.
        let second = ContinuousClock.now
        #expect(throws: NodeError.self) { try client.ask(.leave(WireLeave()), timeout: .milliseconds(200)) }
        #expect(ContinuousClock.now - second < .milliseconds(500))
    }

    @Test("that is refused is not sent again")
    func refused() throws {
        let peer = try Peer("refused") { _ in Peer.refused }
        let error = #expect(throws: NodeError.self) { try client(peer).ask(.leaseBatches(WireLeaseBatches())) }
        #expect(error?.kind == .refused && peer.requests == 1)
    }

    @Test("whose answer is no coordinator's is not sent again")
    func stranger() throws {
        let peer = try Peer("stranger") { _ in nil }
        let other = try ReplySocket(listen: Address("inproc://client-other"), maximumMessage: 1 << 20)
        defer { other.close() }
        let count = Mutex(0)
        Thread.detachNewThread {
            while let request = try? other.receive() {
                count.withLock { $0 += 1 }
                try? request.reply(Message([255, 255, 255]))
            }
        }
        let client = try ControlClient(other.boundAddress)
        client.persist(for: .seconds(5), stop: StopSignal())
        let error = #expect(throws: NodeError.self) { try client.ask(.status(WireStatus())) }
        #expect(error?.message.contains("is no coordinator of this version") == true)
        #expect(count.withLock { $0 } == 1 && peer.requests == 0)
    }

    @Test("is given up soon when the process is to end", arguments: [true, false])
    func stopped(now: Bool) throws {
        let stop = StopSignal()
        let peer = try Peer("stopped-\(now)") { number in
            if number == 2 { stop.stop(now: now) }
            return nil
        }
        let client = try client(peer, .seconds(60), stop: stop)
        let begin = ContinuousClock.now
        #expect(throws: NodeError.self) {
            try client.ask(.serverReady(WireServerReady()), timeout: .milliseconds(100))
        }
        let took = ContinuousClock.now - begin
        if now { #expect(took < .seconds(2) && peer.requests == 2) } else { #expect(took < .seconds(8)) }
    }

    @Test("by its own check is given up at once")
    func checked() throws {
        struct Enough: Error {}
        let peer = try Peer("checked") { _ in nil }
        let client = try client(peer)
        #expect(throws: Enough.self) {
            try client.ask(.serverReady(WireServerReady()), timeout: .milliseconds(50)) { throw Enough() }
        }
        #expect(peer.requests == 1)
    }

    @Test("pauses grow, are not all alike, and end with the time")
    func pauses() {
        var retries = Retries(from: .now)
        let pauses = (0..<12).compactMap { _ in retries.pause(left: .seconds(100)) }
        #expect(pauses.count == 12 && pauses[0] <= .milliseconds(20) && pauses[0] >= .milliseconds(10))
        #expect(pauses.allSatisfy { $0 <= .seconds(1) } && pauses[11] >= .milliseconds(500))
        #expect(retries.pause(left: .milliseconds(3)) == .milliseconds(3))
        #expect(retries.pause(left: .zero) == nil && retries.pause(left: .seconds(-1)) == nil)
    }
}
