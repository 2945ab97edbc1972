internal import Glibc

/// Decides what each signal that asks the process to end does.
///
/// One request often arrives as several signals: `timeout` and `make` repeat a signal that the process group also gets, a
/// closing terminal and its shell both send SIGHUP, systemd sends SIGHUP after SIGTERM. Only a signal that a person repeats
/// ends the process at once.
package struct StopRequests {
    package enum Answer: Equatable, Sendable {
        /// Stop the job with a last checkpoint.
        case begin
        case ignore
        /// End the process at once.
        case end
    }

    private var first: Duration?
    private var firstTermination: Duration?

    package init() {}

    /// - Parameters:
    ///   - signal: SIGINT, SIGTERM or SIGHUP.
    ///   - now: the time since the process started to listen.
    package mutating func heard(_ signal: Int32, at now: Duration) -> Answer {
        defer {
            first = first ?? now
            if signal == SIGTERM { firstTermination = firstTermination ?? now }
        }
        guard let first else { return .begin }
        switch signal {
        // Two within 50 ms are not two key presses.
        case SIGINT: return now - first >= .milliseconds(50) ? .end : .ignore
        case SIGTERM: return firstTermination.map { now - $0 >= .seconds(1) } ?? false ? .end : .ignore
        default: return .ignore
        }
    }
}
