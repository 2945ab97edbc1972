import Cluster
import Messaging
import Testing

@Suite("The bytes of the exchange")
struct ExchangeCodecTests {
    private static let members = [3, 0, 65_535].map { WorkerIdentity(worker: $0, incarnation: UInt64($0) << 40 | 7) }

    private static let allRequests: [ExchangeRequest] = [
        .attach, .pull(pauses: 3, clock: nil), .pull(pauses: 0, clock: 0), .pull(pauses: 1, clock: 9),
        .push(GradientPush(step: 5, batch: 9, examples: 64, basis: .view(.max))),
        .push(GradientPush(step: 0, batch: 0, examples: 0, basis: .clock(4), isVoid: true)),
        .push(GradientPush(step: 1, batch: 2, examples: 3, basis: .updates(8), wantsValues: false)),
        .close(ClosedStep(step: -1, members: [])), .close(ClosedStep(step: 7, members: members)),
        .await(step: 6), .pause(pauses: 2),
    ]

    private static let allReplies: [ExchangeReply] = [
        .values(.updates(4)), .values(.clock(2, updates: 9)), .values(.open(OpenStep(step: 0, view: 1, members: []))),
        .values(.open(OpenStep(step: 8, view: 3, members: members))),
        .late(OpenStep(step: 8, view: 3, members: members)), .held, .applied, .waiting("worker 1, worker 2"),
        .waiting(""), .refused("no, for a reason: ä"),
    ]

    private static var envelope: ExchangeEnvelope {
        var envelope = ExchangeEnvelope(
            jobKey: .max - 1, worker: WorkerIdentity(worker: 513, incarnation: 1 << 60), shard: 77, sequence: 1 << 50)
        (envelope.isShared, envelope.buffer, envelope.isEncoded, envelope.hasHalfValues) = (true, 1, true, true)
        return envelope
    }

    private static func request(_ bytes: [UInt8]) throws -> (ExchangeEnvelope, ExchangeRequest, [UInt8]) {
        try bytes.withUnsafeBytes {
            let message = try ExchangeCodec.request($0)
            return (message.envelope, message.request, Array(message.payload))
        }
    }

    private static func reply(_ bytes: [UInt8]) throws -> (ExchangeEnvelope, ExchangeReply, [UInt8]) {
        try bytes.withUnsafeBytes {
            let message = try ExchangeCodec.reply($0)
            return (message.envelope, message.reply, Array(message.payload))
        }
    }

    @Test("requests come out as they went in, with the bytes behind them", arguments: allRequests.indices)
    func requests(_ index: Int) throws {
        let payload: [UInt8] = [1, 2, 3, 4, 5]
        let bytes = ExchangeCodec.message(Self.allRequests[index], Self.envelope, payload: payload).bytes
        let (envelope, request, rest) = try Self.request(bytes)
        #expect(envelope == Self.envelope && request == Self.allRequests[index] && rest == payload)
        #expect(throws: NodeError.self) { try Self.reply(bytes) }
        #expect(bytes[76] == 1, "tensors begin right behind the header")
    }

    @Test("answers come out as they went in, with room for values", arguments: allReplies.indices)
    func replies(_ index: Int) throws {
        let reply = Self.allReplies[index]
        let message = ExchangeCodec.message(reply, Self.envelope, room: reply.carriesValues ? 32 : 0)
        let (envelope, read, rest) = try Self.reply(message.bytes)
        #expect(envelope == Self.envelope && read == reply)
        if reply.carriesValues { #expect(rest.count == 32) }
        #expect(throws: NodeError.self) { try Self.request(message.bytes) }
    }

    @Test("a message that has been read is written anew where it is large enough")
    func reuse() throws {
        for size in [10, 76, 112, 5000] {
            let bytes = ExchangeCodec.message(
                Self.allReplies[3], Self.envelope, room: 0, reusing: Message(count: size)
            ).bytes
            #expect(bytes.count == 76 + 36)
            #expect(try Self.reply(bytes).1 == Self.allReplies[3])
        }
    }

    @Test("what is cut short, garbled or of another version is refused, and nothing traps")
    func damage() throws {
        let whole = ExchangeCodec.message(Self.allRequests[8], Self.envelope).bytes
        for count in 0..<whole.count { #expect(throws: NodeError.self) { try Self.request(Array(whole[..<count])) } }
        for (offset, byte) in [(0, 0), (4, 3), (6, 99)] as [(Int, UInt8)] {
            var bad = whole
            bad[offset] = byte
            #expect(throws: NodeError.self) { try Self.request(bad) }
        }
        var random = SystemRandomNumberGenerator()
        for message in Self.allRequests.map({ ExchangeCodec.message($0, Self.envelope).bytes })
            + Self.allReplies.map({ ExchangeCodec.message($0, Self.envelope).bytes })
        {
            for _ in 0..<200 {
                var bad = message
                for _ in 0..<3 { bad[Int.random(in: 0..<bad.count, using: &random)] = UInt8.random(in: 0...255) }
                _ = try? Self.request(bad)
                _ = try? Self.reply(bad)
            }
        }
    }

    @Test("numbers at the edges of what they can be", arguments: [24, 44, 48, 56])
    func edges(offset: Int) throws {
        let push = ExchangeRequest.push(GradientPush(step: 1, batch: 1, examples: 1, basis: .updates(1)))
        for edge in [Int64.max, .min, -2, 1 << 53] {
            var bytes = ExchangeCodec.message(push, Self.envelope).bytes
            withUnsafeBytes(of: edge.littleEndian) { number in
                bytes.replaceSubrange(offset..<offset + (offset < 48 ? 4 : 8), with: number.prefix(offset < 48 ? 4 : 8))
            }
            // What a push counts is checked by its shard, which knows the batch.
            if offset == 44 || offset == 24 && edge == 1 << 53 {
                _ = try Self.request(bytes)
            } else if offset != 24 || edge != .min {
                #expect(throws: NodeError.self) { try Self.request(bytes) }
            }
        }
        var closing = ExchangeCodec.message(Self.allRequests[8], Self.envelope).bytes
        closing[44] = 200
        #expect(throws: NodeError.self, "more members than bytes") { try Self.request(closing) }
    }
}
