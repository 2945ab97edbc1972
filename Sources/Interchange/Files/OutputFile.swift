internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file that grows while a program runs: it can be read all the time, and what was written stays whatever fails later.
///
/// A file that is there already is emptied. Links are followed; what is no regular file, such as a FIFO, is written to as it
/// stands; "-" is standard output. Of several threads one writes after the other.
public final class OutputFile: Sendable {
    public let path: String
    private let descriptor: Mutex<Int32>

    /// Opens the file. A FIFO is waited for until somebody reads it.
    /// - Throws: `FormatError` with the system's reason.
    public init(_ path: String) throws {
        self.path = path
        let opened =
            switch try OutputTarget(path) {
            case .descriptor(let number): fcntl(number, F_DUPFD_CLOEXEC, 0)
            case .file(let place), .stream(let place):
                open(place, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0o666)
            }
        guard opened >= 0 else { throw FormatError(writing: path, "cannot be written", systemCode: errno) }
        descriptor = Mutex(opened)
    }

    deinit { descriptor.withLock { if $0 >= 0 { Glibc.close($0) } } }

    /// Appends a text. Throws `FormatError` if the system refuses, as on a full disk.
    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Appends bytes. Throws as the other.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        let code = descriptor.withLock { Descriptor.write(bytes, to: $0) }
        guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
    }

    /// Closes the file. Throws `FormatError` if the system tells only now that the disk is full.
    public func close() throws {
        let code = descriptor.withLock { descriptor -> Int32 in
            defer { descriptor = -1 }
            return Glibc.close(descriptor) == 0 ? 0 : errno
        }
        guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
    }
}

extension OutputFile: CustomStringConvertible {
    public var description: String { path }
}
