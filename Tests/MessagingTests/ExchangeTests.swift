import Foundation
import Messaging
import Synchronization
import Testing

@Suite("Requests and replies", .timeLimit(.minutes(2)))
struct ExchangeTests {
    @Test("a request is answered", arguments: Place.allCases)
    func roundTrip(place: Place) throws {
        let responder = Responder(try place.server())
        defer { responder.stop() }
        let client = try place.client(to: responder.socket.boundAddress)
        for count in [0, 1, 3, 1000] {
            let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(try client.request(Message(sent), timeout: .seconds(10)).bytes == sent)
        }
        #expect(client.isConnected)
    }

    @Test("sixteen requests are in flight at once and each gets its own answer", arguments: Place.allCases)
    func inFlight(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        let pending = try (0..<16).map { Box(try client.send(Message([$0]), timeout: .seconds(10))) }
        // All of them are received before the first is answered, and they are answered backwards.
        var parked: [Box<Request>] = []
        while parked.count < 16 {
            guard let request = try server.receive(timeout: .seconds(10)) else { break }
            parked.append(Box(request))
        }
        #expect(parked.count == 16)
        for box in parked.reversed() {
            guard let request = box.take() else { continue }
            let byte = request.message.bytes[0]
            try request.reply(Message([byte, byte &+ 100]))
        }
        for (index, box) in pending.enumerated() {
            let reply = try box.take()?.wait().bytes
            #expect(reply == [UInt8(index), UInt8(index) + 100])
        }
        #expect(server.openRequests == 0)
        #expect(client.openRequests == 0)
    }

    @Test("a request that is parked does not stop later ones", arguments: Place.allCases)
    func parked(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        let first = try client.send(Message([1]), timeout: .seconds(10))
        let parked = try server.next()
        for value in UInt8(2)..<10 {
            let next = try client.send(Message([value]), timeout: .seconds(10))
            try server.next().reply(Message([value]))
            #expect(try next.wait().bytes == [value])
        }
        try parked.reply(Message([1, 1]))
        #expect(try first.wait().bytes == [1, 1])
    }

    @Test("4 MiB arrive unchanged", arguments: Place.allCases)
    func large(place: Place) throws {
        let responder = Responder(try place.server())
        defer { responder.stop() }
        let client = try place.client(to: responder.socket.boundAddress)
        let sent = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        let pending = try (0..<4).map { _ in Box(try client.send(Message(sent), timeout: .seconds(30))) }
        for box in pending {
            let reply = try box.take()?.wait().bytes
            #expect(reply == sent)
        }
    }

