internal import CNNG
internal import Dispatch
internal import Foundation
internal import Synchronization

/// An nng socket with its pool of exchanges, held by the socket's owner and by every request in flight.
///
/// nng 1.5 does not survive a call on a context while its socket closes. So each call is made under the pool's lock
/// and only while the socket is open; waiting is done outside. None of these calls blocks, and nng itself takes
/// turns on them by a lock of the socket.
final class SocketCore: Sendable {
    private struct Pool {
        /// Ready for use.
        var idle: [Exchange] = []
        /// Their reply waits behind others on a busy connection.
        var sending: [Exchange] = []
        /// All that exist, in the pool or checked out, by their context.
        var live: [UInt32: Exchange] = [:]
        var isClosed = false
        /// Those that wait for a message, and whether a wait is to end that has not begun.
        var receiving: [UInt32: Exchange] = [:]
        var isWoken = false

        /// Makes those whose reply has gone out idle again.
        mutating func collectSent() {
            guard !sending.isEmpty else { return }
            sending.removeAll { exchange in
                guard !exchange.holdsMessage else { return false }
                _ = exchange.finishSending()
                idle.append(exchange)
                return true
            }
        }
    }

    let socket: nng_socket
    let address: Address
    var maximumMessage: Int { longest.load(ordering: .relaxed) }
    private let longest: Atomic<Int>
    private let neverResends: Bool
    private let pool = Mutex(Pool())

    /// Takes over `socket`. `neverResends` is for sockets that send requests.
    init(owning socket: nng_socket, address: Address, maximumMessage: Int, neverResends: Bool) {
        self.socket = socket
        self.address = address
        longest = Atomic(maximumMessage)
        self.neverResends = neverResends
    }

    deinit { close() }

    func allow(messagesOf maximum: Int) { longest.store(maximum, ordering: .relaxed) }

    var isClosed: Bool { pool.withLock { $0.isClosed } }

    /// Contexts that exist now.
    var openContexts: Int { pool.withLock { $0.live.count } }

    /// Takes an exchange out of the pool, or opens one.
    func checkOut(_ purpose: MessagingError.Operation) throws(MessagingError) -> Exchange {
        let (found, result): (Exchange?, Int32) = pool.withLock { pool in
            guard !pool.isClosed else { return (nil, NNG.number(NNG_ECLOSED)) }
            pool.collectSent()
            if let exchange = pool.idle.popLast() { return (exchange, 0) }
            let opened = open()
            if let exchange = opened.exchange { pool.live[exchange.context.id] = exchange }
            return opened
        }
        guard let found else { throw MessagingError(nng: result, purpose, address) }
        return found
    }

    private func open() -> (exchange: Exchange?, result: Int32) {
        var context = nng_ctx()
        var result = nng_ctx_open(&context, socket)
        guard result == 0 else { return (nil, result) }
        var operation: OpaquePointer?
        result = nng_aio_alloc(&operation, nil, nil)
        if result == 0, neverResends {
            // A context does not take this over from its socket.
            result = nng_ctx_set_ms(context, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE)
        }
        guard result == 0, let operation else {
            nng_ctx_close(context)
            if let operation { nng_aio_free(operation) }
            return (nil, result)
        }
        return (Exchange(context: context, operation: operation), 0)
    }

    /// Starts to send a message, which belongs to nng unless the operation fails.
    ///
    /// - Returns: false if the socket is closed; the message stays in the exchange.
    func startSending(_ exchange: Exchange, _ message: OpaquePointer, timeout: nng_duration) -> Bool {
        nng_aio_set_msg(exchange.operation, message)
        nng_aio_set_timeout(exchange.operation, timeout)
        return pool.withLock { pool in
            if !pool.isClosed { nng_ctx_send(exchange.context, exchange.operation) }
            return !pool.isClosed
        }
    }

