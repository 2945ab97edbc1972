internal import Crypto
internal import Foundation

/// Marks the frames of one direction of a connection as those of the side that proved the secret.
///
/// A mark is an HMAC-SHA256, cut to 16 bytes, under a key that only the two sides of this connection have, over the frame's
/// place in the order, its head and the first 4 KiB of its body. So nobody who passed on the proofs of others can send a
/// frame of his own, nor one again, or in another order. What follows the first 4 KiB is not covered: large bodies are
/// tensors, and hashing them would cost more than sending them. Connections that nobody can get into between (within this
/// host's files, or TLS) are not marked.
package struct FrameSeal {
    /// The bytes of a body that a mark covers.
    static let covered = 4096

    private let key: SymmetricKey
    private var count: UInt64 = 0

    package init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// The mark of the next frame.
    package mutating func next(head: FrameHead, body: UnsafeRawBufferPointer) -> FrameHead.Mark {
        var code = HMAC<SHA256>(key: key)
        let words = [count.littleEndian, UInt64(head.count).littleEndian, head.number.littleEndian]
        count += 1
        words.withUnsafeBytes { code.update(data: $0) }
        if body.count > 0 {
            code.update(
                data: UnsafeRawBufferPointer(rebasing: body.prefix(FrameSeal.covered)))
        }
        return code.finalize().withUnsafeBytes { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
