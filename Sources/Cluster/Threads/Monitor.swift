internal import Foundation

/// A value under a lock, whose changes can be waited for.
///
/// `@unchecked Sendable`: the value is only touched under the lock.
final class Monitor<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var value: Value

    init(_ value: sending Value) { self.value = value }

    /// Reads or changes the value. Those who wait look again.
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return try body(&value)
    }

    /// Waits until something is so, or the time is over; whether it is so then.
    ///
    /// - Parameter limit: nil waits for as long as it takes.
    @discardableResult
    func wait(for limit: Duration? = nil, until isTrue: (Value) -> Bool) -> Bool {
        let deadline = limit.map { Date(timeIntervalSinceNow: max($0 / .seconds(1), 0)) }
        condition.lock()
        defer { condition.unlock() }
        while !isTrue(value) {
            if let deadline {
                guard condition.wait(until: deadline) else { return isTrue(value) }
            } else {
                condition.wait()
            }
        }
        return true
    }
}
