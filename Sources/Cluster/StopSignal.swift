internal import Synchronization

/// Tells a running job or node to end: first in good order, then at once. Set from any thread.
public final class StopSignal: Sendable {
    public enum Request: Int, Sendable { case none, gracefully, now }

    private let state = Atomic<Int>(0)

    public init() {}

    /// What was asked for last; `now` is never taken back.
    public var request: Request { Request(rawValue: state.load(ordering: .acquiring)) ?? .now }

    public func stop(now: Bool = false) {
        let wanted = (now ? Request.now : .gracefully).rawValue
        if state.load(ordering: .acquiring) < wanted { state.store(wanted, ordering: .releasing) }
    }
}
