/// A request that was received and not yet answered.
///
/// It may be kept as long as its owner likes (in a ``Box`` where a collection is to hold it) while others are
/// received. Dropping it unanswered is safe; the peer then waits until its own deadline.
public struct Request: ~Copyable, Sendable {
    private let core: ReplyCore
    private let link: any Link
    private let number: UInt64

    /// What was asked; empty after ``takeMessage()``.
    public private(set) var message: Message

    init(core: ReplyCore, link: any Link, frame: Frame) {
        self.core = core
        self.link = link
        number = frame.number
        message = frame.take()
    }

    deinit { core.isDone() }

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
        guard !core.isClosed else { throw .closed(.reply, core.address.description) }
        link.send(message, number: number)
    }
}
