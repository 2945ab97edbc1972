internal import Dispatch

/// A request in flight. Dropping it cancels the request.
public struct PendingReply: ~Copyable, Sendable {
    private let core: RequestCore
    private let number: UInt64
    private let slot: ReplySlot
    private let timeout: Duration
    private let deadline: DispatchTime

    init(core: RequestCore, number: UInt64, slot: ReplySlot, timeout: Duration) {
        self.core = core
        self.number = number
        self.slot = slot
        self.timeout = timeout
        deadline = .now() + .milliseconds(Int(timeout.milliseconds))
    }

    deinit { core.giveUp(number) }

    /// Waits for the reply.
    ///
    /// - Throws: ``MessagingError``: `timedOut` (it says how it stood with the connection), `connectionReset`,
    ///   `refused`, or `closed` if the socket was closed.
    public consuming func wait() throws(MessagingError) -> Message {
        var result = slot.wait(until: deadline)
        // A process that was stopped meanwhile has not had the time to take in what came.
        if result == nil, core.isConnected { result = slot.wait(until: .now() + 0.1) }
        switch result {
        case .success(let frame): return frame.take()
        case .failure(let error): throw error
        case nil:
            throw MessagingError(
                .timedOut, .await, core.address.description, "within \(timeout) (\(core.connection))")
        }
    }

    /// Gives the request up: the peer may still carry it out, its reply is dropped.
    public consuming func cancel() {
        // The deinit does it.
    }
}
