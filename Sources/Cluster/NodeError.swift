/// Why a node of a cluster ended: one clear line, and the exit status of its process.
public struct NodeError: Error, Sendable, Equatable, CustomStringConvertible {
    public typealias Kind = ExitStatus

    public let kind: Kind
    public let message: String

    public var description: String { message }

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

/// The exit statuses of the program besides 0, after `sysexits.h`.
public enum ExitStatus: Int32, Sendable {
    case usage = 64
    case badData = 65
    case peerUnavailable = 69
    case failed = 70
    case cannotCreate = 73
    case refused = 77
    case configuration = 78
    /// As shells show a process that Ctrl-C ended.
    case interrupted = 130
}
