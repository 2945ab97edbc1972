import Foundation
import Interchange
import Schemas
import SwiftProtobuf

/// A small checkpoint of TensorFlow's format V2: the entries of its index, to be damaged, and the table around them.
enum CheckpointIndex {
    /// Entries for "v", whole, and "w", in two parts; their data file is written into `folder`.
    static func block(_ folder: String) throws -> [UInt8] {
        let data = [UInt8](0..<48)
        try Data(data).write(to: URL(fileURLWithPath: "\(folder)/a.data-00000-of-00001"))
        func entry(_ shape: [Int64], at offset: Int, _ size: Int) -> TFBundleEntryProto {
            .with {
                $0.dtype = .dtFloat
                $0.shape.dim = shape.map { extent in .with { $0.size = extent } }
                ($0.offset, $0.size) = (Int64(offset), Int64(size))
                $0.crc32C = data.withUnsafeBytes {
                    CRC32C.masked(UnsafeRawBufferPointer(rebasing: $0[offset..<offset + size]))
                }
            }
        }
        let starts: [Int64] = [0, 1]
        var whole = TFBundleEntryProto()
        whole.dtype = .dtFloat
        whole.shape.dim = [2, 2].map { extent in .with { $0.size = extent } }
        whole.slices = starts.map { start in
            .with {
                $0.extent = [
                    .with {
                        $0.start = start
                        $0.length = 1
                    }, .init(),
                ]
            }
        }
        let header = TFBundleHeaderProto.with { $0.numShards = 1 }
        var entries: [([UInt8], [UInt8])] = [([], try header.serializedBytes())]
        for (i, start) in starts.enumerated() {
            let key = SliceKey.encode("w", [(Int(start), 1), (0, -1)])
            entries.append((key, try entry([1, 2], at: 32 + 8 * i, 8).serializedBytes()))
        }
        entries.append((Array("v".utf8), try entry([4, 2], at: 0, 32).serializedBytes()))
        entries.append((Array("w".utf8), try whole.serializedBytes()))
        return entries.flatMap { key, value in [0, UInt8(key.count), UInt8(value.count)] + key + value } + restarts
    }

    private static let restarts: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0]

    /// A table of one block of entries.
    static func table(_ block: [UInt8]) -> [UInt8] {
        var file = withTrailer(block)
        let statistics = handle(file.count, restarts.count)
        file += withTrailer(restarts)
        let place = handle(0, block.count)
        let index = [0, 1, UInt8(place.count)] + [0x7A] + place + restarts
        let end = handle(file.count, index.count)
        file += withTrailer(index)
        let handles = statistics + end
        let magic: [UInt8] = [0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB]
        return file + handles + [UInt8](repeating: 0, count: 40 - handles.count) + magic
    }

    private static func withTrailer(_ block: [UInt8]) -> [UInt8] {
        let checked = block + [0]
        let checksum = checked.withUnsafeBytes { CRC32C.masked($0) }
        return checked + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * UInt32($0))) }
    }

    private static func handle(_ offset: Int, _ size: Int) -> [UInt8] {
        [offset, size].flatMap { number -> [UInt8] in
            var (rest, bytes): (Int, [UInt8]) = (number, [])
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }
    }
}
