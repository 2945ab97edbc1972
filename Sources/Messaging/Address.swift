/// Where a socket listens or dials, such as `tcp://127.0.0.1:5555`.
///
/// | Transport | Form | Reaches |
/// |---|---|---|
/// | in process | `inproc://NAME` | sockets of the same process |
/// | ipc | `ipc:///ABSOLUTE/PATH` (at most 107 bytes) | processes of the same host |
/// | tcp | `tcp://HOST:PORT` | any host; IPv6 in brackets, `tcp://[::1]:5555` |
/// | tls | `tls+tcp://HOST:PORT` | as tcp, encrypted; needs a ``TLS`` configuration |
///
/// To listen, the host may be `*` (every interface) and the port 0 (any free one, told by
/// ``ReplySocket/boundAddress``).
public struct Address: Hashable, Sendable, CustomStringConvertible {
    /// How the bytes travel; the raw value is the scheme before `://`.
    public enum Transport: String, CaseIterable, Hashable, Sendable {
        /// Within one process.
        case inproc
        /// A Unix domain socket.
        case ipc
        /// TCP.
        case tcp
        /// TLS over TCP.
        case tls = "tls+tcp"

        /// Whether an address of this transport has a host and a port.
        public var hasPort: Bool { self == .tcp || self == .tls }

        var example: String {
            switch self {
            case .inproc: "inproc://server-0"
            case .ipc: "ipc:///tmp/server-0.sock"
            case .tcp: "tcp://127.0.0.1:5555"
            case .tls: "tls+tcp://ps0.example.org:5555"
            }
        }
    }

    /// The transport.
    public let transport: Transport
    /// The name (inproc), the path (ipc) or the host without brackets (tcp and tls).
    public let host: String
    /// The port, 0…65535; nil for inproc and ipc.
    public let port: Int?

    init(transport: Transport, host: String, port: Int?) {
        self.transport = transport
        self.host = host
        self.port = port
    }

    /// The address as a URL, which ``init(_:)`` reads back.
    public var description: String {
        guard let port else { return "\(transport.rawValue)://\(host)" }
        return "\(transport.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Whether only this host can be reached or can connect: inproc, ipc, 127/8, `localhost` and `::1`.
    public var isLoopback: Bool {
        guard transport.hasPort else { return true }
        if host == "::1" || host.lowercased() == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The same address with another port.
    ///
    /// - Throws: ``MessagingError`` with code `addressInvalid` unless the transport has ports, and `port` is in 0…65535.
    public func with(port: Int) throws(MessagingError) -> Address {
        guard transport.hasPort, (0...65535).contains(port) else {
            throw MessagingError(
                .addressInvalid, .parse, description,
                transport.hasPort ? "a port is in 0...65535, got \(port)" : "\(transport.rawValue) has no ports")
        }
        return with(known: port)
    }

    /// The same address with a port that is known to be one, of a transport that has ports.
    package func with(known port: Int) -> Address {
        Address(transport: transport, host: host, port: port)
    }
}
