internal import CNNG

/// One nng context and the operation that runs on it: the state of one request and its reply.
///
/// A context has one operation at a time, so that one `nng_aio` serves sending and receiving. It has no callback:
/// nng wakes the waiting thread directly.
struct Exchange: @unchecked Sendable {
    // Sendable because whoever checked it out of the pool is its only user.
    let context: nng_ctx
    let operation: OpaquePointer

    /// Waits for the end of a send; frees the message if it failed.
    func finishSending() -> Int32 {
        nng_aio_wait(operation)
        let result = nng_aio_result(operation)
        if result != 0 { dropMessage() }
        return result
    }

    /// Waits for the message of a receive that was started, or says why there is none.
    func finishReceiving() -> (message: OpaquePointer?, result: Int32) {
        nng_aio_wait(operation)
        let result = nng_aio_result(operation)
        guard result == 0 else { return (nil, result) }
        let message = nng_aio_get_msg(operation)
        nng_aio_set_msg(operation, nil)
        return (message, 0)
    }

    /// Whether a reply still waits for its connection. nng takes the message out of the operation as it passes
    /// it to the connection, and an operation has no other public sign of being busy.
    var holdsMessage: Bool { nng_aio_get_msg(operation) != nil }

    /// Frees the message that an ended operation holds.
    func dropMessage() {
        guard let message = nng_aio_get_msg(operation) else { return }
        nng_aio_set_msg(operation, nil)
        nng_msg_free(message)
    }
}
