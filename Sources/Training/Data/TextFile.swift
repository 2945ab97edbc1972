internal import Interchange

/// A text file's bytes as UTF-8, gunzipped; a byte order mark says whether they were UTF-8, UTF-16 or UTF-32.
enum TextFile {
    /// - Throws: `FormatError` if the file cannot be read or is not in the encoding that its mark says.
    static func read(_ path: String) throws -> [UInt8] { try utf8(Gzip.read(path), path: path) }

    /// The first 64 KiB, or all of a file in UTF-16 or UTF-32. Throws as `read`.
    static func beginning(_ path: String) throws -> [UInt8] {
        let source = try Gzip(path: path)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0) }
        bytes.removeLast(bytes.count - count)
        let marks: [[UInt8]] = [[0xFF, 0xFE], [0xFE, 0xFF], [0, 0, 0xFE, 0xFF]]
        return marks.contains { bytes.starts(with: $0) } ? try read(path) : try utf8(bytes, path: path)
    }

    /// The text without its byte order mark. Without a mark the bytes are taken as they are.
    static func utf8(_ bytes: [UInt8], path: String) throws -> [UInt8] {
        func starts(_ mark: [UInt8]) -> Bool { bytes.starts(with: mark) }
        func units<Unit: FixedWidthInteger>(_: Unit.Type, isBig: Bool) throws -> [Unit] {
            let size = MemoryLayout<Unit>.size
            guard bytes.count.isMultiple(of: size) else {
                throw FormatError(path: path, "is truncated: UTF-\(size * 8) has \(size) bytes a unit")
            }
            return bytes.withUnsafeBytes { raw in
                (1..<bytes.count / size).map { index in
                    let unit = raw.loadUnaligned(fromByteOffset: index * size, as: Unit.self)
                    return isBig ? Unit(bigEndian: unit) : Unit(littleEndian: unit)
                }
            }
        }
        if starts([0xEF, 0xBB, 0xBF]) { return Array(bytes.dropFirst(3)) }
        if starts([0xFF, 0xFE, 0, 0]) { return try transcoded(units(UInt32.self, isBig: false), UTF32.self, path) }
        if starts([0, 0, 0xFE, 0xFF]) { return try transcoded(units(UInt32.self, isBig: true), UTF32.self, path) }
        if starts([0xFF, 0xFE]) { return try transcoded(units(UInt16.self, isBig: false), UTF16.self, path) }
        if starts([0xFE, 0xFF]) {
            // The mark takes one unit, which `units` leaves out.
            return try transcoded(units(UInt16.self, isBig: true), UTF16.self, path)
        }
        guard bytes.count < 4 || !bytes.prefix(4).contains(0) else {
            throw FormatError(
                path: path, "starts with NUL bytes, as UTF-16 without a byte order mark does; save it as UTF-8")
        }
        return bytes
    }

    private static func transcoded<Encoding: Unicode.Encoding>(
        _ units: [Encoding.CodeUnit], _: Encoding.Type, _ path: String
    ) throws -> [UInt8] {
        var utf8: [UInt8] = []
        utf8.reserveCapacity(units.count)
        let isWrong = transcode(
            units.makeIterator(), from: Encoding.self, to: UTF8.self, stoppingOnError: true, into: { utf8.append($0) })
        guard !isWrong else {
            throw FormatError(path: path, "is no valid \(Encoding.self), which its first bytes promise")
        }
        return utf8
    }
}
