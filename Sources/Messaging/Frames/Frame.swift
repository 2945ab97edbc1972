/// What precedes a message on a stream: its size and the number of its request, 8 bytes each, little-endian, and 16 bytes
/// that mark it as the peer's (see `FrameSeal`), or zeros.
package struct FrameHead {
    package static let size = 32

    package var count: Int
    package var number: UInt64
    package var mark: Mark = (0, 0)

    package typealias Mark = (UInt64, UInt64)

    package init(count: Int, number: UInt64) {
        self.count = count
        self.number = number
    }

    /// Reads the first 32 bytes; nil for a size that no message can have.
    package init?(_ bytes: UnsafeRawPointer) {
        guard let count = Int(exactly: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))) else { return nil }
        self.count = count
        number = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        mark.0 = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        mark.1 = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    package func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: UInt64(count).littleEndian, toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: mark.0, toByteOffset: 16, as: UInt64.self)
        bytes.storeBytes(of: mark.1, toByteOffset: 24, as: UInt64.self)
    }
}

/// A message with the number of its request, as a queue holds it.
package final class Frame: @unchecked Sendable {
    // Sendable because one side at a time has it: who queues it gives it away.
    package let number: UInt64
    /// Bytes of the handshake, which have no head.
    package let isGreeting: Bool
    private var message: Message
    /// What is sent: head and body, or the bytes alone.
    package let bytes: UnsafeMutableRawBufferPointer

    package init(number: UInt64, _ message: consuming Message) {
        self.number = number
        isGreeting = false
        bytes = message.framed(number: number)
        self.message = consume message
    }

    package init(greeting: [UInt8]) {
        (number, isGreeting) = (0, true)
        var message = Message(greeting)
        bytes = message.withUnsafeMutableBytes { $0 }
        self.message = consume message
    }

    /// Writes the mark of its place in the order.
    package func seal(with seal: inout FrameSeal) {
        guard !isGreeting else { return }
        var head = FrameHead(count: count, number: number)
        head.mark = seal.next(head: head, body: UnsafeRawBufferPointer(rebasing: bytes[FrameHead.size...]))
        head.write(to: bytes)
    }

    /// The size of the body in bytes.
    package var count: Int { message.count }

    /// Gives the message away; to be called once.
    package func take() -> Message {
        var taken = Message()
        swap(&taken, &message)
        return taken
    }
}
