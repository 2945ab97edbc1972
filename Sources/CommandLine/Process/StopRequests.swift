internal import Glibc

/// What a process makes of one signal after the other that asks it to end.
///
/// One wish often comes as several signals: `timeout` and `make` pass on what the whole process group gets, a terminal that
/// closes sends SIGHUP as its shell does, systemd sends SIGHUP behind SIGTERM. Only what a person repeats ends at once.
package struct StopRequests {
    package enum Answer: Equatable, Sendable {
        /// End in good order.
        case begin
        case ignore
        /// End at once.
        case end
    }

    private var first: Duration?
    private var firstTermination: Duration?

    package init() {}

    /// - Parameters:
    ///   - signal: SIGINT, SIGTERM or SIGHUP.
    ///   - now: the time since any moment.
    package mutating func heard(_ signal: Int32, at now: Duration) -> Answer {
        defer {
            first = first ?? now
            if signal == SIGTERM { firstTermination = firstTermination ?? now }
        }
        guard let first else { return .begin }
        switch signal {
        // Nobody presses keys so fast.
        case SIGINT: return now - first >= .milliseconds(50) ? .end : .ignore
        case SIGTERM: return firstTermination.map { now - $0 >= .seconds(1) } ?? false ? .end : .ignore
        default: return .ignore
        }
    }
}
