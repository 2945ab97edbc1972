/// Why a node of a cluster ended: one clear line, and the exit status of its process (after `sysexits.h`).
public struct NodeError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Int32, Sendable {
        case badData = 65
        case peerUnavailable = 69
        case failed = 70
        case cannotCreate = 73
        case refused = 77
        case configuration = 78
    }

    public let kind: Kind
    public let message: String
    public var exitStatus: Int32 { kind.rawValue }
    public var description: String { message }

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
