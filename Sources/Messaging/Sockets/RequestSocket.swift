internal import CNNG

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
/// Over TLS nng 1.5.2 sometimes fails to connect again after the server went away; the request then times out.
/// nng's scalability protocol is REQ, version 0, with `NNG_OPT_REQ_RESENDTIME` infinite.
public final class RequestSocket: Sendable {
    private let core: SocketCore
    private let dialer: nng_dialer

    /// Where requests go.
    public var address: Address { core.address }

    /// The most bytes a request's or a reply's body may have.
    public var maximumMessage: Int { core.maximumMessage }

    /// Contexts that exist, for tests against leaks.
    package var openContexts: Int { core.openContexts }

    /// Opens the socket and starts to dial; nobody needs to listen there yet.
    ///
    /// - Parameters:
    ///   - address: where requests go; the port is not 0.
    ///   - tls: what to check the server against, for `tls+tcp` only.
    ///   - maximumMessage: the most bytes a body may have, above 0.
    /// - Throws: ``MessagingError`` with code `addressInvalid`, `cryptography`, …
    public init(dial address: Address, tls: TLS? = nil, maximumMessage: Int) throws(MessagingError) {
        precondition(maximumMessage > 0, "the largest message has at least one byte")
        if address.port == 0 || address.host == "*" {
            throw MessagingError(
                .addressInvalid, .dial, address.description,
                "port 0 and host * are for listening; dial the address that the server is bound to")
        }
        NNG.prepare()
        let configuration = try Endpoint.configuration(tls, role: .client, address: address)
        var socket = nng_socket()
        try NNG.check(nng_req0_open(&socket), .dial, address)
        let core = SocketCore(owning: socket, address: address, maximumMessage: maximumMessage, neverResends: true)
        var dialer = nng_dialer()
        try NNG.check(nng_dialer_create(&dialer, socket, address.description), .dial, address)
        if address.transport != .inproc {
            try NNG.check(
                nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, maximumMessage + Endpoint.headerSize), .dial, address)
        }
        if address.transport.hasPort {
            try NNG.check(nng_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true), .dial, address)
            try NNG.check(nng_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true), .dial, address)
        }
        // Peers start together and restart: look often at first, and not so often that it costs.
        try NNG.check(nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, 20), .dial, address)
        try NNG.check(nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, 500), .dial, address)
        if let pointer = configuration.pointer {
            try NNG.check(
                nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, UnsafeMutableRawPointer(pointer)), .dial, address)
        }
        try NNG.check(nng_dialer_start(dialer, Int32(NNG_FLAG_NONBLOCK)), .dial, address)
        self.core = core
        self.dialer = dialer
    }

    deinit { core.close() }

    /// Whether there is a connection now.
    ///
    /// Gathers nng's statistics of the whole process: for messages to people, not for every request.
    public var isConnected: Bool { DialerFacts(dialer).isConnected }

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
        let exchange = try core.checkOut(.send)
        guard core.startSending(exchange, message.release(), timeout: timeout.milliseconds) else {
            core.discard(exchange)
            throw .closed(.send, address.description)
        }
        return PendingReply(core: core, dialer: dialer, exchange: exchange, timeout: timeout)
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
