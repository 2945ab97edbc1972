internal import Foundation
internal import Synchronization

/// Tells a running job or node to end: first in good order, then at once. Set from any thread.
public final class StopSignal: Sendable {
    public enum Request: Int, Sendable { case none, gracefully, now }

    fileprivate struct Observer {
        let hear: @Sendable (Request, _ reason: String) -> Void
        /// The last request that it heard of.
        var heard = Request.none
    }

    fileprivate struct State {
        var request = Request.none
        var reason = ""
        var observers: [Int: Observer] = [:]
        var nextObserver = 0
    }

    private let state = Mutex(State())
    /// Held while observers hear of requests, one after the other: a slow thread with an older request would else speak
    /// last. Recursive, for an observer may ask for more.
    private let delivery = NSRecursiveLock()

    public init() {}

    /// What was asked for last; `now` is never taken back.
    public var request: Request { state.withLock { $0.request } }

    /// When it returns, every observer has heard of this request or of one that goes further.
    /// - Parameter reason: what the job's report says of a stop.
    public func stop(now: Bool = false, reason: String = "interrupted") {
        let wanted = now ? Request.now : .gracefully
        state.withLock { state in
            if state.request.rawValue < wanted.rawValue { (state.request, state.reason) = (wanted, reason) }
        }
        deliver()
    }

    /// Has each request passed on while `body` runs, from the thread that makes it; one made before is passed on at once.
    ///
    /// The observer never hears of `gracefully` after `now`, and of nothing after this has returned. It must not wait for
    /// the thread that `body` runs on.
    package func observed<Result>(
        by observer: @escaping @Sendable (Request, _ reason: String) -> Void, while body: () throws -> Result
    ) rethrows -> Result {
        let number = state.withLock { state in
            defer { state.nextObserver += 1 }
            state.observers[state.nextObserver] = Observer(hear: observer)
            return state.nextObserver
        }
        defer { delivery.withLock { _ = state.withLock { $0.observers.removeValue(forKey: number) } } }
        deliver()
        return try body()
    }

    /// Passes the newest request on to those who have not heard of it.
    private func deliver() {
        delivery.withLock {
            while let (observer, request, reason) = state.withLock({ $0.takeUntold() }) {
                observer.hear(request, reason)
            }
        }
    }
}

extension StopSignal.State {
    /// One who has not heard of the newest request, and that request.
    fileprivate mutating func takeUntold() -> (StopSignal.Observer, StopSignal.Request, String)? {
        for (number, observer) in observers.sorted(by: { $0.key < $1.key }) where observer.heard != request {
            observers[number]?.heard = request
            return (observer, request, reason)
        }
        return nil
    }
}

extension StopSignal: CustomStringConvertible {
    public var description: String {
        let (request, reason) = state.withLock { ($0.request, $0.reason) }
        switch request {
        case .none: return "not stopped"
        case .gracefully: return "asked to end: \(reason)"
        case .now: return "asked to end at once: \(reason)"
        }
    }
}
