internal import CZlib

/// zlib's decompressor of one stream: gzip (RFC 1952) or bare deflate (RFC 1951).
struct Inflater: ~Copyable {
    enum Format: Int32 {
        case gzip = 31
        case deflate = -15
    }

    /// On the heap, as zlib remembers its address.
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ format: Format) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = inflateInit2_(stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if status != Z_OK { fatalError("zlib cannot start: \(status)") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Makes ready for another stream.
    func reset() { inflateReset(stream) }

    /// Decompresses what fits; takes what it used off `input`.
    ///
    /// - Returns: bytes written into `output`, and whether the stream has ended (its checksum was right).
    /// - Throws: what zlib says is wrong.
    func run(
        _ input: inout UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Corruption) -> (written: Int, ended: Bool) {
        // zlib counts in 32 bits: longer buffers go in pieces.
        let given = min(input.count, 1 << 30)
        let room = min(output.count, 1 << 30)
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(given)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let status = inflate(stream, Z_NO_FLUSH)
        input = UnsafeRawBufferPointer(rebasing: input[(given - Int(stream.pointee.avail_in))...])
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
            throw Corruption(what: stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)")
        }
        return (room - Int(stream.pointee.avail_out), status == Z_STREAM_END)
    }

    struct Corruption: Error { let what: String }
}

/// The CRC-32 of RFC 1952 and of zip files.
func crc32(of bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
}