    @Test("the deadline names the address when nobody is there", arguments: Place.allCases)
    func deadline(place: Place) throws {
        // A port that was free a moment ago.
        let server = try place.server()
        let address = server.boundAddress
        server.close()
        let client = try place.client(to: address)
        let start = ContinuousClock.now
        let error = try #require(throws: MessagingError.self) {
            _ = try client.request(Message([1]), timeout: .milliseconds(200))
        }
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(error.code == .timedOut)
        #expect(error.description.hasPrefix("no answer from \(address) within 0.2 seconds (never connected"))
        #expect(!client.isConnected)
        #expect(client.openRequests == 0)
    }

    @Test("the deadline says so when the peer is there and silent", arguments: Place.allCases)
    func silent(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        let pending = try client.send(Message([1]), timeout: .milliseconds(300))
        let request = try server.next()
        let error = failure(of: pending)
        #expect(error?.code == .timedOut)
        #expect(error?.description == "no answer from \(server.boundAddress) within 0.3 seconds (connected)")
        // The answer that comes too late goes nowhere, and the next exchange is not disturbed.
        try request.reply(Message([9]))
        let next = try client.send(Message([2]), timeout: .seconds(10))
        try server.next().reply(Message([3]))
        #expect(try next.wait().bytes == [3])
    }

    @Test("a cancelled request leaves nothing behind", arguments: Place.allCases)
    func cancellation(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        for _ in 0..<20 {
            try client.send(Message(count: 1 << 16), timeout: .seconds(10)).cancel()
            _ = try client.send(Message(count: 1 << 16), timeout: .seconds(10))
        }
        #expect(client.openRequests == 0)
        let pending = try client.send(Message([5]), timeout: .seconds(10))
        while let request = try server.receive(timeout: .seconds(10)) {
            let bytes = request.message.bytes
            try request.reply(Message(bytes))
            if bytes == [5] { break }
        }
        #expect(try pending.wait().bytes == [5])
    }

    @Test("a request dropped unanswered costs only its sender's patience", arguments: Place.allCases)
    func dropped(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        let client = try place.client(to: server.boundAddress)
        // Connected before it is impatient: a handshake of TLS may take longer.
        let first = try client.send(Message([0]), timeout: .seconds(30))
        try server.next().reply(Message([0]))
        _ = try first.wait()
        for _ in 0..<5 {
            let pending = try client.send(Message([1]), timeout: .milliseconds(50))
            _ = try server.next()
            let error = failure(of: pending)
            #expect(error?.code == .timedOut)
        }
        #expect(server.openRequests == 0)
        let pending = try client.send(Message([2]), timeout: .seconds(10))
        try server.next().reply(Message([4]))
        #expect(try pending.wait().bytes == [4])
    }

    @Test("no request in time is nil", arguments: [Duration.zero, .milliseconds(50)])
    func nothing(timeout: Duration) throws {
        let server = try Place.tcp.server()
        let request = try server.receive(timeout: timeout)
        let isNothing = request == nil
        #expect(isNothing)
        #expect(server.openRequests == 0)
    }

    private func isNil(_ request: consuming Request?) -> Bool {
        if let _ = request { false } else { true }
    }

    @Test("a waiting receive is woken, or the next one if none waits", arguments: Place.allCases)
    func waking(place: Place) throws {
        let server = try place.server()
        defer { server.close() }
        server.wake()
        #expect(try isNil(server.receive()))
        for _ in 0..<20 {
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 0.002)
                server.wake()
            }
            #expect(try isNil(server.receive(timeout: .seconds(20))))
        }
        // It serves as before.
        let client = try place.client(to: server.boundAddress)
        let pending = try client.send(Message([5]), timeout: .seconds(10))
        while true {
            guard let request = try server.receive(timeout: .seconds(10)) else { continue }
            try request.reply(Message([6]))
            break
        }
        #expect(try pending.wait().bytes == [6])
    }

    @Test("ten thousand round trips leave no request and no memory behind", arguments: Place.allCases)
    func leaks(place: Place) throws {
        let responder = Responder(try place.server())
        defer { responder.stop() }
        let client = try place.client(to: responder.socket.boundAddress)
        func trips(_ count: Int) throws {
            for index in 0..<count {
                let reply = try client.request(Message(count: 32_768), timeout: .seconds(10))
                if reply.count != 32_768 { Issue.record("round trip \(index) brought \(reply.count) bytes") }
            }
        }
        try trips(1000)
        let before = residentBytes()
        try trips(10_000)
        // One message kept of each trip would be 328 MB. Other tests run beside this one, and glibc keeps what they free.
        #expect(residentBytes() - before < 150 << 20)
        #expect(client.openRequests == 0)
        // The last may be answered and not dropped yet.
        #expect(responder.socket.openRequests <= 1)
    }

    @Test("several threads receive at once and every request is answered once", arguments: Place.allCases)
    func threads(place: Place) throws {
        let server = try place.server()
        let answered = Atomic(0)
        let workers = (0..<3).map { _ in
            Worker {
                while let request = try? server.receive() {
                    answered.add(1, ordering: .relaxed)
                    try? Responder.echo(request)
                }
            }
        }
        let client = try place.client(to: server.boundAddress)
        for round in 0..<50 {
            let pending = try (0..<8).map { Box(try client.send(Message([UInt8(round), $0]), timeout: .seconds(10))) }
            for (index, box) in pending.enumerated() {
                let reply = try box.take()?.wait().bytes
                #expect(reply == [UInt8(round), UInt8(index)])
            }
        }
        server.close()
        for worker in workers { #expect(worker.join(within: 10)) }
        #expect(answered.load(ordering: .relaxed) == 400)
        #expect(server.openRequests == 0)
    }
}

/// The memory of this process that is in RAM, in bytes.
func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return Int(fields?[1] ?? "").map { $0 * 4096 } ?? 0
}
