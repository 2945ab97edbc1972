internal import CNNG

/// What went wrong with a socket, in doing what, and at which address.
///
/// `description` is one line for the user, such as
/// "cannot listen on tcp://127.0.0.1:5555: address in use; choose another port, or port 0 for any free one".
public struct MessagingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: Hashable, Sendable {
        /// No answer before the deadline.
        case timedOut
        /// The socket was closed on this side.
        case closed
        /// The request was cancelled.
        case canceled
        /// Nobody listens there.
        case connectionRefused
        /// The connection broke before the answer came; the request may or may not have been carried out.
        case connectionReset
        /// Somebody else listens there.
        case addressInUse
        /// The text is no address, or the address cannot be used here.
        case addressInvalid
        /// The operating system forbids it.
        case permissionDenied
        /// The message is longer than the socket's `maximumMessage`.
        case messageTooLarge
        /// A certificate or key is missing, unreadable or wrong.
        case cryptography
        /// The peer's certificate was not accepted.
        case peerNotAuthenticated
        /// The peer does not accept this side's secret, has not proved that it knows it, or speaks another version.
        case refused
        /// Memory or file descriptors ran out.
        case outOfResources
        /// Any other nng error, by its number.
        case other(Int32)
    }

    /// What was being done.
    public enum Operation: String, Hashable, Sendable {
        /// Reading an address.
        case parse = "read the address"
        /// Reading certificates and keys.
        case configure = "configure TLS for"
        /// Opening a ``ReplySocket``.
        case listen = "listen on"
        /// Opening a ``RequestSocket``.
        case dial = "dial"
        /// Sending a request.
        case send = "send to"
        /// Waiting for a reply.
        case await = "get an answer from"
        /// Waiting for a request.
        case receive = "receive on"
        /// Sending a reply.
        case reply = "reply on"
    }

    /// The kind of failure.
    public let code: Code
    /// What was being done.
    public let operation: Operation
    /// The address as written.
    public let address: String
    /// nng's text or our own, without the address.
    public let detail: String

    init(_ code: Code, _ operation: Operation, _ address: String, _ detail: String) {
        self.code = code
        self.operation = operation
        self.address = address
        self.detail = detail
    }

    /// One line: what could not be done, where, why, and what to do about it where that is known.
    public var description: String {
        switch (code, operation) {
        case (_, .parse): "'\(address)' is not an address: \(detail)"
        case (.timedOut, .await), (.timedOut, .send): "no answer from \(address) \(detail)"
        default: "cannot \(operation.rawValue) \(address): \(detail)"
        }
    }

    static func invalidAddress(_ text: String, _ detail: String) -> MessagingError {
        MessagingError(.addressInvalid, .parse, text, detail)
    }

    static func closed(_ operation: Operation, _ address: String) -> MessagingError {
        MessagingError(.closed, operation, address, "the socket is closed")
    }

    static func inUse(_ address: Address) -> String {
        address.transport.hasPort
            ? "address in use; choose another port, or port 0 for any free one"
            : "address in use; choose another \(address.transport == .ipc ? "path" : "name")"
    }

    /// The error for a number that an nng function returned.
    init(nng number: Int32, _ operation: Operation, _ address: Address) {
        let text = NNG.text(number)
        let (code, detail): (Code, String) =
            switch nng_errno_enum(UInt32(bitPattern: number)) {
            case NNG_ETIMEDOUT: (.timedOut, "in time")
            case NNG_ECLOSED: (.closed, "the socket is closed")
            case NNG_ECANCELED: (.canceled, "cancelled")
            case NNG_ECONNREFUSED: (.connectionRefused, text)
            case NNG_ECONNRESET, NNG_ECONNABORTED, NNG_ECONNSHUT:
                (.connectionReset, "the connection broke before the answer came")
            case NNG_EADDRINUSE: (.addressInUse, MessagingError.inUse(address))
            case NNG_EADDRINVAL: (.addressInvalid, "\(text); is '\(address.host)' a name or address of this host?")
            case NNG_EPERM: (.permissionDenied, text)
            case NNG_EMSGSIZE: (.messageTooLarge, text)
            case NNG_ECRYPTO: (.cryptography, text)
            case NNG_EPEERAUTH: (.peerNotAuthenticated, text)
            case NNG_ENOMEM, NNG_ENOFILES, NNG_ENOSPC: (.outOfResources, text)
            default: (.other(number), text)
            }
        self.init(code, operation, address.description, detail)
    }
}
