internal import Dispatch
internal import Messaging
internal import Synchronization

/// Sends a worker's requests. A thread of its own sends the long ones, for copying bytes into a socket takes longer than
/// waking that thread, and the worker computes meanwhile.
final class RequestSender {
    /// From so many bytes on a request is long.
    private static let longRequest = 256 << 10
    private let queue = DispatchQueue(label: "tributary.requests")

    /// A request that has been sent, or is about to be.
    final class Sending: Sendable {
        private let result = Mutex<Result<Box<PendingReply>, MessagingError>?>(nil)
        private let isSent = DispatchSemaphore(value: 0)

        fileprivate init() {}

        fileprivate func send(_ message: consuming Message, _ socket: RequestSocket, _ timeout: Duration) {
            let sent: Result<Box<PendingReply>, MessagingError>
            do throws(MessagingError) { sent = .success(Box(try socket.send(message, timeout: timeout))) } catch {
                sent = .failure(error)
            }
            result.withLock { $0 = sent }
            isSent.signal()
        }

        /// Waits until it has been sent; to be called once.
        /// - Throws: why it could not be.
        func reply() throws(MessagingError) -> PendingReply {
            isSent.wait()
            guard let reply = try result.withLock({ $0 })?.get().take() else {
                fatalError("a reply is waited for once")
            }
            return reply
        }
    }

    /// Sends a request.
    ///
    /// - Parameter fill: writes what the message lacks; called once, by another thread for a long one, before
    ///   `Sending.reply()` returns.
    func send(
        _ message: consuming Message, to socket: RequestSocket, timeout: Duration,
        fill: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?
    ) -> Sending {
        let sending = Sending()
        guard message.count >= RequestSender.longRequest else {
            if let fill { message.withUnsafeMutableBytes { fill($0) } }
            sending.send(message, socket, timeout)
            return sending
        }
        let box = Box(message)
        queue.async {
            guard var message = box.take() else { fatalError("a request is sent once") }
            if let fill { message.withUnsafeMutableBytes { fill($0) } }
            sending.send(message, socket, timeout)
        }
        return sending
    }
}
