package import Messaging

/// Who sends a message about which shard, and how its tensors travel.
package struct ExchangeEnvelope: Equatable, Sendable {
    /// Carried by all messages of a job, so that none of another job is taken for one of this.
    package var jobKey: UInt64
    package var worker: WorkerIdentity
    package var shard: Int
    /// Counts a worker's requests, repeats too; an answer has its request's. In shared memory nothing is read or written for
    /// a request that is older than one already seen.
    package var sequence: UInt64
    /// The tensors lie in memory that both sides share, not in the message.
    package var isShared = false
    /// Which of the worker's two buffers for values the answer is for: 0 or 1.
    package var buffer = 0
    /// Each gradient lies behind its `GradientCoding` and its size.
    package var isEncoded = false
    /// Float32 values are wanted, or sent, as bfloat16.
    package var hasHalfValues = false

    package init(jobKey: UInt64, worker: WorkerIdentity, shard: Int, sequence: UInt64) {
        self.jobKey = jobKey
        self.worker = worker
        self.shard = shard
        self.sequence = sequence
    }
}

/// The layout of exchange messages: the only reader and writer of their bytes.
///
/// A message begins with a header of 76 bytes, all numbers little-endian. Received bodies start 4 bytes past a multiple of 16,
/// so that the tensors after the header are aligned. Behind it come, by kind, tensors, a text or an offer of memory, and last
/// the members of a closed step, 12 bytes each.
///
/// | offset | size | |
/// |---|---|---|
/// | 0 | 4 | "TBTR" |
/// | 4 | 2 | the version of this layout |
/// | 6 | 2 | the kind |
/// | 8 | 8 | the job's key |
/// | 16 | 8 | the worker's incarnation |
/// | 24 | 4 | the worker's number |
/// | 28 | 4 | the shard's number |
/// | 32 | 8 | the sequence number |
/// | 40 | 4 | flags |
/// | 44 | 4 | examples of a push; members of a closed step |
/// | 48 | 24 | three numbers, by kind |
/// | 72 | 4 | 0 |
package enum ExchangeCodec {
    package static let headerSize = 76
    /// Bytes of one member of a closed step.
    package static let memberSize = 12
    /// The most bytes of a message about shards that are cut into blocks.
    static let usualMessage = ShardLayout.limit + (64 << 10)
    private static let magic: UInt32 = 0x5254_4254  // "TBTR"
    private static let version: UInt16 = 4

    /// The most bytes of a message about a shard of this size.
    static func longestMessage(shardBytes: Int) -> Int {
        max(usualMessage, min(max(shardBytes, 0), 1 << 40) + (64 << 10)) + Limit.node.range.count * memberSize
    }

    private enum Kind: UInt16 {
        case attach = 1
        case pull, push, close, await, pause
        case values = 32
        case held, applied, late, waiting, refused
    }

    /// Bits of the header's flags.
    private enum Flag {
        static let isShared: UInt32 = 1
        static let isEncoded: UInt32 = 2
        static let hasHalfValues: UInt32 = 4
        static let secondBuffer: UInt32 = 8
        static let isVoid: UInt32 = 16
        static let wantsValues: UInt32 = 32
        /// What the first of a push's numbers is: a view without these, else updates or a clock.
        static let basisUpdates: UInt32 = 64
        static let basisClock: UInt32 = 128
        /// There is a clock: a pull names one, values have one.
        static let hasClock: UInt32 = 256
        /// Values of the lead shard's open step.
        static let isOpen: UInt32 = 512
    }

    /// What the header says besides the envelope.
    private struct Fields {
        var kind: Kind
        var flags: UInt32 = 0
        var count = 0
        var numbers: (Int, Int, Int) = (0, 0, 0)
        var members: [WorkerIdentity] = []
        var text = ""

        init(_ kind: Kind) { self.kind = kind }
    }

    // MARK: Writing

    /// A request with room for `room` bytes behind the header, which are not cleared.
    ///
    /// - Parameter used: a message that has been read, to be written anew if it is large enough.
    package static func message(
        _ request: ExchangeRequest, _ envelope: ExchangeEnvelope, room: Int = 0, reusing used: consuming Message? = nil
    ) -> Message {
        var fields: Fields
        switch request {
        case .attach: fields = Fields(.attach)
        case .pull(let pauses, let clock):
            fields = Fields(.pull)
            fields.numbers = (pauses, clock ?? 0, 0)
            if clock != nil { fields.flags = Flag.hasClock }
        case .push(let push):
            fields = Fields(.push)
            fields.count = push.examples
            fields.flags = (push.isVoid ? Flag.isVoid : 0) | (push.wantsValues ? Flag.wantsValues : 0)
            switch push.basis {
            case .view(let view): fields.numbers.2 = Int(bitPattern: UInt(view))
            case .updates(let updates):
                fields.numbers.2 = updates
                fields.flags |= Flag.basisUpdates
            case .clock(let clock):
                fields.numbers.2 = clock
                fields.flags |= Flag.basisClock
            }
            (fields.numbers.0, fields.numbers.1) = (push.step, push.batch)
        case .close(let closed):
            fields = Fields(.close)
            fields.numbers.0 = closed.step
            fields.members = closed.members
        case .await(let step):
            fields = Fields(.await)
            fields.numbers.0 = step
        case .pause(let pauses):
            fields = Fields(.pause)
            fields.numbers.0 = pauses
        }
        return message(fields, envelope, room: room, reusing: used)
    }

    /// A request with these bytes behind the header.
    package static func message(
        _ request: ExchangeRequest, _ envelope: ExchangeEnvelope, payload: [UInt8]
    ) -> Message {
        var message = message(request, envelope, room: payload.count)
        message.withUnsafeMutableBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes[headerSize..<headerSize + payload.count])
                .copyBytes(from: payload)
        }
        return message
    }

    /// An answer with room for `room` bytes of values, which are not cleared.
    ///
    /// - Parameter used: as of the other function.
    package static func message(
        _ reply: ExchangeReply, _ envelope: ExchangeEnvelope, room: Int = 0, reusing used: consuming Message? = nil
    ) -> Message {
        func open(_ kind: Kind, _ open: OpenStep) -> Fields {
            var fields = Fields(kind)
            fields.flags = Flag.isOpen
            fields.numbers = (open.step, Int(bitPattern: UInt(open.view)), 0)
            fields.members = open.closed.members
            return fields
        }
        var fields: Fields
        switch reply {
        case .values(.open(let step)): fields = open(.values, step)
        case .late(let step): fields = open(.late, step)
        case .values(.updates(let updates)):
            fields = Fields(.values)
            fields.numbers.0 = updates
        case .values(.clock(let clock, let updates)):
            fields = Fields(.values)
            fields.numbers = (updates, clock, 0)
            fields.flags = Flag.hasClock
        case .held: fields = Fields(.held)
        case .applied: fields = Fields(.applied)
        case .waiting(let names):
            fields = Fields(.waiting)
            fields.text = names
        case .refused(let reason):
            fields = Fields(.refused)
            fields.text = reason
        }
        return message(fields, envelope, room: room, reusing: used)
    }

    private static func message(
        _ fields: Fields, _ envelope: ExchangeEnvelope, room: Int, reusing used: consuming Message?
    ) -> Message {
        let text = Array(fields.text.utf8)
        let end = headerSize + room + text.count
        let size = end + fields.members.count * memberSize
        var message: Message
        // One that is written anew need not be allocated and cleared, which nng does.
        if let old = used.take(), old.count >= size {
            message = old
            message.shrink(to: size)
        } else {
            message = Message(count: size)
        }
        message.withUnsafeMutableBytes { bytes in
            write(fields, envelope, to: bytes)
            UnsafeMutableRawBufferPointer(rebasing: bytes[headerSize..<headerSize + text.count]).copyBytes(from: text)
            for (i, member) in fields.members.enumerated() {
                let offset = end + i * memberSize
                bytes.storeBytes(of: UInt32(member.worker).littleEndian, toByteOffset: offset, as: UInt32.self)
                bytes.storeBytes(of: member.incarnation.littleEndian, toByteOffset: offset + 4, as: UInt64.self)
            }
        }
        return message
    }

    private static func write(
        _ fields: Fields, _ envelope: ExchangeEnvelope, to bytes: UnsafeMutableRawBufferPointer
    ) {
        func store(_ number: some FixedWidthInteger, at offset: Int) {
            withUnsafeBytes(of: number.littleEndian) {
                UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + $0.count]).copyMemory(from: $0)
            }
        }
        var flags = fields.flags
        if envelope.isShared { flags |= Flag.isShared }
        if envelope.isEncoded { flags |= Flag.isEncoded }
        if envelope.hasHalfValues { flags |= Flag.hasHalfValues }
        if envelope.buffer == 1 { flags |= Flag.secondBuffer }
        store(magic, at: 0)
        store(version, at: 4)
        store(fields.kind.rawValue, at: 6)
        store(envelope.jobKey, at: 8)
        store(envelope.worker.incarnation, at: 16)
        store(UInt32(clamping: envelope.worker.worker), at: 24)
        store(UInt32(clamping: envelope.shard), at: 28)
        store(envelope.sequence, at: 32)
        store(flags, at: 40)
        store(UInt32(clamping: fields.members.isEmpty ? fields.count : fields.members.count), at: 44)
        store(Int64(fields.numbers.0), at: 48)
        store(Int64(fields.numbers.1), at: 56)
        store(Int64(fields.numbers.2), at: 64)
        store(UInt32(0), at: 72)
    }

    // MARK: Reading

    /// The envelope of a message; nil if these bytes are none.
    package static func envelope(_ bytes: UnsafeRawBufferPointer) -> ExchangeEnvelope? { read(bytes)?.envelope }

    /// Reads a request.
    ///
    /// - Returns: the request, and the bytes behind its header without the members of a closed step.
    /// - Throws: `NodeError` naming a number that cannot be, or if these bytes are no request.
    package static func request(
        _ bytes: UnsafeRawBufferPointer
    ) throws(NodeError) -> (envelope: ExchangeEnvelope, request: ExchangeRequest, payload: UnsafeRawBufferPointer) {
        guard let (envelope, fields) = read(bytes) else { throw NodeError(.refused, "this is no exchange message") }
        _ = try Limit.node.check(envelope.worker.worker, "the worker's number")
        func step(_ number: Int) throws(NodeError) -> Int { try Limit.step.check(number, "the step") }
        var payload = bytes.count - headerSize
        let request: ExchangeRequest
        switch fields.kind {
        case .attach: request = .attach
        case .pull:
            let clock = fields.flags & Flag.hasClock == 0 ? nil : try Limit.step.check(fields.numbers.1, "the clock")
            request = .pull(pauses: try Limit.step.check(fields.numbers.0, "the number of pauses"), clock: clock)
        case .push: request = .push(try push(fields))
        case .close:
            let closed = try self.closed(fields, step: fields.numbers.0, bytes)
            payload -= closed.members.count * memberSize
            request = .close(closed)
        case .await: request = .await(step: try step(fields.numbers.0))
        case .pause: request = .pause(pauses: try Limit.step.check(fields.numbers.0, "the number of pauses"))
        case .values, .held, .applied, .late, .waiting, .refused:
            throw NodeError(.refused, "a server takes no answers")
        }
        return (envelope, request, UnsafeRawBufferPointer(rebasing: bytes[headerSize..<headerSize + payload]))
    }

    private static func push(_ fields: Fields) throws(NodeError) -> GradientPush {
        let basis: GradientPush.Basis
        if fields.flags & Flag.basisUpdates != 0 {
            basis = .updates(try Limit.step.check(fields.numbers.2, "the number of updates"))
        } else if fields.flags & Flag.basisClock != 0 {
            basis = .clock(try Limit.step.check(fields.numbers.2, "the clock"))
        } else {
            basis = .view(UInt64(UInt(bitPattern: fields.numbers.2)))
        }
        return GradientPush(
            step: try Limit.step.check(fields.numbers.0, "the step"),
            batch: try Limit.step.check(fields.numbers.1, "the batch"), examples: fields.count, basis: basis,
            wantsValues: fields.flags & Flag.wantsValues != 0, isVoid: fields.flags & Flag.isVoid != 0)
    }

    /// Reads an answer.
    ///
    /// - Returns: the answer, and the values behind its header.
    /// - Throws: `NodeError` naming a number that cannot be, or if these bytes are no answer.
    package static func reply(
        _ bytes: UnsafeRawBufferPointer
    ) throws(NodeError) -> (envelope: ExchangeEnvelope, reply: ExchangeReply, payload: UnsafeRawBufferPointer) {
        guard let (envelope, fields) = read(bytes) else { throw NodeError(.refused, "this is no exchange message") }
        func text() -> String { String(decoding: bytes.dropFirst(headerSize).prefix(1000), as: UTF8.self) }
        var payload = bytes.count - headerSize
        let reply: ExchangeReply
        switch fields.kind {
        case .held: reply = .held
        case .applied: reply = .applied
        case .waiting: reply = .waiting(text())
        case .refused: reply = .refused(text())
        case .values where fields.flags & Flag.isOpen == 0:
            let updates = try Limit.step.check(fields.numbers.0, "the number of updates")
            reply = .values(
                fields.flags & Flag.hasClock == 0
                    ? .updates(updates)
                    : .clock(try Limit.step.check(fields.numbers.1, "the clock"), updates: updates))
        case .values, .late:
            let step = try Limit.step.check(fields.numbers.0, "the step")
            let closed = try self.closed(fields, step: step - 1, bytes)
            payload -= closed.members.count * memberSize
            let open = OpenStep(
                step: step, view: UInt64(UInt(bitPattern: fields.numbers.1)), members: closed.members)
            reply = fields.kind == .late ? .late(open) : .values(.open(open))
        case .attach, .pull, .push, .close, .await, .pause:
            throw NodeError(.refused, "a worker takes no requests")
        }
        return (envelope, reply, UnsafeRawBufferPointer(rebasing: bytes[headerSize..<headerSize + payload]))
    }

    /// The members at the end of a message.
    private static func closed(
        _ fields: Fields, step: Int, _ bytes: UnsafeRawBufferPointer
    ) throws(NodeError) -> ClosedStep {
        guard step == -1 || Limit.step.range.contains(step) else {
            throw NodeError(.refused, "the step is \(step), which cannot be")
        }
        let room = (bytes.count - headerSize) / memberSize
        guard fields.count <= room, Limit.node.range.count >= fields.count else {
            throw NodeError(.refused, "a step of \(fields.count) members has \(room) in its message, which cannot be")
        }
        var members: [WorkerIdentity] = []
        members.reserveCapacity(fields.count)
        for i in 0..<fields.count {
            let offset = bytes.count - (fields.count - i) * memberSize
            members.append(
                WorkerIdentity(
                    worker: try Limit.node.check(bytes.word(offset), "a member's number"),
                    incarnation: long(bytes, offset + 4)))
        }
        return ClosedStep(step: step, members: members)
    }

    private static func long(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> (envelope: ExchangeEnvelope, fields: Fields)? {
        guard bytes.count >= headerSize, bytes.word(0) == magic,
            UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) == version,
            let kind = Kind(rawValue: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)))
        else { return nil }
        let flags = bytes.word(40)
        var envelope = ExchangeEnvelope(
            jobKey: long(bytes, 8),
            worker: WorkerIdentity(worker: Int(bytes.word(24)), incarnation: long(bytes, 16)),
            shard: Int(bytes.word(28)), sequence: long(bytes, 32))
        envelope.isShared = flags & Flag.isShared != 0
        envelope.isEncoded = flags & Flag.isEncoded != 0
        envelope.hasHalfValues = flags & Flag.hasHalfValues != 0
        envelope.buffer = flags & Flag.secondBuffer == 0 ? 0 : 1
        var fields = Fields(kind)
        fields.flags = flags
        fields.count = Int(bytes.word(44))
        func number(_ offset: Int) -> Int { Int(bitPattern: UInt(long(bytes, offset))) }
        fields.numbers = (number(48), number(56), number(64))
        return (envelope, fields)
    }
}