    /// Receives a message, or says why not.
    func receive(_ exchange: Exchange, timeout: nng_duration) -> (message: OpaquePointer?, result: Int32) {
        nng_aio_set_msg(exchange.operation, nil)
        nng_aio_set_timeout(exchange.operation, timeout)
        let isStarted = pool.withLock { pool in
            if !pool.isClosed { nng_ctx_recv(exchange.context, exchange.operation) }
            return !pool.isClosed
        }
        guard isStarted else { return (nil, NNG.number(NNG_ECLOSED)) }
        return exchange.finishReceiving()
    }

    /// Receives a message that `wake` may keep from coming.
    ///
    /// - Returns: the message; nil with the result 0 if it was woken.
    func receiveUnlessWoken(_ exchange: Exchange, timeout: nng_duration) -> (message: OpaquePointer?, result: Int32) {
        nng_aio_set_msg(exchange.operation, nil)
        nng_aio_set_timeout(exchange.operation, timeout)
        let early: Int32? = pool.withLock { pool in
            guard !pool.isClosed else { return NNG.number(NNG_ECLOSED) }
            guard !pool.isWoken else {
                pool.isWoken = false
                return 0
            }
            pool.receiving[exchange.context.id] = exchange
            nng_ctx_recv(exchange.context, exchange.operation)
            return nil
        }
        if let early { return (nil, early) }
        let (message, result) = exchange.finishReceiving()
        let isClosed = pool.withLock { pool in
            pool.receiving[exchange.context.id] = nil
            return pool.isClosed
        }
        return (message, result == NNG.number(NNG_ECANCELED) && !isClosed ? 0 : result)
    }

    /// Ends the waits for messages that are going on, or else the next one.
    func wake() {
        pool.withLock { pool in
            guard !pool.isClosed else { return }
            if pool.receiving.isEmpty { pool.isWoken = true }
            for exchange in pool.receiving.values { nng_aio_cancel(exchange.operation) }
        }
    }

    /// Returns an exchange that is done with.
    func checkIn(_ exchange: Exchange) {
        let isKept = pool.withLock { pool in
            if !pool.isClosed { pool.idle.append(exchange) }
            return !pool.isClosed
        }
        if !isKept { discard(exchange) }
    }

    /// Returns an exchange whose reply may not have gone out yet.
    ///
    /// - Returns: false if the socket is closed, so that the reply will not go out.
    func checkInSending(_ exchange: Exchange) -> Bool {
        if !exchange.holdsMessage {
            _ = exchange.finishSending()
            checkIn(exchange)
            return true
        }
        let isKept = pool.withLock { pool in
            if !pool.isClosed { pool.sending.append(exchange) }
            return !pool.isClosed
        }
        if !isKept { discard(exchange) }
        return isKept
    }

    /// Frees an exchange that is not to be used again, after ending what runs on it.
    func discard(_ exchange: Exchange) {
        pool.withLock { if !$0.isClosed { nng_aio_cancel(exchange.operation) } }
        nng_aio_wait(exchange.operation)
        exchange.dropMessage()
        pool.withLock { pool in
            // A closed socket frees its contexts itself.
            if !pool.isClosed { nng_ctx_close(exchange.context) }
            pool.live[exchange.context.id] = nil
        }
        nng_aio_free(exchange.operation)
    }

    /// Closes the socket: operations that wait end with `closed`, and later ones fail.
    func close() {
        let left: [Exchange]? = pool.withLock { pool in
            guard !pool.isClosed else { return nil }
            pool.isClosed = true
            for exchange in pool.live.values { nng_aio_cancel(exchange.operation) }
            defer { (pool.idle, pool.sending) = ([], []) }
            return pool.idle + pool.sending
        }
        guard let left else { return }
        left.forEach(discard)
        // nng 1.5 can lose the end of a send whose connection breaks as it is made, and then waits for it for ever as
        // it closes. Nobody waits with it: a process has to be able to end.
        let isDone = DispatchSemaphore(value: 0)
        let thread = Thread { [socket] in
            nng_close(socket)
            isDone.signal()
        }
        thread.start()
        _ = isDone.wait(timeout: .now() + .seconds(1))
    }
}
