internal import CNNG
internal import Dispatch
internal import Foundation
internal import Synchronization

/// Takes connections at an address.
final class StreamListener: @unchecked Sendable {
    // Sendable because nng's objects may be used by any thread, and the rest is under a lock.
    private struct State {
        var accepting: Operation?
        var admission = Admission()
        /// Those that have not proved the secret yet, by number.
        var strangers: [Int: StreamLink] = [:]
        var next = 0
        var isOver = false
    }

    private let listener: OpaquePointer
    private let secret: String
    /// It lets go of this listener when it closes.
    private let owner: ReplyCore
    private let isSealed: Bool
    private let began = ContinuousClock.now
    private let state = Mutex(State())
    let boundAddress: Address

    /// Listens; connections come after ``start()``.
    init(_ address: Address, tls: TLS?, secret: String, owner: ReplyCore) throws(MessagingError) {
        let configuration = try Endpoint.configuration(tls, role: .server, address: address)
        self.secret = secret
        self.owner = owner
        isSealed = address.transport == .tcp
        var made: OpaquePointer?
        try NNG.check(nng_stream_listener_alloc(&made, address.description), .listen, address)
        listener = made!
        do throws(MessagingError) {
            if address.transport.hasPort {
                for option in [NNG_OPT_TCP_NODELAY, NNG_OPT_TCP_KEEPALIVE] {
                    try NNG.check(nng_stream_listener_set_bool(listener, option, true), .listen, address)
                }
            }
            if address.transport == .ipc {
                try NNG.check(nng_stream_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0o600), .listen, address)
            }
            if let pointer = configuration.pointer {
                try NNG.check(
                    nng_stream_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, UnsafeMutableRawPointer(pointer)),
                    .listen, address)
            }
            try NNG.check(nng_stream_listener_listen(listener), .listen, address)
            var port: Int32 = 0
            if address.port == 0 {
                try NNG.check(
                    nng_stream_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), .listen, address)
            }
            boundAddress = address.port == 0 ? address.with(known: Int(port)) : address
        } catch {
            nng_stream_listener_free(listener)
            throw error
        }
    }

    func start() throws(MessagingError) {
        // It keeps this listener until `close` has freed it.
        guard let accepting = Operation(atEnd: { self.hasAccepted($0) }) else {
            throw MessagingError(nng: NNG.outOfMemory, .listen, boundAddress)
        }
        state.withLock { $0.accepting = accepting }
        takeNext()
    }

    /// How many have not proved the secret yet.
    var strangers: Int { state.withLock { $0.strangers.count } }

    private var now: Duration { .now - began }

    /// Waits for the next connection, as soon as there may be one.
    private func takeNext() {
        let dismissed = state.withLock { state -> [StreamLink] in
            var dismissed: [StreamLink] = []
            while !state.isOver, let accepting = state.accepting {
                switch state.admission.next(now: now) {
                case .take:
                    nng_stream_listener_accept(listener, accepting.aio)
                    return dismissed
                case .wait(let time):
                    later(time)
                    return dismissed
                case .dismiss(let number):
                    state.admission.isDone(number, hasProved: false)
                    if let link = state.strangers.removeValue(forKey: number) { dismissed.append(link) }
                }
            }
            return dismissed
        }
        for link in dismissed { link.close() }
    }

    private func later(_ time: Duration) {
        DispatchQueue.global().asyncAfter(deadline: .now() + (time / .seconds(1))) { [weak self] in self?.takeNext() }
    }

    /// nng has a connection, or none.
    private func hasAccepted(_ accepting: Operation) {
        let link = state.withLock { state -> StreamLink? in
            guard accepting.result == 0, let stream = accepting.stream else {
                // No descriptors are left, perhaps: look again soon.
                if !state.isOver { later(.milliseconds(50)) }
                return nil
            }
            guard !state.isOver else {
                // The pointer is given away.
                nonisolated(unsafe) let stream = stream
                owner.closing.later { nng_stream_free(stream) }
                return nil
            }
            state.next += 1
            let link = StreamLink(
                stream, .listening, secret: secret, isSealed: isSealed, owner: owner, number: state.next)
            state.strangers[state.next] = link
            state.admission.came(state.next, now: now)
            return link
        }
        guard let link else { return }
        link.start()
        takeNext()
    }

    /// It has proved the secret, or has gone.
    func isDone(with link: StreamLink, hasProved: Bool) {
        state.withLock { state in
            state.admission.isDone(link.number, hasProved: hasProved)
            state.strangers[link.number] = nil
        }
    }

    /// Takes no more connections and ends the strangers.
    func close() {
        let (isFirst, strangers, accepting) = state.withLock { state -> (Bool, [StreamLink], Operation?) in
            defer { state.isOver = true }
            return (!state.isOver, Array(state.strangers.values), state.accepting.take())
        }
        for link in strangers { link.close() }
        guard isFirst else { return }
        nng_stream_listener_close(listener)
        owner.closing.later { [self] in
            accepting?.free()
            nng_stream_listener_free(listener)
        }
    }
}
