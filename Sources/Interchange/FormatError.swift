#if canImport(Glibc)
    import Glibc
#endif

/// A file that cannot be read or written, or holds something else than it should.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, and for text the line and the cell: `data.csv:3:7`.
    public let path: String
    /// What is wrong with it, one line.
    public let what: String
    /// The system's `errno` if the system refused, else nil.
    public let systemCode: Int32?

    public init(path: String, _ what: String) {
        self.path = path
        self.what = what
        systemCode = nil
    }

    /// The system refused `action` ("cannot be opened"); the text of `code` is added.
    public init(path: String, _ action: String, systemCode code: Int32) {
        self.path = path
        what = "\(action): \(String(cString: strerror(code))) (errno \(code))"
        systemCode = code
    }

    public var description: String { "\(path): \(what)" }
}
