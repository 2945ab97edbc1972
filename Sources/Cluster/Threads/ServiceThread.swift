internal import Foundation
internal import Messaging

/// A thread of a node that goes on until it is asked to end, and whose end can be waited for.
final class ServiceThread: Sendable {
    private struct State {
        var isEnding = false
        var hasEnded = false
    }

    private let state = Monitor(State())

    /// - Parameter body: ends soon once `isEnding` is true.
    init(_ body: @escaping @Sendable (ServiceThread) -> Void) {
        Thread.detachNewThread { [self] in
            body(self)
            state.change { $0.hasEnded = true }
        }
    }

    /// Does something again and again until the thread is asked to end.
    convenience init(every interval: Duration, _ tick: @escaping @Sendable () -> Void) {
        self.init { thread in
            while thread.sleep(for: interval) { tick() }
        }
    }

    var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Sleeps; false as soon as the thread is asked to end.
    func sleep(for time: Duration) -> Bool { state.wait(time) { $0.isEnding ? true : nil } == nil }

    /// Asks the thread to end, and goes on at once.
    func cancel() { state.change { $0.isEnding = true } }

    /// Waits for the end of the thread; whether it came in time.
    @discardableResult
    func join(for limit: Duration? = nil) -> Bool { state.wait(limit) { $0.hasEnded ? true : nil } ?? false }

    /// Asks the thread to end, and waits for that.
    func end() {
        cancel()
        join()
    }
}
