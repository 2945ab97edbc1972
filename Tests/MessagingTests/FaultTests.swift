import Foundation
import Messaging
import Testing

@Suite("Faults", .timeLimit(.minutes(2)))
struct FaultTests {
    @Test("an address in use is named", arguments: Place.allCases)
    func inUse(place: Place) throws {
        let server = try place.server()
        let error = try #require(throws: MessagingError.self) { try place.server(at: server.boundAddress) }
        #expect(error.code == .addressInUse)
        #expect(error.description.hasPrefix("cannot listen on \(server.boundAddress): address in use; choose another"))
        // The first one was not disturbed, its socket file neither.
        let responder = Responder(server)
        defer { responder.stop() }
        let client = try place.client(to: server.boundAddress)
        #expect(try client.request(Message([1]), timeout: .seconds(10)).bytes == [1])
    }

    @Test("a message above the server's limit loses its connection only", arguments: Place.allCases)
    func oversized(place: Place) throws {
        let responder = Responder(try place.server(maximumMessage: 1000))
        defer { responder.stop() }
        let rude = try place.client(to: responder.socket.boundAddress)
        #expect(try rude.request(Message(count: 1000), timeout: .seconds(10)).count == 1000)
        let error = try #require(throws: MessagingError.self) {
            _ = try rude.request(Message(count: 1001), timeout: .milliseconds(500))
        }
        #expect(error.code == .connectionReset)
        let polite = try place.client(to: responder.socket.boundAddress)
        #expect(try polite.request(Message([1]), timeout: .seconds(10)).bytes == [1])
        #expect(try rude.request(Message([2]), timeout: .seconds(10)).bytes == [2])
    }

    @Test("a message above one's own limit is not sent")
    func tooLarge() throws {
        let server = try Place.tcp.server()
        let client = try Place.tcp.client(to: server.boundAddress, maximumMessage: 10)
        let error = try #require(throws: MessagingError.self) {
            _ = try client.request(Message(count: 11), timeout: .seconds(1))
        }
        #expect(error.code == .messageTooLarge)
        #expect(error.description.contains("11 bytes, at most 10"))
    }

    @Test("garbage and huge lengths do not kill the server", arguments: [Place.tcp, .tls, .ipc])
    func garbage(place: Place) throws {
        let responder = Responder(try place.server(maximumMessage: 1 << 20))
        defer { responder.stop() }
        let address = responder.socket.boundAddress
        var challenge = Handshake(.listening, secret: "")
        var dialling = Handshake(.dialling, secret: "")
        let answer = dialling.take(challenge.opening).send
        #expect(challenge.take(answer).end != nil)
        let bodies: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [], [0], (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) },
            // An answer to another challenge, half of one, and one of another version.
            answer, Array(answer.prefix(40)), answer.prefix(8) + [9] + answer.dropFirst(9),
        ]
        for body in bodies { try RawConnection(to: address).send(body) }
        let client = try place.client(to: address)
        #expect(try client.request(Message([1]), timeout: .seconds(10)).bytes == [1])
    }

    @Test("close wakes a thread that receives", arguments: Place.allCases)
    func closeWakesReceive(place: Place) throws {
        let server = try place.server()
        let box = ErrorBox()
        let worker = Worker { box.record { _ = try server.receive() } }
        Thread.sleep(forTimeInterval: 0.05)
        server.close()
        #expect(worker.join(within: 5))
        #expect(box.error?.code == .closed)
        #expect(server.openRequests == 0)
        server.close()
        #expect(throws: MessagingError.self) { _ = try server.receive(timeout: .zero) }
    }

    @Test("close wakes a thread that waits for a reply", arguments: Place.allCases)
    func closeWakesWait(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        let box = ErrorBox()
        let worker = Worker { box.record { _ = try client.request(Message([1]), timeout: .seconds(60)) } }
        _ = try server.next()
        client.close()
        #expect(worker.join(within: 5))
        #expect(box.error?.code == .closed)
        #expect(client.openRequests == 0)
    }

    @Test("a parked request outlives its socket, and answering it says closed", arguments: Place.allCases)
    func replyAfterClose(place: Place) throws {
        let server = try place.server()
        let client = try place.client(to: server.boundAddress)
        let pending = try client.send(Message([1]), timeout: .seconds(10))
        let request = Box(try server.next())
        server.close()
        let error = try #require(throws: MessagingError.self) { try request.take()?.reply(Message([1])) }
        #expect(error.code == .closed)
        #expect(server.openRequests == 0)
        let lost = failure(of: pending)
        #expect(lost?.code == .connectionReset)
    }

    @Test("a server that comes back is found again", arguments: Place.allCases)
    func reconnects(place: Place) throws {
        let first = Responder(try place.server())
        let address = first.socket.boundAddress
        let client = try place.client(to: address)
        #expect(try client.request(Message([1]), timeout: .seconds(10)).bytes == [1])
        first.stop()
        // Sent while nobody is there, and answered once somebody is.
        let waiting = Box(try client.send(Message([2]), timeout: .seconds(20)))
        Thread.sleep(forTimeInterval: 0.05)
        let second = Responder(try place.server(at: address))
        defer { second.stop() }
        let reply = try? waiting.take()?.wait().bytes
        // Sent on the connection that was just breaking, it may have been lost with it.
        #expect(reply == [2] || reply == nil)
        #expect(try client.request(Message([3]), timeout: .seconds(20)).bytes == [3])
    }

    @Test("a socket file left behind is replaced, and removed on close")
    func staleFile() throws {
        let address = try Place.ipc.address()
        // What a killed process leaves: a bound file on which nobody listens.
        let left = RawConnection.bind(path: address.host)
        #expect(left >= 0)
        Glibc.close(left)
        #expect(FileManager.default.fileExists(atPath: address.host))
        let responder = Responder(try Place.ipc.server(at: address))
        let client = try Place.ipc.client(to: address)
        #expect(try client.request(Message([1]), timeout: .seconds(10)).bytes == [1])
        responder.stop()
        #expect(!FileManager.default.fileExists(atPath: address.host))
    }

    @Test("a file that is no socket is not removed")
    func otherFile() throws {
        let address = try Place.ipc.address()
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: address.host))
        defer { try? FileManager.default.removeItem(atPath: address.host) }
        #expect(throws: MessagingError.self) { try Place.ipc.server(at: address) }
        #expect(FileManager.default.contents(atPath: address.host) == Data([1, 2, 3]))
    }
}
