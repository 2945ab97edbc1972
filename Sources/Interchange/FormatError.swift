internal import Dataflow
#if canImport(Glibc)
    import Glibc
#endif

/// A file that cannot be read or written, or holds something else than it should.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, and for text the line and the cell: `data.csv:3:7`.
    public let path: String
    /// What is wrong with it: one line, or what `init(path:lines:)` was given.
    public let what: String
    /// The system's `errno` if the system refused, else nil.
    public let systemCode: Int32?
    /// Whether it is a file that cannot be written, a full disk too; else one that cannot be read.
    public let isOutput: Bool

    public init(path: String, _ what: String) { self.init(path: path, lines: [what]) }

    /// Several lines.
    package init(path: String, lines: [String]) {
        self.path = path
        // Names that the file has may have line ends.
        what = lines.map(TerminalText.line).joined(separator: "\n")
        systemCode = nil
        isOutput = false
    }

    /// The system refused `action` ("cannot be opened"); the text of `code` is added.
    public init(path: String, _ action: String, systemCode code: Int32) {
        self.init(path, action, code, isOutput: false)
    }

    /// The system refused `action` ("cannot be written") on a file of results; the text of `code` is added.
    public init(writing path: String, _ action: String, systemCode code: Int32) {
        self.init(path, action, code, isOutput: true)
    }

    private init(_ path: String, _ action: String, _ code: Int32, isOutput: Bool) {
        self.path = path
        what = "\(action): \(String(cString: strerror(code))) (errno \(code))"
        systemCode = code
        self.isOutput = isOutput
    }

    public var description: String { "\(TerminalText.line(path)): \(what)" }
}
