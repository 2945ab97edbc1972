internal import CKernels

/// The checksum that checkpoints carry, TensorFlow's too: CRC-32 by Castagnoli's polynomial (RFC 3720, appendix B.4).
package enum CRC32C {
    /// Eight tables, so that eight bytes are taken at once (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for
    /// High-Performance CRC Generation", 2008).
    private static let tables: [UInt32] = {
        let first = (0..<256).map { byte -> UInt32 in
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0x82F6_3B78 }
            return value
        }
        var tables = [first]
        for _ in 1..<8 {
            tables.append(tables[tables.count - 1].map { ($0 >> 8) ^ first[Int($0 & 0xFF)] })
        }
        return tables.flatMap { $0 }
    }()

    /// - Parameter before: the checksum of bytes that come before these.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        var crc = ~before
        if let start = bytes.baseAddress, tributary_crc32c(&crc, start, bytes.count) != 0 { return ~crc }
        return byTables(bytes, after: before)
    }

    /// The same where the processor has no instruction for it.
    package static func byTables(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~before
            var i = 0
            while i + 8 <= bytes.count {
                let low = bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self).littleEndian ^ crc
                let high = bytes.loadUnaligned(fromByteOffset: i + 4, as: UInt32.self).littleEndian
                var next: UInt32 = 0
                for k in 0..<4 {
                    let shift = UInt32(8 * k)
                    next ^= table[256 * (7 - k) + Int((low >> shift) & 0xFF)]
                    next ^= table[256 * (3 - k) + Int((high >> shift) & 0xFF)]
                }
                crc = next
                i += 8
            }
            while i < bytes.count {
                crc = (crc >> 8) ^ table[Int((crc ^ UInt32(bytes[i])) & 0xFF)]
                i += 1
            }
            return ~crc
        }
    }

    /// As files store it: a checksum over bytes that hold checksums would say little.
    package static func masked(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let crc = checksum(bytes)
        return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
    }
}
