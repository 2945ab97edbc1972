internal import CNNG

/// A request in flight. Dropping it cancels the request.
public struct PendingReply: ~Copyable, Sendable {
    private let core: SocketCore
    private let dialer: nng_dialer
    private var exchange: Exchange?
    private let timeout: Duration
    private let deadline: ContinuousClock.Instant

    init(core: SocketCore, dialer: nng_dialer, exchange: Exchange, timeout: Duration) {
        self.core = core
        self.dialer = dialer
        self.exchange = exchange
        self.timeout = timeout
        deadline = ContinuousClock.now + timeout
    }

    deinit {
        if let exchange { core.discard(exchange) }
    }

    /// Waits for the reply.
    ///
    /// - Throws: ``MessagingError``: `timedOut` (it says whether there was a connection), `connectionReset`, or
    ///   `closed` if the socket was closed.
    public consuming func wait() throws(MessagingError) -> Message {
        guard let exchange else { preconditionFailure("a reply is waited for once") }
        self.exchange = nil
        // The receive starts only when the request has gone out: nng 1.5 does not survive a receive that times out
        // before its send. A reply that comes in between is kept by the context.
        var result = exchange.finishSending()
        if result == 0 {
            let reply = core.receive(exchange, timeout: (deadline - ContinuousClock.now).milliseconds)
            if let pointer = reply.message {
                core.checkIn(exchange)
                return Message(owning: pointer)
            }
            result = reply.result
        }
        core.discard(exchange)
        // As it closes, nng may break the connection before it closes the context.
        guard !core.isClosed else { throw .closed(.await, core.address.description) }
        guard result == NNG.number(NNG_ETIMEDOUT) else { throw MessagingError(nng: result, .await, core.address) }
        throw MessagingError(
            .timedOut, .await, core.address.description, "within \(timeout) (\(DialerFacts(dialer)))")
    }

    /// Gives the request up: the peer may still carry it out, its reply is dropped.
    public consuming func cancel() {
        // The deinit does it.
    }
}
