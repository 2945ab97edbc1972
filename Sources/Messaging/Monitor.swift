internal import Glibc

/// State under a lock, with a condition that threads wait for, on a clock that only goes on.
package final class Monitor<State>: @unchecked Sendable {
    // Sendable because the state is touched under the lock alone.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    package init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state, and has all that wait look at it again.
    package func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        defer { pthread_cond_broadcast(condition) }
        return try withLock(body)
    }

    /// Changes the state, and has one of those that wait look at it again.
    package func changeForOne<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        defer { pthread_cond_signal(condition) }
        return try withLock(body)
    }

    /// Asks until there is an answer, at once and after every change.
    ///
    /// - Parameter timeout: nil waits for ever.
    /// - Returns: the answer; nil when there was none in time.
    package func wait<Answer>(_ timeout: Duration?, for answer: (inout State) -> Answer?) -> Answer? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var end = timespec()
        if let timeout {
            clock_gettime(CLOCK_MONOTONIC, &end)
            let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(1 << 30)).components
            end.tv_sec += Int(seconds)
            end.tv_nsec += Int(attoseconds / 1_000_000_000)
            if end.tv_nsec >= 1_000_000_000 {
                end.tv_sec += 1
                end.tv_nsec -= 1_000_000_000
            }
        }
        while true {
            if let answer = answer(&state) { return answer }
            if timeout == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT {
                return answer(&state)
            }
        }
    }
}
