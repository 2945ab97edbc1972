internal import CNNG
internal import Dispatch
internal import Foundation
internal import Synchronization

/// Makes the connection to an address, again and again.
final class StreamDialer: Dialer, @unchecked Sendable {
    // Sendable because nng's objects may be used by any thread, and the rest is under a lock.
    private struct State {
        var operation: Operation?
        /// The connection that was made last.
        var link: StreamLink?
        var pause = StreamDialer.shortPause
        /// Whether a connection is being made, or is there.
        var isBusy = false
        var isOver = false
    }

    /// Peers start together and restart: look often at first, and not so often that it costs.
    private static let shortPause = Duration.milliseconds(20)
    private static let longPause = Duration.milliseconds(500)
    /// Who was refused will be again.
    private static let refusedPause = Duration.seconds(5)
    /// How long the system may take to connect.
    private static let patience = Duration.seconds(20)

    private let dialer: OpaquePointer
    private let secret: String
    /// It lets go of this dialer when it closes.
    private let owner: RequestCore
    private let isSealed: Bool
    private let isLocal: Bool
    private let state = Mutex(State())

    init(_ address: Address, tls: TLS?, secret: String, owner: RequestCore) throws(MessagingError) {
        let configuration = try Endpoint.configuration(tls, role: .client, address: address)
        self.secret = secret
        self.owner = owner
        isSealed = address.transport == .tcp
        isLocal = address.transport == .ipc
        var made: OpaquePointer?
        try NNG.check(nng_stream_dialer_alloc(&made, address.description), .dial, address)
        dialer = made!
        do throws(MessagingError) {
            if address.transport.hasPort {
                for option in [NNG_OPT_TCP_NODELAY, NNG_OPT_TCP_KEEPALIVE] {
                    try NNG.check(nng_stream_dialer_set_bool(dialer, option, true), .dial, address)
                }
            }
            if let pointer = configuration.pointer {
                try NNG.check(
                    nng_stream_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, UnsafeMutableRawPointer(pointer)), .dial,
                    address)
            }
        } catch {
            nng_stream_dialer_free(dialer)
            throw error
        }
    }

    func dial() {
        let isThere = state.withLock { state in
            guard !state.isOver, !state.isBusy else { return true }
            // It keeps this dialer until `stop` has freed it.
            if state.operation == nil { state.operation = Operation(atEnd: { self.hasDialled($0) }) }
            guard let operation = state.operation else { return false }
            state.isBusy = true
            nng_aio_set_timeout(operation.aio, StreamDialer.patience.milliseconds)
            nng_stream_dialer_dial(dialer, operation.aio)
            return true
        }
        if !isThere { owner.failed(.broken(NNG.outOfMemory)) }
    }

    func redial(_ reason: Redial) {
        let pause = state.withLock { state in
            state.isBusy = false
            if reason == .wasOpen { state.pause = StreamDialer.shortPause }
            if reason == .refused { return StreamDialer.refusedPause }
            defer { state.pause = min(state.pause * 2, StreamDialer.longPause) }
            return state.pause
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + (pause / .seconds(1))) { [weak self] in self?.dial() }
    }

    private func hasDialled(_ operation: Operation) {
        let made = state.withLock { state -> Result<StreamLink, LinkEnd>? in
            let result = operation.result
            guard result == 0, let stream = operation.stream else {
                return state.isOver ? nil : .failure(.broken(result))
            }
            guard !state.isOver else {
                // The pointer is given away.
                nonisolated(unsafe) let stream = stream
                owner.closing.later { nng_stream_free(stream) }
                return nil
            }
            if isLocal, let other = NNG.foreignUser(of: stream) {
                nonisolated(unsafe) let stream = stream
                owner.closing.later { nng_stream_free(stream) }
                return .failure(.foreignUser(other))
            }
            let link = StreamLink(stream, .dialling, secret: secret, isSealed: isSealed, owner: owner)
            state.link = link
            return .success(link)
        }
        switch made {
        case nil: break
        case .success(let link): link.start()
        case .failure(let reason): owner.failed(reason)
        }
    }

    func stop() {
        let (isFirst, link, operation) = state.withLock { state -> (Bool, StreamLink?, Operation?) in
            defer { (state.isOver, state.link) = (true, nil) }
            return (!state.isOver, state.link, state.operation.take())
        }
        guard isFirst else { return }
        link?.close()
        nng_stream_dialer_close(dialer)
        owner.closing.later { [self] in
            operation?.free()
            nng_stream_dialer_free(dialer)
        }
    }
}
