internal import Dispatch
internal import Synchronization

/// Where the reply to one request is waited for.
final class ReplySlot: Sendable {
    private let result = Mutex<Result<Frame, MessagingError>?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    /// The first result counts.
    func finish(_ new: Result<Frame, MessagingError>) {
        let isFirst = result.withLock { result in
            guard result == nil else { return false }
            result = new
            return true
        }
        if isFirst { isThere.signal() }
    }

    /// Waits for it, once; nil if there is none in time.
    func wait(until deadline: DispatchTime) -> Result<Frame, MessagingError>? {
        _ = isThere.wait(timeout: deadline)
        return result.withLock { $0 }
    }
}

/// What a socket that sends requests shares with its link and its requests.
final class RequestCore: LinkOwner {
    private struct State {
        var link: (any Link)?
        /// Requests that wait for a connection.
        var unsent: [Frame] = []
        var slots: [UInt64: ReplySlot] = [:]
        var last: UInt64 = 0
        var isClosed = false
        var hasConnected = false
        /// Why there is no connection.
        var trouble: String?
        /// How the peer was refused, or has refused, when a connection was last tried: it will be again.
        var refusal: MessagingError?
    }

    let address: Address
    let maximumMessage: Int
    let closing = Closing()
    private let state = Mutex(State())
    private let dialer = Mutex<(any Dialer)?>(nil)

    init(_ address: Address, maximumMessage: Int) {
        self.address = address
        self.maximumMessage = maximumMessage
    }

    func start(with dialer: any Dialer) {
        self.dialer.withLock { $0 = dialer }
        dialer.dial()
    }

    var isConnected: Bool { state.withLock { $0.link != nil } }

    /// Requests that have no answer yet.
    var openRequests: Int { state.withLock { $0.slots.count } }

    /// How it stands with the connection, for errors.
    var connection: String {
        state.withLock { state in
            if state.link != nil { return "connected" }
            let history = state.hasConnected ? "connection lost" : "never connected"
            return state.trouble.map { "\(history): \($0)" } ?? history
        }
    }

    // MARK: Requests

    /// Sends a message as soon as there is a connection.
    func send(_ message: consuming Message) throws(MessagingError) -> (number: UInt64, slot: ReplySlot) {
        let slot = ReplySlot()
        let box = Box(message)
        let (number, link) = state.withLock { state -> (UInt64?, (any Link)?) in
            guard !state.isClosed else { return (nil, nil) }
            state.last += 1
            if let refusal = state.refusal {
                slot.finish(.failure(refusal))
                return (state.last, nil)
            }
            state.slots[state.last] = slot
            if state.link == nil, let message = box.take() {
                state.unsent.append(Frame(number: state.last, message))
            }
            return (state.last, state.link)
        }
        guard let number else { throw .closed(.send, address.description) }
        if let link, let message = box.take() { link.send(message, number: number) }
        return (number, slot)
    }

    /// Nobody waits for this one any more.
    func giveUp(_ number: UInt64) {
        let link = state.withLock { state -> (any Link)? in
            guard state.slots.removeValue(forKey: number) != nil else { return nil }
            state.unsent.removeAll { $0.number == number }
            return state.link
        }
        link?.cancel(number)
    }

    private func finish(_ slots: some Collection<ReplySlot>, _ error: MessagingError) {
        for slot in slots { slot.finish(.failure(error)) }
    }

    // MARK: The link

    func opened(_ link: any Link) {
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            (state.link, state.hasConnected, state.trouble, state.refusal) = (link, true, nil, nil)
            // Before any that come now: the lock is held.
            for frame in state.unsent { link.send(frame.take(), number: frame.number) }
            state.unsent = []
            return false
        }
        if isClosed { link.close() }
    }

    func received(_ frame: Frame, on link: any Link) {
        link.taken(frame.count)
        // One that was given up, or that nobody asked for, is nobody's.
        state.withLock { $0.slots.removeValue(forKey: frame.number) }?.finish(.success(frame))
    }

    func ended(_ link: any Link, _ reason: LinkEnd) {
        let (slots, wasOpen, isClosed) = state.withLock { state -> ([ReplySlot], Bool, Bool) in
            let wasOpen = state.link === link
            state.trouble = reason.description
            guard wasOpen else { return ([], false, state.isClosed) }
            state.link = nil
            let unsent = Set(state.unsent.map(\.number))
            let lost = state.slots.filter { !unsent.contains($0.key) }
            for number in lost.keys { state.slots[number] = nil }
            return (Array(lost.values), true, state.isClosed)
        }
        finish(slots, MessagingError(nng: NNG.connectionReset, .await, address))
        if !isClosed { goOn(after: reason, wasOpen: wasOpen) }
    }

    /// No connection could be made.
    func failed(_ reason: LinkEnd) {
        let isClosed = state.withLock { state in
            (state.trouble, state.refusal) = (reason.description, nil)
            return state.isClosed
        }
        if !isClosed { goOn(after: reason, wasOpen: false) }
    }

    private func goOn(after reason: LinkEnd, wasOpen: Bool) {
        var redial = wasOpen ? Redial.wasOpen : .neverOpened
        if case .refused(let refusal) = reason, refusal != .foreign {
            redial = .refused
            // Waiting will not help.
            let error = MessagingError(.refused, .await, address.description, reason.description)
            let slots = state.withLock { state in
                defer { (state.slots, state.unsent, state.refusal) = ([:], [], error) }
                return Array(state.slots.values)
            }
            finish(slots, error)
        }
        dialer.withLock { $0 }?.redial(redial)
    }

    func close() {
        let slots = state.withLock { state -> [ReplySlot]? in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            defer { (state.slots, state.unsent, state.link) = ([:], [], nil) }
            return Array(state.slots.values)
        }
        guard let slots else { return }
        finish(slots, .closed(.await, address.description))
        dialer.withLock { dialer in
            defer { dialer = nil }
            return dialer
        }?.stop()
        closing.settle()
    }
}
