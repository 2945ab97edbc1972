/// The key of a part of a partitioned Variable, in TensorFlow's order-preserving code
/// (tensorflow/core/lib/strings/ordered_code, core/util/saved_tensor_slice_util: `EncodeTensorNameSlice`).
package enum SliceKey {
    /// - Parameter extents: where the part starts in each dimension and how long it is there; −1: all of the dimension.
    package static func encode(_ name: String, _ extents: [(start: Int, length: Int)]) -> [UInt8] {
        var key = unsigned(0)
        for byte in name.utf8 {
            switch byte {
            case 0: key += [0, 0xFF]
            case 0xFF: key += [0xFF, 0]
            default: key.append(byte)
            }
        }
        key += [0, 1]
        key += unsigned(UInt64(extents.count))
        for extent in extents { key += signed(extent.start) + signed(extent.length) }
        return key
    }

    /// How many bytes, then these, the highest first.
    private static func unsigned(_ value: UInt64) -> [UInt8] {
        let bytes = bigEndian(value).drop { $0 == 0 }
        return [UInt8(bytes.count)] + bytes
    }

    /// As few bytes as hold the number with its sign and as many leading bits as there are bytes, which tell the length
    /// (flipped for numbers below 0).
    private static func signed(_ value: Int) -> [UInt8] {
        let magnitude = UInt64(bitPattern: Int64(value < 0 ? ~value : value))
        let length = (64 - magnitude.leadingZeroBitCount) / 7 + 1
        let sign: UInt8 = value < 0 ? 0xFF : 0
        var bytes = Array(([sign, sign] + bigEndian(UInt64(bitPattern: Int64(value)))).suffix(length))
        for bit in 0..<length { bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
        return bytes
    }

    private static func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}
