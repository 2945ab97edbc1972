#if canImport(Glibc)
    import Glibc
#endif

/// A stream of bytes that is gunzipped on the way if it starts with gzip's magic number (RFC 1952).
///
/// Members that follow each other are one stream. Needs 64 KiB, whatever the file's size. More bytes than `InflationLimit`
/// allows are refused.
public final class Gzip {
    /// The path, or what the bytes are called in errors.
    public let path: String
    private let file: InputFile?
    private let chunk: UnsafeMutableRawBufferPointer
    private var input: UnsafeRawBufferPointer
    private var inflater: Inflater?
    private var ended = false
    /// Bytes that went into the inflater, and bytes that came out.
    private var packed = 0
    private var unpacked = 0

    /// A file. Throws `FormatError` if it cannot be opened.
    public init(path: String) throws {
        self.path = path
        file = try InputFile(path: path)
        chunk = .allocate(byteCount: 1 << 16, alignment: 16)
        input = UnsafeRawBufferPointer(start: nil, count: 0)
        while input.count < 2 {
            let have = input.count
            let count = try file?.readNext(into: UnsafeMutableRawBufferPointer(rebasing: chunk[have...])) ?? 0
            input = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<(have + count)])
            if count == 0 { break }
        }
        detect()
    }

    /// Bytes in memory, which the caller keeps alive; `name` stands for the path in errors.
    public init(bytes: UnsafeRawBufferPointer, name: String) {
        path = name
        file = nil
        chunk = .init(start: nil, count: 0)
        input = bytes
        detect()
    }

    deinit { chunk.deallocate() }

    private var startsMember: Bool { input.count >= 2 && input[0] == 0x1F && input[1] == 0x8B }

    private func detect() { if startsMember { inflater = Inflater(.gzip) } }

    private func refill() throws {
        guard input.isEmpty, let file else { return }
        let count = try file.readNext(into: chunk)
        input = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<count])
    }

    /// Fills `buffer` as far as the stream goes.
    ///
    /// - Returns: bytes written; fewer than `buffer.count` only at the end.
    /// - Throws: `FormatError` if the file is truncated, corrupt or cannot be read.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < buffer.count, !ended {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            try refill()
            if inflater == nil {
                let count = min(input.count, rest.count)
                rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
                input = UnsafeRawBufferPointer(rebasing: input[count...])
                done += count
                ended = count == 0
            } else {
                done += try inflate(into: rest)
            }
        }
        return done
    }

    private func inflate(into rest: UnsafeMutableRawBufferPointer) throws -> Int {
        let given = input.count
        do {
            guard let step = try inflater?.run(&input, into: rest) else { return 0 }
            packed += given - input.count
            unpacked += step.written
            // The size of what is no file shows only as it comes.
            let compressed = max(file?.size ?? 0, packed + input.count)
            guard unpacked <= InflationLimit.bytes(of: compressed) else {
                throw FormatError(
                    path: path, "unpacks to \(InflationLimit.words(compressed)); unpack it first (gunzip)")
            }
            if step.ended {
                try endMember()
            } else if step.written == 0, given == 0 {
                throw FormatError(path: path, "is truncated: the gzip stream ends early")
            }
            return step.written
        } catch let error as Inflater.Corruption {
            throw FormatError(path: path, "is corrupt: \(error.what)")
        }
    }

    /// After a member: the next one, or the end.
    private func endMember() throws {
        if input.count == 1, let file {
            // The magic number of the next member lies across two chunks.
            chunk[0] = input[0]
            let count = try file.readNext(into: UnsafeMutableRawBufferPointer(rebasing: chunk[1...]))
            input = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<(1 + count)])
        }
        try refill()
        if input.isEmpty {
            ended = true
        } else if startsMember {
            inflater?.reset()
        } else {
            throw FormatError(path: path, "is corrupt: bytes that are no gzip follow the gzip stream")
        }
    }

    /// All that is left of the stream.
    ///
    /// - Parameter limit: more (decompressed) bytes than this are refused, before they are taken in.
    /// - Throws: `FormatError` if the file is truncated, corrupt, too long or cannot be read.
    public func readAll(limit: Int = 1 << 33) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(inflater == nil ? min(file?.size ?? input.count, limit) : 1 << 16)
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = try read(into: piece)
            guard bytes.count + count <= limit else {
                throw FormatError(path: path, "is longer than the \(limit) bytes that are allowed")
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
            if count < piece.count { return bytes }
        }
    }

    /// A whole file, gunzipped if it is gzip. Throws as `readAll(limit:)`.
    public static func read(_ path: String, limit: Int = 1 << 33) throws -> [UInt8] {
        try Gzip(path: path).readAll(limit: limit)
    }
}

extension Gzip: CustomStringConvertible {
    public var description: String { path }
}
