/// Bytes of protocol buffers' wire format, for the few messages of summaries (tensorflow/core/framework/summary.proto), in
/// the order of their fields as TensorFlow writes them.
struct SummaryBytes {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func key(_ field: Int, _ kind: Int) { varint(UInt64(field << 3 | kind)) }

    /// A whole number; nothing for 0.
    mutating func add(_ field: Int, integer: Int) {
        if integer == 0 { return }
        key(field, 0)
        varint(UInt64(bitPattern: Int64(integer)))
    }

    /// A double; nothing for 0.
    mutating func add(_ field: Int, double: Double) {
        if double.bitPattern == 0 { return }
        key(field, 1)
        append(double.bitPattern)
    }

    /// A float, 0 too if `always`.
    mutating func add(_ field: Int, float: Float, always: Bool = false) {
        if float.bitPattern == 0, !always { return }
        key(field, 5)
        append(float.bitPattern)
    }

    /// Bytes, a text or a message, empty ones too if `always`.
    mutating func add(_ field: Int, bytes: some Collection<UInt8>, always: Bool = false) {
        if bytes.isEmpty, !always { return }
        key(field, 2)
        varint(UInt64(bytes.count))
        self.bytes += bytes
    }

    /// A list of doubles, packed; nothing for none.
    mutating func add(_ field: Int, doubles: [Double]) {
        if doubles.isEmpty { return }
        key(field, 2)
        varint(UInt64(doubles.count * 8))
        for value in doubles { append(value.bitPattern) }
    }

    private mutating func append(_ bits: some FixedWidthInteger) {
        withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
    }

    /// A message made by `fill`.
    static func message(_ fill: (inout SummaryBytes) throws -> Void) rethrows -> [UInt8] {
        var message = SummaryBytes()
        try fill(&message)
        return message.bytes
    }

    /// A summary of these values.
    static func summary(_ values: [[UInt8]]) -> [UInt8] {
        message { summary in for value in values { summary.add(1, bytes: value, always: true) } }
    }

    // MARK: Reading

    /// The fields of a message that are bytes, in order; nil if it is no message.
    static func fields(_ bytes: ArraySlice<UInt8>) -> [(field: Int, bytes: ArraySlice<UInt8>)]? {
        var (rest, result): (ArraySlice<UInt8>, [(Int, ArraySlice<UInt8>)]) = (bytes, [])
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }
        while !rest.isEmpty {
            guard let key = varint(), key >> 3 > 0, key >> 3 < 1 << 29 else { return nil }
            let size: UInt64
            switch key & 7 {
            case 0:
                guard varint() != nil else { return nil }
                continue
            case 1: size = 8
            case 5: size = 4
            case 2:
                guard let length = varint() else { return nil }
                size = length
            default: return nil
            }
            guard size <= UInt64(rest.count) else { return nil }
            if key & 7 == 2 { result.append((Int(key >> 3), rest.prefix(Int(size)))) }
            rest = rest.dropFirst(Int(size))
        }
        return result
    }
}
