package import Dataflow
internal import Messaging

/// The bytes of one push, kept for as long as a gradient is computed with: in a message, or in memory shared with its worker.
///
/// `@unchecked Sendable`: the bytes of a message are not written after it was received, and a worker does not write to
/// shared memory until its push is answered. A worker that does spoils its own gradients, and no more: what is checked
/// before it is used, such as indices of rows, is copied first.
package final class PushedBytes: @unchecked Sendable {
    /// For each push of the shard, how its numbers are written, and where.
    private let parts: [(coding: GradientCoding, bytes: UnsafeRawBufferPointer)]
    private let owner: AnyObject
    /// Whether a worker can write to the bytes while they are read.
    private let isShared: Bool

    /// What is pushed, its parts at these places of a buffer as they are.
    package init(
        _ start: UnsafeRawPointer, at places: [(offset: Int, bytes: Int)], owner: AnyObject, isShared: Bool = false
    ) {
        parts = places.map { (.plain, UnsafeRawBufferPointer(start: start + $0.offset, count: $0.bytes)) }
        self.owner = owner
        self.isShared = isShared
    }

    /// Reads parts one after the other, each behind its coding and its size, 32 bits each.
    /// - Parameter sizes: each part's bytes as they are, and its float32 numbers; 0 if it is of another dtype.
    /// - Returns: nil unless they are parts of these sizes and nothing else.
    init?(encoded bytes: UnsafeRawBufferPointer, sizes: [(bytes: Int, floats: Int)], owner: AnyObject) {
        var parts: [(coding: GradientCoding, bytes: UnsafeRawBufferPointer)] = []
        var offset = 0
        for size in sizes {
            guard bytes.count - offset >= 8, let coding = GradientCoding(rawValue: bytes.word(offset)) else {
                return nil
            }
            let count = Int(bytes.word(offset + 4))
            offset += 8
            guard count <= bytes.count - offset, coding == .plain || size.floats > 0 else { return nil }
            let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
            guard coding.accepts(part, elements: size.floats, plainBytes: size.bytes) else { return nil }
            parts.append((coding, part))
            offset += count
        }
        guard offset == bytes.count else { return nil }
        self.parts = parts
        self.owner = owner
        isShared = false
    }

    /// The numbers of a part: where they are if they can be used there, else written to `place`.
    ///
    /// - Parameter dtype: of the numbers. Whole numbers may be indices: a server checks them and then uses them, so they
    ///   are never left where a worker can change them between.
    package func numbers(
        _ push: Int, at place: @autoclosure () -> UnsafeMutableRawPointer, _ dtype: DType, floats: Int
    ) -> UnsafeRawPointer {
        let (coding, bytes) = parts[push]
        guard let start = bytes.baseAddress else { return UnsafeRawPointer(place()) }
        let mayStay = !isShared || dtype.isFloating
        if coding == .plain, mayStay, UInt(bitPattern: start) % 16 == 0 { return start }
        let target = place()
        if coding == .plain {
            target.copyMemory(from: start, byteCount: bytes.count)
        } else {
            coding.decode(
                bytes,
                to: UnsafeMutableBufferPointer(start: target.assumingMemoryBound(to: Float.self), count: floats))
        }
        return UnsafeRawPointer(target)
    }
}

/// A message's bytes, kept for as long as someone looks at them.
///
/// `@unchecked Sendable`: after they were received, only the releaser of the message writes the bytes, and
/// only the executor that received it looks at them.
final class ReceivedBytes: @unchecked Sendable {
    private var message: Message?
    let bytes: UnsafeRawBufferPointer

    /// Gives the message away, to be written anew. Nobody may look at the bytes after that.
    func release() -> Message? { message.take() }

    init(_ message: consuming Message) {
        // The body stays where it is while the message lives.
        bytes = message.withUnsafeBytes { $0 }
        self.message = consume message
    }
}
