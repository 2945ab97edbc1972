/// A file of keys and values in the keys' order, as LevelDB lays it out (leveldb/doc/table_format.md): blocks of entries
/// whose keys share their beginnings, an index of the blocks, a footer with a magic number.
///
/// Compressed blocks are refused: TensorFlow writes none in checkpoints.
struct SortedTable {
    /// All entries, in the file's order.
    private(set) var entries: [(key: [UInt8], value: ArraySlice<UInt8>)] = []

    private let path: String
    private let bytes: [UInt8]

    static let magic: UInt64 = 0xDB47_7524_8B80_FB57
    static let footerSize = 48
    /// After each block: how it is compressed, and its checksum.
    private static let trailerSize = 5

    /// - Throws: `FormatError` if the bytes are no such table, or are damaged.
    init(_ bytes: [UInt8], path: String) throws {
        self.bytes = bytes
        self.path = path
        guard bytes.count >= Self.footerSize else {
            throw FormatError(path: path, "is truncated: \(bytes.count) bytes are no table of a checkpoint")
        }
        guard Self.number(bytes[(bytes.count - 8)...], 8) == Self.magic else {
            throw FormatError(
                path: path, "is no index of a checkpoint, or is truncated: its last bytes are not a table's")
        }
        var footer = bytes[(bytes.count - Self.footerSize)...]
        // The first block named is one of statistics, which holds nothing here.
        _ = try block(try handle(&footer))
        let index = try block(try handle(&footer))
        for entry in try self.entries(of: index) {
            var value = entry.value
            entries += try self.entries(of: block(try handle(&value)))
        }
        for (one, next) in zip(entries, entries.dropFirst()) where !one.key.lexicographicallyPrecedes(next.key) {
            throw corrupt("its keys are not in order")
        }
    }

    /// Whether the last bytes are those of a table.
    static func hasMagic(_ bytes: [UInt8]) -> Bool {
        bytes.count >= footerSize && number(bytes[(bytes.count - 8)...], 8) == magic
    }

    private func corrupt(_ what: String) -> FormatError { FormatError(path: path, "is corrupt: \(what)") }

    /// A block's place in the file.
    private func handle(_ bytes: inout ArraySlice<UInt8>) throws -> Range<Int> {
        let (offset, size) = (try varint(&bytes), try varint(&bytes))
        let (end, overflow) = offset.addingReportingOverflow(size)
        guard !overflow, end <= self.bytes.count - Self.footerSize - Self.trailerSize else {
            throw corrupt("a block of \(size) bytes at \(offset) lies outside of the file")
        }
        return offset..<end
    }

    private func block(_ range: Range<Int>) throws -> ArraySlice<UInt8> {
        let type = bytes[range.upperBound]
        let stored = Self.number(bytes[(range.upperBound + 1)...], 4)
        let checksum = bytes.withUnsafeBytes {
            CRC32C.masked(UnsafeRawBufferPointer(rebasing: $0[range.lowerBound...range.upperBound]))
        }
        guard UInt64(checksum) == stored else {
            throw corrupt("the checksum of the block at \(range.lowerBound) does not fit")
        }
        guard type == 0 else {
            throw FormatError(path: path, "has compressed blocks (type \(type)), which are not read")
        }
        return bytes[range]
    }

    /// The entries of a block: each key begins with so many bytes of the one before.
    private func entries(of block: ArraySlice<UInt8>) throws -> [(key: [UInt8], value: ArraySlice<UInt8>)] {
        guard block.count >= 4 else { throw corrupt("a block has \(block.count) bytes") }
        // Places where keys are whole, for searches: passed over.
        let restarts = Int(Self.number(block[(block.endIndex - 4)...], 4))
        guard restarts <= (block.count - 4) / 4 else { throw corrupt("a block has \(restarts) restart points") }
        var rest = block[..<(block.endIndex - 4 - 4 * restarts)]
        var result: [(key: [UInt8], value: ArraySlice<UInt8>)] = []
        var key: [UInt8] = []
        while !rest.isEmpty {
            let (shared, added, length) = (try varint(&rest), try varint(&rest), try varint(&rest))
            guard shared <= key.count, added <= rest.count, length <= rest.count - added else {
                throw corrupt("an entry of a block is longer than the block")
            }
            key = Array(key[..<shared] + rest.prefix(added))
            rest = rest.dropFirst(added)
            result.append((key, rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return result
    }

    /// A number of seven bits a byte, low ones first.
    private func varint(_ bytes: inout ArraySlice<UInt8>) throws -> Int {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard let byte = bytes.popFirst() else { throw corrupt("a number in it is cut off") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int(value) }
        }
        throw corrupt("a number in it is too large")
    }

    /// The first `count` bytes as a little-endian number.
    private static func number(_ bytes: ArraySlice<UInt8>, _ count: Int) -> UInt64 {
        bytes.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
}
