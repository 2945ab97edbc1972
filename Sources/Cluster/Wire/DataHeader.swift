internal import Messaging

/// The fixed start of every data message, followed by raw little-endian tensor bytes.
///
/// 76 bytes: received bodies start 4 bytes past a multiple of 16, so that the tensors after it are aligned.
package struct DataHeader: Equatable, Sendable {
    package enum Kind: UInt16, Sendable {
        /// Worker → server: give me the values.
        case pull = 1
        /// Worker → server: gradients; give me the new values.
        case push
        /// Worker → server: I pushed this step before and was told to wait; give me the values.
        case await
        /// Server → worker: values.
        case values
        /// Server → worker: the step waits for others, named in the text that follows.
        case waiting
        /// Server → worker: no, for the reason that follows.
        case refused
        /// Worker → server: gradients; I need no values. Asynchronous jobs only.
        case pushOnly
        /// Server → worker: your push is applied.
        case applied
        /// Worker → server: memory of this machine for a bundle's bytes, see `RegionOffer`.
        case attach
        /// Server → worker: I have the memory.
        case attached
        /// Server → worker: too many pushes wait here; push again soon.
        case busy
        /// Server → worker: values; your gradient came too late for its step and is dropped.
        case late
        /// Worker → server: I have no batches for now, nobody is to wait for me. Under bounded staleness only.
        case pause
    }

    package static let size = 76
    /// The most bytes of a message about bundles that are cut into blocks.
    static let usualMessage = BundleLayout.limit + (64 << 10)

    /// The most bytes of a message about a bundle of this size.
    static func longestMessage(bundleBytes: Int) -> Int {
        max(usualMessage, min(max(bundleBytes, 0), 1 << 40) + (64 << 10))
    }

    private static let magic: UInt32 = 0x5254_4254  // "TBTR"
    private static let version: UInt16 = 3

    package var kind: Kind
    /// Carried by all messages of a job, so that none of another job is taken for one of this.
    package var jobKey: UInt64
    /// Tells a restarted worker from the one it replaces.
    package var incarnation: UInt64
    /// The worker's step, counted from 0; in an answer, the updates that the values have. In a pull, what the arbiter told
    /// (the open step, or the worker's clock under bounded staleness) plus 1; 0 to the arbiter itself.
    package var step: Int64
    /// The global number of the batch.
    package var batch: Int64
    /// In a synchronous job, the view that divides the step: in a push the one at hand, in an answer the next step's.
    /// Under bounded staleness, a worker's pushes so far; in a pull or pause, how often it has paused. In an asynchronous
    /// job, in a push, the updates in the values that the gradient was computed from.
    package var clock: UInt64
    package var worker: UInt32
    package var bundle: UInt32
    /// Examples that a gradient is the mean over.
    package var examples: UInt32
    /// Counts a worker's requests about a bundle, repeats too; an answer has its request's. In shared memory nothing is
    /// read or written for a request that is older than one already seen.
    package var sequence: UInt64 = 0
    /// The bytes lie in memory that both sides share, not behind the header.
    package var isShared = false
    /// Each gradient lies behind its `GradientCoding` and its size.
    package var isEncoded = false
    /// Float32 values are wanted, or sent, as bfloat16.
    package var hasHalfValues = false
    /// In shared memory, the answer's values go to the second of two places.
    package var isSecond = false
    /// The gradients are not finite and are left out: the push counts, but its update is not made.
    package var isVoid = false

    package init(
        _ kind: Kind, jobKey: UInt64, incarnation: UInt64 = 0, step: Int = 0, batch: Int = 0, clock: UInt64 = 0,
        worker: Int = 0, bundle: Int = 0, examples: Int = 0
    ) {
        self.kind = kind
        self.jobKey = jobKey
        self.incarnation = incarnation
        self.step = Int64(step)
        self.batch = Int64(batch)
        self.clock = clock
        self.worker = UInt32(worker)
        self.bundle = UInt32(bundle)
        self.examples = UInt32(examples)
    }

    /// Reads a header; nil if these bytes are none.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= DataHeader.size,
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) == DataHeader.magic,
            UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) == DataHeader.version,
            let kind = Kind(rawValue: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)))
        else { return nil }
        func long(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        self.kind = kind
        jobKey = long(8)
        incarnation = long(16)
        step = Int64(bitPattern: long(24))
        batch = Int64(bitPattern: long(32))
        clock = long(40)
        worker = word(48)
        bundle = word(52)
        examples = word(56)
        sequence = long(60)
        let flags = word(68)
        guard flags < 32, word(72) == 0 else { return nil }
        (isShared, isEncoded) = (flags & 1 != 0, flags & 2 != 0)
        (hasHalfValues, isSecond) = (flags & 4 != 0, flags & 8 != 0)
        isVoid = flags & 16 != 0
    }

    /// Checks every number that is computed with. (Keys, incarnations, clocks and sequences are only compared.)
    ///
    /// - Parameter mostExamples: that a push may have.
    /// - Throws: `NodeError` naming a number that cannot be.
    package func check(mostExamples: Int) throws(NodeError) {
        _ = try Limit.step.check(step, "the step")
        _ = try Limit.step.check(batch, "the batch")
        _ = try Limit.node.check(worker, "the worker's number")
        guard examples <= mostExamples else {
            throw NodeError(.refused, "the number of examples is \(examples), \(mostExamples) at most can be")
        }
    }

    /// Writes the header to the first 76 bytes.
    package func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: DataHeader.magic.littleEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: DataHeader.version.littleEndian, toByteOffset: 4, as: UInt16.self)
        bytes.storeBytes(of: kind.rawValue.littleEndian, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: jobKey.littleEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: incarnation.littleEndian, toByteOffset: 16, as: UInt64.self)
        bytes.storeBytes(of: step.littleEndian, toByteOffset: 24, as: Int64.self)
        bytes.storeBytes(of: batch.littleEndian, toByteOffset: 32, as: Int64.self)
        bytes.storeBytes(of: clock.littleEndian, toByteOffset: 40, as: UInt64.self)
        bytes.storeBytes(of: worker.littleEndian, toByteOffset: 48, as: UInt32.self)
        bytes.storeBytes(of: bundle.littleEndian, toByteOffset: 52, as: UInt32.self)
        bytes.storeBytes(of: examples.littleEndian, toByteOffset: 56, as: UInt32.self)
        bytes.storeBytes(of: sequence.littleEndian, toByteOffset: 60, as: UInt64.self)
        var flags: UInt32 = (isShared ? 1 : 0) | (isEncoded ? 2 : 0) | (hasHalfValues ? 4 : 0) | (isSecond ? 8 : 0)
        if isVoid { flags |= 16 }
        bytes.storeBytes(of: flags.littleEndian, toByteOffset: 68, as: UInt32.self)
        bytes.storeBytes(of: 0, toByteOffset: 72, as: UInt32.self)
    }

    /// A message with this header and room for `count` bytes, which are not cleared.
    func message(room count: Int) -> Message {
        var message = Message(count: DataHeader.size + count)
        message.withUnsafeMutableBytes { write(to: $0) }
        return message
    }

    /// The same, in a message that has been read and is large enough: it need not be allocated and cleared, which nng does.
    func message(room count: Int, reusing used: consuming Message?) -> Message {
        if var message = used.take(), message.count >= DataHeader.size + count {
            message.shrink(to: DataHeader.size + count)
            message.withUnsafeMutableBytes { write(to: $0) }
            return message
        }
        return message(room: count)
    }

    /// A message with this header and a text.
    func message(text: String) -> Message { message(bytes: Array(text.utf8)) }

    /// A message with this header and a copy of `bytes`.
    func message(bytes: [UInt8]) -> Message {
        var message = message(room: bytes.count)
        message.withUnsafeMutableBytes { target in
            UnsafeMutableRawBufferPointer(rebasing: target[DataHeader.size...]).copyBytes(from: bytes)
        }
        return message
    }

    /// The text after the header, without what is not printable.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.dropFirst(size).prefix(1000), as: UTF8.self)
    }
}
