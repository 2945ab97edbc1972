/// A zip file that is read: its directory at once, its entries (stored or deflated) one by one.
///
/// PKWARE's APPNOTE, with zip64; no encryption, no volumes. Entries that overlap are refused, and ones that together would
/// be longer than `InflationLimit` allows.
final class ZipArchive: Sendable {
    struct Entry: Sendable {
        var name: String
        var isDeflated: Bool
        var crc: UInt32
        var compressed: Int
        var size: Int
        var headerOffset: Int
    }

    let file: InputFile
    let entries: [Entry]
    var path: String { file.path }

    init(path: String) throws {
        file = try InputFile(path: path)
        let (count, size, offset) = try Self.findDirectory(file)
        guard size >= 0, offset >= 0, offset <= file.size, size <= file.size - offset, count <= size / 46 else {
            throw FormatError(path: path, "is corrupt: its zip directory lies beyond its end")
        }
        entries = try Self.readDirectory(Fields(file.bytes(at: offset, count: size)), count: count, file: file)
        try Self.checkSizes(entries, directory: offset, file: file)
    }

    /// - Parameter directory: where the entries end.
    private static func checkSizes(_ entries: [Entry], directory: Int, file: InputFile) throws {
        var end = 0
        for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
            func fail(_ what: String) -> FormatError {
                FormatError(path: file.path, "is corrupt: the entry \(entry.name) \(what)")
            }
            guard entry.headerOffset >= end else { throw fail("overlaps another") }
            // The entry's own header has 30 bytes and more.
            guard entry.headerOffset <= directory - 30, entry.compressed <= directory - entry.headerOffset - 30 else {
                throw fail("lies beyond the end of the file")
            }
            end = entry.headerOffset + 30 + entry.compressed
        }
        let limit = InflationLimit.bytes(of: file.size)
        var total = 0
        for entry in entries where entry.isDeflated {
            guard entry.size <= limit - total else {
                throw FormatError(
                    path: file.path,
                    "unpacks to \(InflationLimit.words(file.size)); save it uncompressed (numpy.savez)")
            }
            total += entry.size
        }
    }

    /// Little-endian fields; reading beyond the end gives nil.
    private struct Fields {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            let value = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
            return Int(exactly: value)
        }
    }

    /// The number of entries, and where the central directory is.
    private static func findDirectory(_ file: InputFile) throws -> (count: Int, size: Int, offset: Int) {
        let noZip = FormatError(path: file.path, "is no zip file, or is truncated: it lacks the directory at its end")
        guard file.size >= 22 else { throw noZip }
        let start = max(0, file.size - 22 - 65_535)
        let tail = Fields(try file.bytes(at: start, count: file.size - start))
        guard
            let end = stride(from: tail.bytes.count - 22, through: 0, by: -1).first(where: {
                tail.number($0, 4) == 0x0605_4B50 && tail.number($0 + 20, 2) == tail.bytes.count - $0 - 22
            }), let count = tail.number(end + 10, 2), let size = tail.number(end + 12, 4),
            let offset = tail.number(end + 16, 4)
        else { throw noZip }
        guard count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else { return (count, size, offset) }
        guard tail.number(end - 20, 4) == 0x0706_4B50 else { return (count, size, offset) }
        guard let at = tail.number(end - 12, 8), at <= file.size - 56,
            case let big = Fields(try file.bytes(at: at, count: 56)), big.number(0, 4) == 0x0606_4B50,
            let count = big.number(32, 8), let size = big.number(40, 8), let offset = big.number(48, 8)
        else { throw noZip }
        return (count, size, offset)
    }

    private static func readDirectory(_ fields: Fields, count: Int, file: InputFile) throws -> [Entry] {
        let corrupt = FormatError(path: file.path, "is corrupt: its zip directory is damaged")
        var at = 0
        var entries: [Entry] = []
        for _ in 0..<count {
            guard fields.number(at, 4) == 0x0201_4B50, let flags = fields.number(at + 8, 2),
                let method = fields.number(at + 10, 2), let crc = fields.number(at + 16, 4),
                var compressed = fields.number(at + 20, 4), var size = fields.number(at + 24, 4),
                let nameLength = fields.number(at + 28, 2), let extraLength = fields.number(at + 30, 2),
                let commentLength = fields.number(at + 32, 2), var offset = fields.number(at + 42, 4),
                at + 46 + nameLength + extraLength <= fields.bytes.count
            else { throw corrupt }
            let name = String(decoding: fields.bytes[(at + 46)..<(at + 46 + nameLength)], as: UTF8.self)
            guard flags & 1 == 0 else { throw FormatError(path: file.path, "holds \(name) encrypted") }
            guard method == 0 || method == 8 else {
                throw FormatError(
                    path: file.path, "holds \(name) compressed by method \(method); only deflate is known")
            }
            // The zip64 field holds, in this order, those numbers that read "all ones" above.
            var extra = at + 46 + nameLength
            let extraEnd = extra + extraLength
            while extra + 4 <= extraEnd, let id = fields.number(extra, 2), let length = fields.number(extra + 2, 2) {
                var field = extra + 4
                let fieldEnd = field + length
                func next(_ value: inout Int) throws {
                    guard value == 0xFFFF_FFFF else { return }
                    guard field + 8 <= fieldEnd, fieldEnd <= extraEnd, let wide = fields.number(field, 8) else {
                        throw corrupt
                    }
                    value = wide
                    field += 8
                }
                if id == 1 {
                    try next(&size)
                    try next(&compressed)
                    try next(&offset)
                }
                extra = fieldEnd
            }
            entries.append(
                Entry(
                    name: name, isDeflated: method == 8, crc: UInt32(crc), compressed: compressed, size: size,
                    headerOffset: offset))
            at += 46 + nameLength + extraLength + commentLength
        }
        return entries
    }

    /// The bytes of an entry, its CRC checked. Throws `FormatError`.
    func read(_ entry: Entry) throws -> [UInt8] {
        func fail(_ what: String) -> FormatError {
            FormatError(path: path, "is corrupt: the entry \(entry.name) \(what)")
        }
        guard entry.headerOffset <= file.size - 30 else { throw fail("lies beyond the end of the file") }
        let header = Fields(try file.bytes(at: entry.headerOffset, count: 30))
        guard header.number(0, 4) == 0x0403_4B50, let name = header.number(26, 2), let extra = header.number(28, 2)
        else { throw fail("has no header") }
        let start = entry.headerOffset + 30 + name + extra
        guard start <= file.size, entry.compressed <= file.size - start else {
            throw fail("lies beyond the end of the file")
        }
        // Deflate makes at most 1,032 bytes of one: a directory that claims more is not believed with memory.
        guard
            entry.isDeflated
                ? entry.size / 1032 <= entry.compressed + 1 : entry.size == entry.compressed
        else { throw fail("claims \(entry.size) bytes out of \(entry.compressed)") }
        let packed = try file.bytes(at: start, count: entry.compressed)
        let bytes = entry.isDeflated ? try inflate(packed, size: entry.size, fail) : packed
        guard bytes.withUnsafeBytes({ crc32(of: $0) }) == entry.crc else { throw fail("has a wrong checksum") }
        return bytes
    }

    private func inflate(_ packed: [UInt8], size: Int, _ fail: (String) -> FormatError) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        let inflater = Inflater(.deflate)
        try bytes.withUnsafeMutableBytes { buffer in
            try packed.withUnsafeBytes { packed in
                var input = packed
                var done = 0
                while true {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                    // zlib wants room, if only to say that the stream has ended.
                    var spare: UInt8 = 0
                    let step: (written: Int, ended: Bool)
                    do {
                        step =
                            rest.isEmpty
                            ? try withUnsafeMutableBytes(of: &spare) { try inflater.run(&input, into: $0) }
                            : try inflater.run(&input, into: rest)
                    } catch let error as Inflater.Corruption { throw fail("does not inflate: \(error.what)") }
                    if rest.isEmpty, step.written > 0 { throw fail("is longer than the \(size) bytes it claims") }
                    done += step.written
                    if step.ended { break }
                    if step.written == 0 { throw fail("is truncated") }
                }
                guard done == size else { throw fail("is \(done) bytes, not the \(size) it claims") }
            }
        }
        return bytes
    }
}
