internal import Dataflow

/// Writes a worker's gradients in a wire format and keeps what a format leaves out, for the next step.
package struct GradientEncoder {
    private let format: WireFormat
    /// What is still owed of each gradient.
    private var owed: [Key: [Float]] = [:]

    /// A gradient: which push of which shard.
    package struct Key: Hashable {
        let shard: Int
        let push: Int

        package init(shard: Int, push: Int) {
            self.shard = shard
            self.push = push
        }
    }

    package init(_ format: WireFormat) { self.format = format }

    /// Appends a gradient of float32 in the wire format.
    ///
    /// - Parameter key: whose gradient it is: what is left out is owed to its next one.
    package mutating func encode(
        _ key: Key, _ gradient: UnsafeBufferPointer<Float>, to bytes: inout [UInt8]
    ) -> GradientCoding {
        switch format {
        case .float32:
            bytes.append(contentsOf: UnsafeRawBufferPointer(gradient))
            return .plain
        case .bfloat16:
            GradientEncoder.append(gradient.count * 2, to: &bytes) { out in
                for i in 0..<gradient.count {
                    out.storeBytes(of: BFloat16(gradient[i]).bits.littleEndian, toByteOffset: i * 2, as: UInt16.self)
                }
            }
            return .bfloat16
        case .int8:
            withDue(key, gradient) { due in GradientEncoder.encodeBytes(due, to: &bytes) }
            return .int8
        case .topK(let part):
            withDue(key, gradient) { due in
                GradientEncoder.encodeLargest(
                    due, count: min(max(Int((Double(due.count) * part).rounded(.up)), 1), due.count), to: &bytes)
            }
            return .sparse
        }
    }

    /// The gradient with what was owed; what `body` leaves there is owed from now on.
    private mutating func withDue(
        _ key: Key, _ gradient: UnsafeBufferPointer<Float>,
        _ body: (UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        var due = owed.removeValue(forKey: key) ?? [Float](repeating: 0, count: gradient.count)
        due.withUnsafeMutableBufferPointer { due in
            for i in 0..<gradient.count { due[i] += gradient[i] }
            body(due)
        }
        owed[key] = due
    }

    private static func append(_ count: Int, to bytes: inout [UInt8], _ write: (UnsafeMutableRawBufferPointer) -> Void)
    {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { write(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    private static func encodeBytes(_ due: UnsafeMutableBufferPointer<Float>, to bytes: inout [UInt8]) {
        let scales = GradientCoding.scales(due.count)
        append(scales * 4 + due.count, to: &bytes) { out in
            for block in 0..<scales {
                let range = block * GradientCoding.scaleSpan..<min((block + 1) * GradientCoding.scaleSpan, due.count)
                var most: Float = 0
                var sum: Float = 0
                for i in range {
                    most = max(most, due[i].magnitude)
                    // Not finite if one of them is not.
                    sum += due[i] * 0
                }
                let scale = sum.isNaN ? .nan : most / 127
                out.storeBytes(of: scale.bitPattern.littleEndian, toByteOffset: block * 4, as: UInt32.self)
                // A gradient that is broken is to show as one, and not to be owed for ever.
                let inverse = scale.isFinite && scale > 0 ? 1 / scale : 0
                for i in range {
                    let number = inverse.isFinite && !sum.isNaN ? (due[i] * inverse).rounded() : 0
                    let whole = Int8(max(-127, min(127, number)))
                    out[scales * 4 + i] = UInt8(bitPattern: whole)
                    due[i] = sum.isNaN ? 0 : due[i] - Float(whole) * scale
                }
            }
        }
    }

    private static func encodeLargest(
        _ due: UnsafeMutableBufferPointer<Float>, count: Int, to bytes: inout [UInt8]
    ) {
        let (threshold, ties) = cutoff(due, count: count)
        append(4 + count * 8, to: &bytes) { out in
            out.storeBytes(of: UInt32(count).littleEndian, as: UInt32.self)
            var (place, tiesLeft) = (0, ties)
            for i in 0..<due.count {
                let magnitude = due[i].magnitude.bitPattern
                guard magnitude >= threshold else { continue }
                if magnitude == threshold {
                    guard tiesLeft > 0 else { continue }
                    tiesLeft -= 1
                }
                out.storeBytes(of: UInt32(i).littleEndian, toByteOffset: 4 + place * 4, as: UInt32.self)
                out.storeBytes(
                    of: due[i].bitPattern.littleEndian, toByteOffset: 4 + (count + place) * 4, as: UInt32.self)
                due[i] = 0
                place += 1
            }
        }
        // What is broken shows now, and is not owed for ever.
        for i in 0..<due.count where !due[i].isFinite { due[i] = 0 }
    }

    /// The bits of the `count`-th largest magnitude, and how many of exactly that are among the `count` largest.
    ///
    /// Magnitudes order as their bits do: two counts, of the upper and then of the lower halves, find it without sorting.
    private static func cutoff(_ due: UnsafeMutableBufferPointer<Float>, count: Int) -> (bits: UInt32, ties: Int) {
        var bins = [Int](repeating: 0, count: 1 << 16)
        for value in due { bins[Int(value.magnitude.bitPattern >> 16)] += 1 }
        func bin(_ left: inout Int) -> Int {
            for bin in bins.indices.reversed() {
                if bins[bin] >= left { return bin }
                left -= bins[bin]
            }
            return 0
        }
        var left = count
        let upper = bin(&left)
        bins = [Int](repeating: 0, count: 1 << 16)
        for value in due where Int(value.magnitude.bitPattern >> 16) == upper {
            bins[Int(value.magnitude.bitPattern & 0xFFFF)] += 1
        }
        let lower = bin(&left)
        return (UInt32(upper) << 16 | UInt32(lower), left)
    }
}
