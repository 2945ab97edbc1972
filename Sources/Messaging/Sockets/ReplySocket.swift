internal import CNNG

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
/// at once too: each call of ``receive(timeout:)`` waits on a context of its own, and each request goes to one of them.
///
/// Bytes from the network are not trusted: a peer that sends garbage, or a length above `maximumMessage`, loses its
/// connection and nothing else happens. nng's scalability protocol is REP, version 0.
public final class ReplySocket: Sendable {
    private let core: SocketCore
    private let listener: nng_listener

    /// Where the socket listens, with the real port where 0 was asked for.
    public let boundAddress: Address

    /// The most bytes a request's body may have.
    public var maximumMessage: Int { core.maximumMessage }

    /// Takes longer requests from peers that connect from now on.
    ///
    /// - Parameter maximum: the most bytes that a request's body may have; less than before changes nothing.
    /// - Throws: ``MessagingError`` with code `closed`.
    public func allow(messagesOf maximum: Int) throws(MessagingError) {
        guard maximum > maximumMessage else { return }
        if core.address.transport != .inproc {
            try NNG.check(
                nng_listener_set_size(listener, NNG_OPT_RECVMAXSZ, maximum + Endpoint.headerSize), .listen, core.address
            )
        }
        core.allow(messagesOf: maximum)
    }

    /// Contexts that exist, for tests against leaks.
    package var openContexts: Int { core.openContexts }

    /// Opens the socket and listens.
    ///
    /// A socket file that a dead process left at an ipc path is replaced; one that is listened on is not.
    ///
    /// - Parameters:
    ///   - address: where to listen.
    ///   - tls: certificates, for `tls+tcp` only.
    ///   - maximumMessage: the most bytes a request's body may have, above 0.
    /// - Throws: ``MessagingError`` with code `addressInUse`, `addressInvalid`, `permissionDenied`, `cryptography`, …
    public init(listen address: Address, tls: TLS? = nil, maximumMessage: Int) throws(MessagingError) {
        precondition(maximumMessage > 0, "the largest message has at least one byte")
        NNG.prepare()
        if address.transport == .ipc { try SocketFile.makeRoom(at: address) }
        let configuration = try Endpoint.configuration(tls, role: .server, address: address)
        var socket = nng_socket()
        try NNG.check(nng_rep0_open(&socket), .listen, address)
        // From here on the core closes the socket when an error is thrown.
        core = SocketCore(owning: socket, address: address, maximumMessage: maximumMessage, neverResends: false)
        var listener = nng_listener()
        try NNG.check(nng_listener_create(&listener, socket, address.description), .listen, address)
        self.listener = listener
        if address.transport != .inproc {
            // The protocol's header, one request number, counts too.
            try NNG.check(
                nng_listener_set_size(listener, NNG_OPT_RECVMAXSZ, maximumMessage + Endpoint.headerSize), .listen,
                address)
        }
        if address.transport.hasPort {
            try NNG.check(nng_listener_set_bool(listener, NNG_OPT_TCP_NODELAY, true), .listen, address)
            try NNG.check(nng_listener_set_bool(listener, NNG_OPT_TCP_KEEPALIVE, true), .listen, address)
        }
        if address.transport == .ipc {
            try NNG.check(nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0o600), .listen, address)
        }
        if let pointer = configuration.pointer {
            try NNG.check(
                nng_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, UnsafeMutableRawPointer(pointer)), .listen, address)
        }
        try NNG.check(nng_listener_start(listener, 0), .listen, address)
        if address.port == 0 {
            var port: Int32 = 0
            try NNG.check(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), .listen, address)
            boundAddress = address.with(port: Int(port))
        } else {
            boundAddress = address
        }
    }

    deinit { core.close() }

    /// Waits for the next request.
    ///
    /// nng 1.5 keeps a core busy for up to a millisecond as a timeout ends: who looks often at something else too is better
    /// woken by ``wake()``.
    ///
    /// - Parameter timeout: how long to wait; zero only looks, nil waits for ever.
    /// - Returns: the request, or nil when none came in time or ``wake()`` was called.
    /// - Throws: `closed` once ``close()`` was called, also while waiting.
    public func receive(timeout: Duration? = nil) throws(MessagingError) -> Request? {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        let exchange = try core.checkOut(.receive)
        var milliseconds = timeout?.milliseconds ?? NNG_DURATION_INFINITE
        while true {
            let (pointer, result) = core.receiveUnlessWoken(exchange, timeout: milliseconds)
            if let pointer {
                let message = Message(owning: pointer)
                if message.count <= core.maximumMessage {
                    return Request(core: core, exchange: exchange, message: message)
                }
                // inproc alone has no limit of its own: drop the message, as nng does for the other transports.
                if let deadline { milliseconds = (deadline - ContinuousClock.now).milliseconds }
                continue
            }
            if result == NNG.number(NNG_ETIMEDOUT) || result == 0 {
                core.checkIn(exchange)
                return nil
            }
            core.discard(exchange)
            guard !core.isClosed else { throw .closed(.receive, boundAddress.description) }
            throw MessagingError(nng: result, .receive, boundAddress)
        }
    }

    /// Has the calls of ``receive(timeout:)`` that wait return nil, or the next one if none does; from any thread.
    public func wake() { core.wake() }

    /// Closes the socket, from any thread: a thread that waits in ``receive(timeout:)`` gets `closed`.
    ///
    /// Requests that were not answered yet stay valid; answering them throws `closed`. Closing again does nothing.
    public func close() { core.close() }
}
