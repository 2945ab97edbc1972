/// Listens at an address and answers requests, in any order.
///
/// ```swift
/// let socket = try ReplySocket(listen: Address("tcp://127.0.0.1:0"), maximumMessage: 4 << 20)
/// while let request = try socket.receive(timeout: .seconds(1)) {
///     let answer = Message(request.message.bytes.reversed())
///     try request.reply(answer)
/// }
/// ```
///
/// A request may be kept unanswered while others are received. All methods may be called from any thread, several
/// at once too: each request goes to one of the calls of ``receive(timeout:)``.
///
/// Bytes from the network are not trusted. Before anything else a peer has to prove that it knows the secret, in two frames
/// of fixed size and within seconds; so many peers may be at that at once, and so many come a second (see `Admission`). A
/// peer that sends garbage, or a length above `maximumMessage`, loses its connection and nothing else happens.
public final class ReplySocket: Sendable {
    private let core: ReplyCore

    /// Where the socket listens, with the real port where 0 was asked for.
    public let boundAddress: Address

    /// The most bytes a request's body may have.
    public var maximumMessage: Int { core.maximumMessage }

    /// Takes longer requests from now on.
    ///
    /// - Parameter maximum: the most bytes that a request's body may have; less than before changes nothing.
    public func allow(messagesOf maximum: Int) {
        if maximum > maximumMessage { core.allow(messagesOf: maximum) }
    }

    /// Requests that are here and were not answered, for tests against leaks.
    package var openRequests: Int { core.openRequests }

    /// Connections whose peers have not proved the secret, for tests against floods.
    package var strangers: Int { core.strangers }

    /// Opens the socket and listens.
    ///
    /// A socket file that a dead process left at an ipc path is replaced; one that is listened on is not.
    ///
    /// - Parameters:
    ///   - address: where to listen.
    ///   - tls: certificates, for `tls+tcp` only.
    ///   - secret: what peers must prove to know; empty: none is asked for.
    ///   - maximumMessage: the most bytes a request's body may have, above 0.
    /// - Throws: ``MessagingError`` with code `addressInUse`, `addressInvalid`, `permissionDenied`, `cryptography`, …
    public init(
        listen address: Address, tls: TLS? = nil, secret: String = "", maximumMessage: Int
    ) throws(MessagingError) {
        guard maximumMessage > 0 else {
            throw MessagingError(
                .messageTooLarge, .listen, address.description,
                "the largest message has at least one byte, got maximumMessage \(maximumMessage)")
        }
        core = ReplyCore(address, secret: secret, maximumMessage: maximumMessage)
        if address.transport == .inproc {
            boundAddress = address
            guard InProcess.listen(address.host, core) else {
                throw MessagingError(.addressInUse, .listen, address.description, MessagingError.inUse(address))
            }
        } else {
            if address.transport == .ipc { try SocketFile.makeRoom(at: address) }
            let listener = try StreamListener(address, tls: tls, secret: secret, owner: core)
            boundAddress = listener.boundAddress
            try core.listen(with: listener)
        }
    }

    deinit { core.close() }

    /// Waits for the next request.
    ///
    /// - Parameter timeout: how long to wait; zero only looks, nil waits for ever.
    /// - Returns: the request, or nil when none came in time or ``wake()`` was called.
    /// - Throws: `closed` once ``close()`` was called, also while waiting.
    public func receive(timeout: Duration? = nil) throws(MessagingError) -> Request? {
        try core.next(timeout: timeout)
    }

    /// Has the calls of ``receive(timeout:)`` that wait return nil, or the next one if none does; from any thread.
    public func wake() { core.wake() }

    /// Closes the socket, from any thread: a thread that waits in ``receive(timeout:)`` gets `closed`.
    ///
    /// Requests that were not answered yet stay valid; answering them throws `closed`. Closing again does nothing.
    public func close() { core.close() }
}

extension ReplySocket: CustomStringConvertible {
    public var description: String { "replies at \(boundAddress)" }
}
