import Foundation
import Messaging
import Testing

/// What those can do who do not know the secret.
@Suite("Strangers", .serialized, .timeLimit(.minutes(2)))
struct StrangerTests {
    @Test("a client with another secret is refused at once, and nothing of it is read", arguments: Place.allCases)
    func wrongSecret(place: Place) throws {
        let responder = Responder(try place.server(secret: "right")) { _ in Issue.record("a stranger's request came in")
        }
        defer { responder.stop() }
        for secret in ["wrong", ""] {
            let stranger = try place.client(to: responder.socket.boundAddress, secret: secret)
            let start = ContinuousClock.now
            let error = try #require(throws: MessagingError.self) {
                _ = try stranger.request(Message([1]), timeout: .seconds(30))
            }
            #expect(error.code == .refused)
            #expect(error.description.contains("the token is not this job's"))
            #expect(ContinuousClock.now - start < .seconds(20))
            // Nor does the next request wait until it is tried again.
            let again = try #require(throws: MessagingError.self) {
                _ = try stranger.request(Message([1]), timeout: .seconds(2))
            }
            #expect(again.code == .refused)
        }
    }

    @Test("a client that knows it is answered", arguments: Place.allCases)
    func rightSecret(place: Place) throws {
        let responder = Responder(try place.server(secret: "right"))
        defer { responder.stop() }
        let client = try place.client(to: responder.socket.boundAddress, secret: "right")
        #expect(try client.request(Message([1, 2]), timeout: .seconds(30)).bytes == [1, 2])
    }

    @Test("an impostor gets a nonce and a proof, and then nothing", arguments: [Place.ipc, .tcp])
    func impostor(place: Place) throws {
        let listening = try RawListener(at: place.address())
        let secret = "the secret that must not travel"
        let client = try place.client(to: listening.address, secret: secret)
        let pending = try client.send(Message(Array("gradients".utf8)), timeout: .seconds(30))
        let connection = try listening.accept()
        var impostor = Handshake(.listening, secret: "")
        try connection.send(impostor.opening)
        let answer = connection.receive(Handshake.longestFrame)
        #expect(answer.count == Handshake.longestFrame)
        // It says that all is well.
        var friend = Handshake(.dialling, secret: "")
        try connection.send(impostor.take(friend.take(impostor.opening).send).send)
        let rest = connection.receive(1000, within: 1)
        #expect(rest.isEmpty)
        #expect(failure(of: pending)?.code == .refused)
        #expect(!String(decoding: answer + rest, as: UTF8.self).contains("secret"))
    }

    @Test("a proof that was listened to opens nothing", arguments: [Place.ipc, .tcp])
    func replay(place: Place) throws {
        let responder = Responder(try place.server(secret: "right"))
        defer { responder.stop() }
        let first = try RawConnection(to: responder.socket.boundAddress)
        var client = Handshake(.dialling, secret: "right")
        let answer = client.take(first.receive(48)).send
        try first.send(answer)
        #expect(first.receive(48)[10] == 0)
        let second = try RawConnection(to: responder.socket.boundAddress)
        #expect(second.receive(48).count == 48)
        try second.send(answer)
        let verdict = second.receive(1000)
        #expect(verdict.count == 48 && verdict[10] != 0)
    }

    @Test("who passes on the proofs of others cannot send a frame of his own")
    func relay() throws {
        let responder = Responder(try Place.tcp.server(secret: "right")) { _ in Issue.record("it was taken") }
        defer { responder.stop() }
        // A node is made to dial him, and he dials the server.
        let listening = try RawListener(at: Place.tcp.address())
        let victim = try Place.tcp.client(to: listening.address, secret: "right")
        let pending = try victim.send(Message([1]), timeout: .seconds(1))
        let towards = try listening.accept()
        let onwards = try RawConnection(to: responder.socket.boundAddress)
        try towards.send(onwards.receive(48))
        try onwards.send(towards.receive(Handshake.longestFrame))
        #expect(onwards.receive(48)[10] == 0)
        let frame = Frame(number: 1, Message([9, 9]))
        try withExtendedLifetime(frame) { try onwards.send([UInt8](frame.bytes)) }
        #expect(onwards.receive(1).isEmpty)
        _ = failure(of: pending)
    }

    @Test("many that come and go at once do not stop a server", arguments: [Place.ipc, .tcp])
    func fleeting(place: Place) throws {
        let responder = Responder(try place.server(secret: "right"))
        defer { responder.stop() }
        for _ in 0..<150 { _ = try RawConnection(to: responder.socket.boundAddress) }
        let client = try place.client(to: responder.socket.boundAddress, secret: "right")
        #expect(try client.request(Message([1]), timeout: .seconds(30)).bytes == [1])
    }

    @Test("many that say nothing do not keep one out who knows the secret", arguments: [Place.ipc, .tcp, .tls])
    func silent(place: Place) throws {
        let responder = Responder(try place.server(secret: "right"))
        defer { responder.stop() }
        var strangers: [RawBox] = []
        for _ in 0..<150 { strangers.append(RawBox(try RawConnection(to: responder.socket.boundAddress))) }
        let client = try place.client(to: responder.socket.boundAddress, secret: "right")
        #expect(try client.request(Message([1]), timeout: .seconds(30)).bytes == [1])
        #expect(responder.socket.strangers <= Admission.places)
        withExtendedLifetime(strangers) {}
    }

    @Test("what comes before the proof takes no memory and no time", arguments: [Place.ipc, .tcp])
    func flood(place: Place) throws {
        let responder = Responder(try place.server(secret: "right"))
        defer { responder.stop() }
        let client = try place.client(to: responder.socket.boundAddress, secret: "right")
        #expect(try client.request(Message([1]), timeout: .seconds(30)).bytes == [1])
        let before = residentBytes()
        // A head that promises 4 MiB, and all of them but the last byte.
        var head = [UInt8](repeating: 0, count: FrameHead.size)
        head.withUnsafeMutableBytes { FrameHead(count: 4 << 20, number: 1).write(to: $0) }
        let bytes = head + [UInt8](repeating: 1, count: (4 << 20) - 1)
        var strangers: [RawBox] = []
        for index in 0..<80 {
            let stranger = try RawConnection(to: responder.socket.boundAddress)
            // Some begin as they should.
            var handshake = Handshake(.dialling, secret: "wrong")
            if index % 2 == 0 { try stranger.send(Array(handshake.take(stranger.receive(48)).send.prefix(79))) }
            stranger.sendAtOnce(bytes)
            strangers.append(RawBox(stranger))
            #expect(try client.request(Message([1]), timeout: .seconds(5)).bytes == [1])
        }
        #expect(residentBytes() - before < 32 << 20)
        withExtendedLifetime(strangers) {}
    }

    @Test("one that begins and does not go on is dropped in time")
    func slow() throws {
        let responder = Responder(try Place.tcp.server(secret: "right"))
        defer { responder.stop() }
        let stranger = try RawConnection(to: responder.socket.boundAddress)
        _ = stranger.receive(48)
        try stranger.send(Array("TRIB".utf8))
        let start = ContinuousClock.now
        #expect(stranger.receive(1, within: 30).isEmpty)
        #expect(ContinuousClock.now - start < Admission.patience + .seconds(5))
        #expect(responder.socket.strangers == 0)
    }
}
