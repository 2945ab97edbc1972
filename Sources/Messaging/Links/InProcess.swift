internal import Dispatch
internal import Synchronization

/// Connections between sockets of one process, by the names that are listened at.
enum InProcess {
    private struct State {
        var listening: [String: Weak<ReplyCore>] = [:]
        /// Those that look for a name that nobody listens at.
        var waiting: [String: [Weak<InProcessDialer>]] = [:]
    }

    private struct Weak<Value: AnyObject & Sendable>: Sendable {
        weak let value: Value?
    }

    private static let state = Mutex(State())

    /// - Returns: false if somebody listens there.
    static func listen(_ name: String, _ core: ReplyCore) -> Bool {
        let waiting = state.withLock { state -> [Weak<InProcessDialer>]? in
            guard state.listening[name]?.value == nil else { return nil }
            state.listening[name] = Weak(value: core)
            return state.waiting.removeValue(forKey: name) ?? []
        }
        for dialer in waiting ?? [] { dialer.value?.dial() }
        return waiting != nil
    }

    static func stopListening(_ name: String, _ core: ReplyCore) {
        state.withLock { if $0.listening[name]?.value === core { $0.listening[name] = nil } }
    }

    /// The listener there. If there is none, the dialer hears when one begins.
    static func find(_ name: String, for dialer: InProcessDialer) -> ReplyCore? {
        state.withLock { state in
            if let core = state.listening[name]?.value { return core }
            state.waiting[name, default: []].removeAll { $0.value == nil || $0.value === dialer }
            state.waiting[name, default: []].append(Weak(value: dialer))
            return nil
        }
    }
}

/// Looks for the other end in this process.
final class InProcessDialer: Dialer {
    private let name: String
    private let secret: String
    /// It lets go of this dialer when it closes.
    private let owner: RequestCore
    private let state = Mutex<(link: InProcessLink?, isOver: Bool)>((nil, false))

    init(_ name: String, secret: String, owner: RequestCore) {
        self.name = name
        self.secret = secret
        self.owner = owner
    }

    func dial() {
        guard !state.withLock({ $0.isOver }), let core = InProcess.find(name, for: self) else { return }
        let link = InProcessLink(owner)
        let isWanted = state.withLock { state in
            guard !state.isOver, state.link?.hasEnded ?? true else { return false }
            state.link = link
            return true
        }
        if isWanted { link.connect(to: core, secret: secret) }
    }

    func redial(_ reason: Redial) {
        guard reason != .wasOpen else { return dial() }
        let pause = reason == .refused ? 5 : 0.1
        DispatchQueue.global().asyncAfter(deadline: .now() + pause) { [weak self] in self?.dial() }
    }

    func stop() {
        let link = state.withLock { state in
            state.isOver = true
            return state.link
        }
        link?.close()
    }
}

/// One end of a connection within the process.
final class InProcessLink: Link {
    private let owner: any LinkOwner
    private let peer = Mutex<InProcessLink?>(nil)
    private let isOver = Atomic(false)

    init(_ owner: any LinkOwner) { self.owner = owner }

    /// Shakes hands with a listening socket and opens both ends.
    func connect(to core: ReplyCore, secret: String) {
        var (ours, theirs) = (Handshake(.dialling, secret: secret), Handshake(.listening, secret: core.secret))
        let answer = ours.take(theirs.opening)
        let verdict = theirs.take(answer.send)
        if case .failure(let refusal)? = ours.take(verdict.send).end { return end(.refused(refusal)) }
        let other = InProcessLink(core)
        other.peer.withLock { $0 = self }
        peer.withLock { $0 = other }
        core.opened(other)
        owner.opened(self)
        // One side may have closed before it had its end.
        if other.hasEnded || hasEnded {
            core.ended(other, .closed)
            owner.ended(self, .closed)
        }
    }

    var hasEnded: Bool { isOver.load(ordering: .acquiring) }

    func cancel(_ number: UInt64) {}

    func send(_ message: consuming Message, number: UInt64) {
        guard !hasEnded, let peer = peer.withLock({ $0 }) else { return }
        let frame = Frame(number: number, message)
        guard frame.count <= peer.owner.maximumMessage else {
            // Whoever sends may hold a lock that the end needs.
            return peer.owner.closing.later { peer.end(.unreadable(.tooLong)) }
        }
        peer.owner.received(frame, on: peer)
    }

    func taken(_ count: Int) {}

    func close() { end(.closed) }

    private func end(_ reason: LinkEnd) {
        guard !isOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let peer = peer.withLock { peer in
            defer { peer = nil }
            return peer
        }
        owner.ended(self, reason)
        peer?.end(.broken(NNG.connectionReset))
    }
}
