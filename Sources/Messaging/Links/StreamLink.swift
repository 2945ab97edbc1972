internal import CNNG
internal import Foundation
internal import Synchronization

/// A link over one of nng's streams: the handshake, then frames.
final class StreamLink: Link, @unchecked Sendable {
    // Sendable because what both directions share is under their locks, and nng's own objects may be used by any thread.
    private let stream: OpaquePointer
    private let side: Handshake.Side
    /// Whether frames are marked.
    private let isSealed: Bool
    private let owner: any LinkOwner
    /// What the listener knows it by.
    let number: Int
    private let isOver = Atomic(false)
    /// The threads that may still use nng's objects: the one that starts the link, and the one that ends it.
    private let users = Atomic(2)
    private let incoming: Mutex<Incoming>
    private let outgoing = Mutex(Outgoing())

    private struct Incoming: ~Copyable {
        var operation: Operation?
        var reader = FrameReader()
        /// nil once the peer has proved the secret.
        var handshake: Handshake?
        let bytes: UnsafeMutableRawBufferPointer
        /// When the peer could begin to prove the secret.
        var began = ContinuousClock.now
        /// What the owner has not taken yet: messages, and their bytes.
        var untaken = (count: 0, bytes: 0)
        var isPaused = false
        var isOver = false

        init(_ handshake: Handshake) {
            self.handshake = handshake
            bytes = .allocate(byteCount: Handshake.longestFrame, alignment: 1)
        }

        deinit { bytes.deallocate() }

        /// Whether the owner has so much to do that the peer has to wait.
        var isFull: Bool { untaken.count >= 64 || untaken.bytes >= 4 << 20 }
    }

    private struct Outgoing {
        var operation: Operation?
        var queue: [Frame] = []
        /// The bytes of what is queued.
        var unsent = 0
        /// How much of the first has gone.
        var sent = 0
        var isSending = false
        /// Marks what is sent; nil where nothing is marked.
        var seal: FrameSeal?
        /// Why the link ends when all has gone.
        var end: LinkEnd?
        var isOver = false
    }

    /// Takes over a stream; nothing happens before ``start()``.
    init(
        _ stream: OpaquePointer, _ side: Handshake.Side, secret: String, isSealed: Bool, owner: any LinkOwner,
        number: Int = 0
    ) {
        self.stream = stream
        self.side = side
        self.isSealed = isSealed
        self.number = number
        self.owner = owner
        let handshake = Handshake(side, secret: secret)
        incoming = Mutex(Incoming(handshake))
        if !handshake.opening.isEmpty {
            let frame = Frame(greeting: handshake.opening)
            outgoing.withLock { ($0.queue, $0.unsent) = ([frame], frame.bytes.count) }
        }
    }

    /// Begins to talk.
    func start() {
        defer { isDone() }
        // They keep this link until `dispose`.
        guard let receiving = Operation(atEnd: { self.hasReceived($0) }) else { return end(.broken(NNG.outOfMemory)) }
        guard let sending = Operation(atEnd: { self.hasSent($0) }) else {
            incoming.withLock { $0.operation = receiving }
            return end(.broken(NNG.outOfMemory))
        }
        outgoing.withLock { outgoing in
            outgoing.operation = sending
            sendNext(&outgoing)
        }
        incoming.withLock { incoming in
            incoming.operation = receiving
            receiveNext(&incoming)
        }
    }

    // MARK: Receiving

    /// Starts to receive; the lock is held.
    private func receiveNext(_ incoming: inout Incoming) {
        guard !incoming.isOver, let operation = incoming.operation else { return }
        var places: [nng_iov] = []
        if let handshake = incoming.handshake {
            places = [nng_iov(iov_buf: incoming.bytes.baseAddress, iov_len: handshake.missing)]
            let left = handshake.isWaiting ? Admission.queueing : Admission.patience - (.now - incoming.began)
            nng_aio_set_timeout(operation.aio, max(left.milliseconds, 1))
        } else {
            let (body, ahead) = incoming.reader.places()
            if body.count > 0 { places.append(nng_iov(iov_buf: body.baseAddress, iov_len: body.count)) }
            if ahead.count > 0 { places.append(nng_iov(iov_buf: ahead.baseAddress, iov_len: ahead.count)) }
            nng_aio_set_timeout(operation.aio, NNG_DURATION_INFINITE)
        }
        nng_aio_set_iov(operation.aio, UInt32(places.count), &places)
        nng_stream_recv(stream, operation.aio)
    }

