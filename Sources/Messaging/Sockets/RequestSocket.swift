/// Sends requests to one address and waits for the replies, many at once.
///
/// ```swift
/// let socket = try RequestSocket(dial: Address("tcp://127.0.0.1:5555"), maximumMessage: 4 << 20)
/// let pending = try socket.send(Message([1, 2, 3]), timeout: .seconds(5))
/// let reply = try pending.wait()
/// ```
///
/// The connection is made, and made again when it breaks, in the background. A request that finds no connection waits
/// for one until its deadline. A request is sent once and never again: one whose connection breaks ends with
/// `connectionReset`, and whether it was carried out is not known. All methods may be called from any thread.
///
/// Both sides prove that they know the secret before anything is sent, and it does not travel: an impostor learns nothing.
public final class RequestSocket: Sendable {
    private let core: RequestCore

    /// Where requests go.
    public var address: Address { core.address }

    /// The most bytes a request's or a reply's body may have.
    public var maximumMessage: Int { core.maximumMessage }

    /// Requests that have no answer yet, for tests against leaks.
    package var openRequests: Int { core.openRequests }

    /// Opens the socket and starts to dial; nobody needs to listen there yet.
    ///
    /// - Parameters:
    ///   - address: where requests go; the port is not 0.
    ///   - tls: what to check the server against, for `tls+tcp` only.
    ///   - secret: what both sides prove to know; empty where none is asked for.
    ///   - maximumMessage: the most bytes a body may have, above 0.
    /// - Throws: ``MessagingError`` with code `addressInvalid`, `cryptography`, …
    public init(
        dial address: Address, tls: TLS? = nil, secret: String = "", maximumMessage: Int
    ) throws(MessagingError) {
        guard maximumMessage > 0 else {
            throw MessagingError(
                .messageTooLarge, .dial, address.description,
                "the largest message has at least one byte, got maximumMessage \(maximumMessage)")
        }
        if address.port == 0 || address.host == "*" {
            throw MessagingError(
                .addressInvalid, .dial, address.description,
                "port 0 and host * are for listening; dial the address that the server is bound to")
        }
        core = RequestCore(address, maximumMessage: maximumMessage)
        let dialer: any Dialer =
            address.transport == .inproc
            ? InProcessDialer(address.host, secret: secret, owner: core)
            : try StreamDialer(address, tls: tls, secret: secret, owner: core)
        core.start(with: dialer)
    }

    deinit { core.close() }

    /// Whether there is a connection now.
    public var isConnected: Bool { core.isConnected }

    /// Starts a request; the reply is waited for later, and others may be started meanwhile.
    ///
    /// - Parameters:
    ///   - message: the request.
    ///   - timeout: how long the whole exchange may take, from now to the reply.
    /// - Throws: `closed`, or `messageTooLarge` above ``maximumMessage``.
    public func send(_ message: consuming Message, timeout: Duration) throws(MessagingError) -> PendingReply {
        let count = message.count
        guard count <= core.maximumMessage else {
            throw MessagingError(
                .messageTooLarge, .send, address.description,
                "the message has \(count) bytes, at most \(core.maximumMessage) are allowed")
        }
        let (number, slot) = try core.send(message)
        return PendingReply(core: core, number: number, slot: slot, timeout: timeout)
    }

    /// Sends a request and waits for its reply.
    ///
    /// - Parameters:
    ///   - message: the request.
    ///   - timeout: how long the whole exchange may take.
    /// - Throws: what ``send(_:timeout:)`` and ``PendingReply/wait()`` throw.
    public func request(_ message: consuming Message, timeout: Duration) throws(MessagingError) -> Message {
        try send(message, timeout: timeout).wait()
    }

    /// Closes the socket, from any thread: replies that are waited for end with `closed`.
    public func close() { core.close() }
}

extension RequestSocket: CustomStringConvertible {
    public var description: String { "requests to \(address), \(isConnected ? "connected" : "not connected")" }
}
