internal import Dataflow

/// How gradients travel through sockets. Values come back as float32, with `bfloat16` as bfloat16.
///
/// What `int8` and `topK` leave out of a gradient is not lost: a worker adds it to its next one ("error feedback"; Seide et
/// al., "1-Bit Stochastic Gradient Descent", 2014; Karimireddy et al., "Error Feedback Fixes SignSGD", 2019).
public enum WireFormat: Sendable, Equatable {
    case float32
    /// The upper half of each number, rounded to the nearest.
    case bfloat16
    /// Whole numbers from −127 to 127, with a scale for every 1,024 of them.
    case int8
    /// This part of a gradient's numbers, those of the largest magnitude, 0 < part ≤ 0.25: after Lin et al., "Deep Gradient
    /// Compression" (2018), without its corrections for momentum.
    case topK(Double)
}

/// One gradient in a message: which way its numbers are written, and how many bytes that takes.
package enum GradientCoding: UInt32, Sendable {
    /// Little-endian numbers of the gradient's own dtype.
    case plain = 0
    /// A 16-bit number for each.
    case bfloat16
    /// A float32 scale for every 1,024, then an 8-bit number for each.
    case int8
    /// A 32-bit count, so many 32-bit indices that grow, then so many float32.
    case sparse

    static let scaleSpan = 1024

    /// Whether these bytes are a gradient of so many float32 (for `plain` of so many bytes): all that `decode` relies on.
    package func accepts(_ bytes: UnsafeRawBufferPointer, elements: Int, plainBytes: Int) -> Bool {
        switch self {
        case .plain: return bytes.count == plainBytes
        case .bfloat16: return bytes.count == elements * 2
        case .int8: return bytes.count == GradientCoding.scales(elements) * 4 + elements
        case .sparse:
            guard bytes.count >= 4 else { return false }
            let count = Int(bytes.word(0))
            guard count <= elements, bytes.count == 4 + count * 8 else { return false }
            var last = -1
            for i in 0..<count {
                let index = Int(bytes.word(4 + i * 4))
                guard index > last, index < elements else { return false }
                last = index
            }
            return true
        }
    }

    static func scales(_ elements: Int) -> Int { (elements + scaleSpan - 1) / scaleSpan }

    /// Writes the gradient that accepted bytes stand for.
    package func decode(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>) {
        guard let start = bytes.baseAddress, let out = target.baseAddress else { return }
        switch self {
        case .plain: UnsafeMutableRawPointer(out).copyMemory(from: start, byteCount: bytes.count)
        case .bfloat16:
            for i in 0..<target.count {
                let half = start.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
                out[i] = BFloat16(bits: UInt16(littleEndian: half)).float
            }
        case .int8:
            let numbers = start + GradientCoding.scales(target.count) * 4
            for block in 0..<GradientCoding.scales(target.count) {
                let scale = Float(bitPattern: bytes.word(block * 4))
                let first = block * GradientCoding.scaleSpan
                for i in first..<min(first + GradientCoding.scaleSpan, target.count) {
                    out[i] = Float(numbers.load(fromByteOffset: i, as: Int8.self)) * scale
                }
            }
        case .sparse:
            target.update(repeating: 0)
            let count = Int(bytes.word(0))
            for i in 0..<count {
                out[Int(bytes.word(4 + i * 4))] = Float(bitPattern: bytes.word(4 + (count + i) * 4))
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    func word(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
