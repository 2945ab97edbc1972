#if canImport(Glibc)
    import Glibc
#endif

/// A file that grows while a program runs: it can be read all the time, and what was written stays whatever fails later.
///
/// A file that is there already is emptied. Links are followed; what is no regular file, such as a FIFO, is written to as it
/// stands; "-" is standard output.
public final class OutputFile {
    public let path: String
    private var descriptor: Int32

    /// Opens the file. A FIFO is waited for until somebody reads it.
    /// - Throws: `FormatError` with the system's reason.
    public init(_ path: String) throws {
        self.path = path
        switch try OutputTarget(path) {
        case .descriptor(let number): descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0)
        case .file(let place), .stream(let place):
            descriptor = open(place, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0o666)
        }
        guard descriptor >= 0 else { throw FormatError(writing: path, "cannot be written", systemCode: errno) }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// Appends a text. Throws `FormatError` if the system refuses, as on a full disk.
    public func write(_ text: String) throws {
        var text = text
        let code = text.withUTF8 { Descriptor.write(UnsafeRawBufferPointer($0), to: descriptor) }
        guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
    }

    /// Closes the file. Throws `FormatError` if the system tells only now that the disk is full.
    public func close() throws {
        let code = Glibc.close(descriptor) == 0 ? 0 : errno
        descriptor = -1
        guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
    }
}
