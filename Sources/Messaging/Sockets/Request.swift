internal import CNNG

/// A request that was received and not yet answered.
///
/// It may be kept as long as its owner likes (in a ``Box`` where a collection is to hold it) while others are
/// received. Dropping it unanswered is safe; the peer then waits until its own deadline.
public struct Request: ~Copyable, Sendable {
    private let core: SocketCore
    private var exchange: Exchange?

    /// What was asked; empty after ``takeMessage()``.
    public private(set) var message: Message

    init(core: SocketCore, exchange: Exchange, message: consuming Message) {
        self.core = core
        self.exchange = exchange
        self.message = message
    }

    deinit {
        if let exchange { core.checkIn(exchange) }
    }

    /// Takes the message out, for instance to send it back as the reply, or to free it early.
    public mutating func takeMessage() -> Message {
        var taken = Message()
        swap(&taken, &message)
        return taken
    }

    /// Answers the request, without waiting for the peer to read.
    ///
    /// A peer that has gone is no error: nobody is left to know.
    ///
    /// - Throws: `closed` if the socket was closed meanwhile.
    public consuming func reply(_ message: consuming Message) throws(MessagingError) {
        guard let exchange else { preconditionFailure("a request is answered once") }
        self.exchange = nil
        guard core.startSending(exchange, message.release(), timeout: NNG_DURATION_INFINITE) else {
            core.discard(exchange)
            throw .closed(.reply, core.address.description)
        }
        guard core.checkInSending(exchange) else { throw .closed(.reply, core.address.description) }
    }
}
