/// How a checkpoint's data file holds a string tensor (tensorflow/core/util/tensor_bundle: `WriteStringTensor`).
enum StringBundle {
    /// The bytes of the tensor, and their masked checksum.
    static func encode(_ strings: [[UInt8]]) -> (bytes: [UInt8], checksum: UInt32) {
        let lengths = strings.map(\.count)
        let joined = Array(strings.joined())
        let bytes = lengths.flatMap(SortedTable.varint) + little(lengthChecksum(lengths)) + joined
        return (bytes, checksum(lengths, joined[...]))
    }

    /// The masked checksum over the lengths as whole numbers, the checksum of these, and the strings one after another.
    static func checksum(_ lengths: [Int], _ joined: ArraySlice<UInt8>) -> UInt32 {
        (numbers(lengths) + little(lengthChecksum(lengths)) + joined).withUnsafeBytes { CRC32C.masked($0) }
    }

    private static func lengthChecksum(_ lengths: [Int]) -> UInt32 {
        numbers(lengths).withUnsafeBytes { CRC32C.masked($0) }
    }

    private static func numbers(_ lengths: [Int]) -> [UInt8] {
        lengths.flatMap { length in
            length <= UInt32.max
                ? little(UInt32(length)) : (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        }
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
