import Foundation
import Messaging
import Testing

@Suite("The proof of the secret")
struct HandshakeTests {
    /// Both sides' ends, after all that they send was given to the other.
    private func shake(
        _ listening: String, _ dialling: String, damage: (inout [UInt8]) -> Void = { _ in }
    ) -> (listening: Handshake.Step, dialling: Handshake.Step) {
        var server = Handshake(.listening, secret: listening)
        var client = Handshake(.dialling, secret: dialling)
        var answer = client.take(server.opening)
        damage(&answer.send)
        let verdict = server.take(answer.send)
        return (verdict, verdict.send.isEmpty ? answer : client.take(verdict.send))
    }

    private func refusal(_ step: Handshake.Step) -> Handshake.Refusal? {
        if case .failure(let refusal)? = step.end { refusal } else { nil }
    }

    private func isOpen(_ step: Handshake.Step) -> Bool { if case .success? = step.end { true } else { false } }

    @Test("equal secrets open both sides", arguments: ["", "a", "ünï\0code", String(repeating: "x", count: 1000)])
    func equal(secret: String) {
        let ends = shake(secret, secret)
        #expect(isOpen(ends.listening) && isOpen(ends.dialling))
    }

    @Test(
        "other secrets open neither, and no bytes of the secret are sent",
        arguments: [("right", "wrong"), ("right", ""), ("", "wrong"), ("right", "right "), ("e\u{301}", "é")])
    func other(listening: String, dialling: String) {
        let ends = shake(listening, dialling)
        #expect(refusal(ends.listening) == .unproved)
        #expect(refusal(ends.dialling) == .refusedByPeer)
    }

    @Test("a changed bit anywhere in the answer is noticed")
    func changed() {
        for place in 16..<Handshake.longestFrame {
            let ends = shake("secret", "secret") { $0[place] ^= 1 }
            #expect(refusal(ends.listening) == .unproved, "byte \(place)")
        }
    }

    @Test("an answer is good for its own challenge alone")
    func replay() {
        var first = Handshake(.listening, secret: "secret")
        var client = Handshake(.dialling, secret: "secret")
        let answer = client.take(first.opening).send
        #expect(isOpen(first.take(answer)))
        var second = Handshake(.listening, secret: "secret")
        #expect(refusal(second.take(answer)) == .unproved)
    }

    @Test("a listening side that does not know the secret proves nothing")
    func impostor() {
        var impostor = Handshake(.listening, secret: "guess")
        var client = Handshake(.dialling, secret: "secret")
        let answer = client.take(impostor.opening).send
        // It says that all is well, with a proof of its own making, or the client's proof sent back.
        var other = Handshake(.dialling, secret: "guess")
        let verdict = impostor.take(other.take(impostor.opening).send).send
        var victim = client
        #expect(refusal(victim.take(verdict)) == .unproved)
        victim = client
        #expect(refusal(victim.take(verdict.prefix(16) + answer.suffix(32))) == .unproved)
    }

    @Test("bytes may come one by one, and none too many are asked for")
    func pieces() {
        var server = Handshake(.listening, secret: "s")
        var client = Handshake(.dialling, secret: "s")
        let answer = client.take(server.opening).send
        for (index, byte) in answer.enumerated() {
            #expect(server.missing == answer.count - index)
            let step = server.take([byte])
            #expect(isOpen(step) == (index == answer.count - 1))
        }
    }

    @Test("what is of no tributary ends at its first byte")
    func foreign() {
        var server = Handshake(.listening, secret: "s")
        #expect(refusal(server.take(Array("G".utf8))) == .foreign)
    }

    @Test("another version is told")
    func version() {
        let ends = shake("s", "s") { $0[8] = 99 }
        #expect(refusal(ends.listening) == .otherVersion)
        #expect(refusal(ends.dialling) == .otherVersion)
    }
}

@Suite("Who may come in")
struct AdmissionTests {
    @Test("many come at once, then so many a second")
    func pace() {
        var admission = Admission()
        for id in 0..<Int(Admission.burst) {
            #expect(admission.next(now: .zero) == .take)
            admission.came(id, now: .zero)
            admission.isDone(id, hasProved: false)
        }
        #expect(admission.next(now: .zero) == .wait(.seconds(1 / Admission.rate)))
        #expect(admission.next(now: .seconds(1)) == .take)
        // What nobody uses is not saved up without end.
        for id in 0..<Int(Admission.burst) {
            #expect(admission.next(now: .seconds(1000)) == .take)
            admission.came(id, now: .seconds(1000))
            admission.isDone(id, hasProved: false)
        }
        #expect(admission.next(now: .seconds(1000)) != .take)
    }