    /// nng has ended an operation of receiving.
    private func hasReceived(_ operation: Operation) {
        enum Event {
            case nothing, opened
            case frames([Frame])
            case end(LinkEnd)
        }
        // The owner may send or close now, so this is outside of the lock.
        let event = incoming.withLock { incoming -> Event in
            guard !incoming.isOver else { return .nothing }
            let result = operation.result
            guard result == 0 else { return .end(.broken(result)) }
            let count = operation.count
            guard count > 0 else { return .end(.broken(NNG.connectionReset)) }
            if var handshake = incoming.handshake {
                if handshake.isWaiting { incoming.began = .now }
                let step = handshake.take(incoming.bytes[..<count])
                incoming.handshake = handshake
                return answer(step, &incoming)
            }
            incoming.reader.received(count)
            var frames: [Frame] = []
            do throws(FrameReader.Fault) {
                while let frame = try incoming.reader.next(limit: owner.maximumMessage) {
                    frames.append(frame)
                    incoming.untaken.count += 1
                    incoming.untaken.bytes += frame.count
                }
            } catch { return .end(.unreadable(error)) }
            return .frames(frames)

            func answer(_ step: Handshake.Step, _ incoming: inout Incoming) -> Event {
                let refusal: LinkEnd? = if case .failure(let refusal)? = step.end { .refused(refusal) } else { nil }
                if !step.send.isEmpty { send(Frame(greeting: step.send), then: refusal) }
                switch step.end {
                case nil:
                    receiveNext(&incoming)
                    return .nothing
                case .failure: return step.send.isEmpty ? .end(refusal!) : .nothing
                case .success:
                    if isSealed, let handshake = incoming.handshake {
                        let (ours, theirs): (Handshake.Side, Handshake.Side) =
                            side == .listening ? (.listening, .dialling) : (.dialling, .listening)
                        incoming.reader.require(FrameSeal(key: handshake.frameKey(of: theirs)))
                        outgoing.withLock { $0.seal = FrameSeal(key: handshake.frameKey(of: ours)) }
                    }
                    incoming.handshake = nil
                    return .opened
                }
            }
        }
        switch event {
        case .nothing: break
        case .end(let reason): end(reason)
        case .opened:
            owner.opened(self)
            // It may have ended before the owner had it.
            if isOver.load(ordering: .acquiring) { owner.ended(self, .closed) }
            incoming.withLock { receiveNext(&$0) }
        case .frames(let frames):
            for frame in frames { owner.received(frame, on: self) }
            incoming.withLock { incoming in
                incoming.isPaused = incoming.isFull || owesTooMuch
                if !incoming.isPaused { receiveNext(&incoming) }
            }
        }
    }

    /// Whether so many replies wait for the peer to read that it gets no more of them for now.
    private var owesTooMuch: Bool {
        side == .listening && outgoing.withLock { $0.queue.count > 1 && $0.unsent > 64 << 20 }
    }

    func taken(_ count: Int) {
        incoming.withLock { incoming in
            incoming.untaken.count -= 1
            incoming.untaken.bytes -= count
        }
        goOn()
    }

    /// Receives again, if that was paused and need not be.
    private func goOn() {
        incoming.withLock { incoming in
            guard incoming.isPaused, !incoming.isFull, !owesTooMuch else { return }
            incoming.isPaused = false
            receiveNext(&incoming)
        }
    }

    // MARK: Sending

    func send(_ message: consuming Message, number: UInt64) { send(Frame(number: number, message)) }

    private func send(_ frame: Frame, then end: LinkEnd? = nil) {
        outgoing.withLock { outgoing in
            guard !outgoing.isOver else { return }
            outgoing.queue.append(frame)
            outgoing.unsent += frame.bytes.count
            outgoing.end = outgoing.end ?? end
            if !outgoing.isSending { sendNext(&outgoing) }
        }
    }

    func cancel(_ number: UInt64) {
        outgoing.withLock { outgoing in
            let kept = outgoing.queue.prefix(1)
            let rest = outgoing.queue.dropFirst().filter { $0.number != number || $0.isGreeting }
            outgoing.queue = kept + rest
            outgoing.unsent = outgoing.queue.reduce(0) { $0 + $1.bytes.count }
        }
    }

    /// Starts to send what comes next; the lock is held.
    private func sendNext(_ outgoing: inout Outgoing) {
        guard !outgoing.isOver, let operation = outgoing.operation, let frame = outgoing.queue.first else {
            outgoing.isSending = false
            return
        }
        outgoing.isSending = true
        if outgoing.sent == 0, outgoing.seal != nil { frame.seal(with: &outgoing.seal!) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: frame.bytes[outgoing.sent...])
        var place = nng_iov(iov_buf: rest.baseAddress, iov_len: rest.count)
        nng_aio_set_iov(operation.aio, 1, &place)
        // A peer that reads no greeting is not waited for.
        nng_aio_set_timeout(operation.aio, frame.isGreeting ? Admission.patience.milliseconds : NNG_DURATION_INFINITE)
        nng_stream_send(stream, operation.aio)
    }

    /// nng has ended an operation of sending.
    private func hasSent(_ operation: Operation) {
        let reason = outgoing.withLock { outgoing -> LinkEnd? in
            guard !outgoing.isOver else { return nil }
            let result = operation.result
            guard result == 0 else { return .broken(result) }
            outgoing.sent += operation.count
            if let frame = outgoing.queue.first, outgoing.sent >= frame.bytes.count {
                outgoing.queue.removeFirst()
                outgoing.unsent -= frame.bytes.count
                outgoing.sent = 0
            }
            if outgoing.queue.isEmpty, let end = outgoing.end { return end }
            sendNext(&outgoing)
            return nil
        }
        if let reason { end(reason) } else if side == .listening { goOn() }
    }

    // MARK: Ending

    func close() { end(.closed) }

    private func end(_ reason: LinkEnd) {
        guard !isOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
        incoming.withLock { $0.isOver = true }
        outgoing.withLock { $0.isOver = true }
        owner.ended(self, reason)
        isDone()
    }

    private func isDone() {
        guard users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        // A callback of nng's, in which this may be, cannot wait for itself.
        owner.closing.later { [self] in dispose() }
    }

    /// Frees what is nng's; nothing is started any more.
    private func dispose() {
        nng_stream_close(stream)
        let receiving = incoming.withLock { $0.operation.take() }
        let sending = outgoing.withLock { $0.operation.take() }
        receiving?.free()
        sending?.free()
        nng_stream_free(stream)
        outgoing.withLock { $0.queue = [] }
    }
}
