#if canImport(Glibc)
    import Glibc
#endif

/// An open file, read at any offset; several threads may read at once.
package final class InputFile: Sendable {
    package let path: String
    /// Bytes, when it was opened; 0 for what is no regular file.
    package let size: Int
    private let descriptor: Int32

    package init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FormatError(path: path, "cannot be opened", systemCode: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw FormatError(path: path, "cannot be opened", systemCode: code)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw FormatError(path: path, "is a folder, a file is wanted", systemCode: EISDIR)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The next bytes from where the last call ended, at most `buffer.count`; 0 at the end.
    package func readNext(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw FormatError(path: path, "cannot be read", systemCode: errno) }
        }
    }

    /// Fills `buffer` from `offset` on. Throws if the file ends before.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FormatError(path: path, "cannot be read", systemCode: errno) }
            guard count > 0 else {
                throw FormatError(
                    path: path, "is truncated: wanted \(buffer.count) bytes at \(offset), got \(done)")
            }
            done += count
        }
    }

    /// `count` bytes from `offset` on. Throws if the file ends before.
    package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var caught: (any Error)?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do {
                try read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
                filled = count
            } catch { caught = error }
        }
        if let caught { throw caught }
        return bytes
    }
}