    @Test("those who prove the secret are as many as they like")
    func welcome() {
        var admission = Admission()
        for id in 0..<10_000 {
            #expect(admission.next(now: .zero) == .take)
            admission.came(id, now: .zero)
            admission.isDone(id, hasProved: true)
            // Told again when it goes.
            admission.isDone(id, hasProved: false)
        }
    }

    @Test("when all places are taken the one that came first gives way, but not at once")
    func places() {
        var admission = Admission()
        for id in 0..<Admission.places {
            #expect(admission.next(now: .milliseconds(5 * id)) == .take)
            admission.came(id, now: .milliseconds(5 * id))
        }
        let now = Duration.milliseconds(5 * Admission.places)
        #expect(admission.next(now: now) == .wait(Admission.grace - now))
        #expect(admission.next(now: Admission.grace) == .dismiss(0))
        admission.isDone(0, hasProved: false)
        #expect(admission.next(now: Admission.grace) == .take)
    }
}

@Suite("Frames")
struct FrameTests {
    /// The frames read from bytes that come in pieces of a size.
    private func read(_ bytes: [UInt8], pieces: Int, limit: Int) throws -> [[UInt8]] {
        var reader = FrameReader()
        var frames: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let (body, ahead) = reader.places()
            var count = 0
            for place in [body, ahead] {
                let some = rest.prefix(min(place.count, pieces - count))
                place.copyBytes(from: some)
                rest = rest.dropFirst(some.count)
                count += some.count
            }
            reader.received(count)
            while let frame = try reader.next(limit: limit) { frames.append(frame.take().bytes) }
        }
        return frames
    }

    @Test(
        "frames of all sizes come through in pieces of all sizes",
        arguments: [1, 15, 31, 32, 33, 1000, 16_384, 1 << 20])
    func pieces(size: Int) throws {
        let bodies = [0, 1, 16, 0, 100, 16_352, 16_353, 40_000, 3].map { count in
            (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
        }
        let written = bodies.map { Frame(number: 7, Message($0)) }
        let bytes = withExtendedLifetime(written) { written.flatMap { [UInt8]($0.bytes) } }
        #expect(try read(bytes, pieces: size, limit: 1 << 20) == bodies)
    }

    @Test("a frame that was changed, comes twice or in another order is not taken", arguments: 0..<5)
    func seals(kind: Int) throws {
        let key = [UInt8](repeating: 7, count: 32)
        var seal = FrameSeal(key: key)
        let frames = (1...3).map { Frame(number: UInt64($0), Message([UInt8](repeating: UInt8($0), count: 100))) }
        for frame in frames { frame.seal(with: &seal) }
        var bytes = frames.map { [UInt8]($0.bytes) }
        switch kind {
        case 0: break
        case 1: bytes[1][40] ^= 1
        case 2: bytes[1][8] ^= 1
        case 3: bytes[1] = bytes[0]
        default: bytes.swapAt(1, 2)
        }
        var reader = FrameReader()
        reader.require(FrameSeal(key: key))
        var count = 0
        for frame in bytes {
            let ahead = reader.places().ahead
            ahead.copyBytes(from: frame)
            reader.received(frame.count)
            do { while try reader.next(limit: 1000) != nil { count += 1 } } catch {
                #expect(error == .unmarked)
                break
            }
        }
        #expect(count == (kind == 0 ? 3 : 1))
        withExtendedLifetime(frames) {}
    }

    @Test("a body that is too long is refused by its head", arguments: [1001, 1 << 62, Int.max])
    func tooLong(count: Int) {
        var head = [UInt8](repeating: 0, count: FrameHead.size)
        head.withUnsafeMutableBytes { FrameHead(count: count, number: 1).write(to: $0) }
        #expect(throws: FrameReader.Fault.tooLong) { try read(head, pieces: 100, limit: 1000) }
        head = [UInt8](repeating: 0xff, count: FrameHead.size)
        #expect(throws: FrameReader.Fault.tooLong) { try read(head, pieces: 100, limit: 1000) }
    }
}
