internal import Synchronization

/// What a socket that answers requests shares with its links and its requests.
final class ReplyCore: LinkOwner {
    private struct State {
        /// Requests that nobody has taken yet.
        var queue: [(link: any Link, frame: Frame)] = []
        var links: [ObjectIdentifier: any Link] = [:]
        /// How many wait for a request, and how often they were woken.
        var waiting = 0
        var wakings = 0
        /// Whether the next that waits is to be woken.
        var isWoken = false
        var isClosed = false
    }

    private enum Taken {
        case request(any Link, Frame)
        case woken
        case closed
    }

    let secret: String
    let closing = Closing()
    private let longest: Atomic<Int>
    private let unanswered = Atomic(0)
    private let state = Monitor(State())
    private let listener = Mutex<StreamListener?>(nil)
    let address: Address

    init(_ address: Address, secret: String, maximumMessage: Int) {
        self.address = address
        self.secret = secret
        longest = Atomic(maximumMessage)
    }

    var maximumMessage: Int { longest.load(ordering: .relaxed) }

    /// Requests that were taken and are not answered, and those that wait.
    var openRequests: Int { unanswered.load(ordering: .relaxed) + state.withLock { $0.queue.count } }

    var strangers: Int { listener.withLock { $0 }?.strangers ?? 0 }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func allow(messagesOf maximum: Int) { longest.store(maximum, ordering: .relaxed) }

    func listen(with listener: StreamListener) throws(MessagingError) {
        self.listener.withLock { $0 = listener }
        do { try listener.start() } catch {
            close()
            throw error
        }
    }

    // MARK: Links

    func opened(_ link: any Link) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.links[ObjectIdentifier(link)] = link }
            return state.isClosed
        }
        if isClosed { link.close() }
        if let link = link as? StreamLink { listener.withLock { $0 }?.isDone(with: link, hasProved: true) }
    }

    func received(_ frame: Frame, on link: any Link) {
        state.changeForOne { state in if !state.isClosed { state.queue.append((link, frame)) } }
    }

    func ended(_ link: any Link, _ reason: LinkEnd) {
        state.withLock { _ = $0.links.removeValue(forKey: ObjectIdentifier(link)) }
        if let link = link as? StreamLink { listener.withLock { $0 }?.isDone(with: link, hasProved: false) }
    }

    // MARK: Requests

    /// Waits for the next request; nil if there is none in time, or the wait was ended by ``wake()``.
    func next(timeout: Duration?) throws(MessagingError) -> Request? {
        let before = state.withLock { state in
            state.waiting += 1
            return state.wakings
        }
        let taken = state.wait(timeout) { state -> Taken? in
            if state.isClosed { return .closed }
            if !state.queue.isEmpty {
                let (link, frame) = state.queue.removeFirst()
                return .request(link, frame)
            }
            guard state.isWoken || state.wakings != before else { return nil }
            state.isWoken = false
            return .woken
        }
        state.withLock { $0.waiting -= 1 }
        switch taken {
        case .request(let link, let frame):
            link.taken(frame.count)
            unanswered.add(1, ordering: .relaxed)
            return Request(core: self, link: link, frame: frame)
        case .closed: throw .closed(.receive, address.description)
        case .woken, nil: return nil
        }
    }

    func wake() {
        state.change { state in
            if state.waiting == 0 { state.isWoken = true } else { state.wakings += 1 }
        }
    }

    /// A request was answered, or dropped.
    func isDone() { unanswered.subtract(1, ordering: .relaxed) }

    func close() {
        if address.transport == .inproc { InProcess.stopListening(address.host, self) }
        let links = state.change { state -> [any Link]? in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            defer { (state.queue, state.links) = ([], [:]) }
            return Array(state.links.values)
        }
        guard let links else { return }
        listener.withLock { $0 }?.close()
        for link in links { link.close() }
        closing.settle()
        listener.withLock { $0 = nil }
    }
}
