internal import Synchronization

/// Tells a running job or node to end: first in good order, then at once. Set from any thread.
public final class StopSignal: Sendable {
    public enum Request: Int, Sendable { case none, gracefully, now }

    private struct State {
        var request = Request.none
        var reason = ""
        var observers: [Int: @Sendable (Request, _ reason: String) -> Void] = [:]
        var nextObserver = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// What was asked for last; `now` is never taken back.
    public var request: Request { state.withLock { $0.request } }

    /// - Parameter reason: what the job's report says of a stop.
    public func stop(now: Bool = false, reason: String = "interrupted") {
        let wanted = now ? Request.now : .gracefully
        let observers = state.withLock { state -> [@Sendable (Request, String) -> Void] in
            guard state.request.rawValue < wanted.rawValue else { return [] }
            (state.request, state.reason) = (wanted, reason)
            return Array(state.observers.values)
        }
        for observer in observers { observer(wanted, reason) }
    }

    /// Has each request passed on while `body` runs, from the thread that makes it; one made before is passed on at once.
    func observed<Result>(
        by observer: @escaping @Sendable (Request, _ reason: String) -> Void, while body: () throws -> Result
    ) rethrows -> Result {
        let (number, request, reason) = state.withLock { state in
            defer { state.nextObserver += 1 }
            state.observers[state.nextObserver] = observer
            return (state.nextObserver, state.request, state.reason)
        }
        defer { _ = state.withLock { $0.observers.removeValue(forKey: number) } }
        if request != .none { observer(request, reason) }
        return try body()
    }
}
