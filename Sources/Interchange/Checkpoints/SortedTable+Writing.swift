extension SortedTable {
    /// Bytes of a block, about, as TensorFlow writes them.
    private static let blockSize = 262_144
    /// After so many entries a key is written whole.
    private static let restartInterval = 16

    /// The bytes of a table with these entries, whose keys must be in order, each once.
    static func encode(_ entries: [(key: [UInt8], value: [UInt8])]) -> [UInt8] {
        var file: [UInt8] = []
        var index = Block(restartInterval: 1)
        var block = Block(restartInterval: restartInterval)
        for (i, entry) in entries.enumerated() {
            block.append(entry.key, entry.value)
            if block.size >= blockSize || i == entries.count - 1 {
                index.append(entry.key, append(block, to: &file))
                block = Block(restartInterval: restartInterval)
            }
        }
        // One block of statistics, which holds nothing.
        var footer = append(Block(restartInterval: restartInterval), to: &file) + append(index, to: &file)
        footer += [UInt8](repeating: 0, count: footerSize - 8 - footer.count)
        return file + footer + little(magic, 8)
    }

    /// Writes a block with its trailer. Returns where it is.
    private static func append(_ block: Block, to file: inout [UInt8]) -> [UInt8] {
        let bytes = block.finished
        let handle = varint(file.count) + varint(bytes.count)
        // Not compressed.
        let written = bytes + [0]
        file += written
        file += little(UInt64(written.withUnsafeBytes { CRC32C.masked($0) }), 4)
        return handle
    }

    private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// A number of seven bits a byte, low ones first.
    static func varint(_ value: Int) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], UInt64(value))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Entries whose keys share their beginnings.
    private struct Block {
        let restartInterval: Int
        private var bytes: [UInt8] = []
        private var restarts = [0]
        private var count = 0
        private var last: [UInt8] = []

        init(restartInterval: Int) { self.restartInterval = restartInterval }

        var size: Int { bytes.count + restarts.count * 4 + 4 }

        mutating func append(_ key: [UInt8], _ value: [UInt8]) {
            var shared = 0
            if count == restartInterval {
                restarts.append(bytes.count)
                count = 0
            } else {
                shared = zip(last, key).prefix { $0 == $1 }.count
            }
            bytes += varint(shared) + varint(key.count - shared) + varint(value.count)
            bytes += key[shared...]
            bytes += value
            last = key
            count += 1
        }

        var finished: [UInt8] {
            bytes + restarts.flatMap { little(UInt64($0), 4) } + little(UInt64(restarts.count), 4)
        }
    }
}
