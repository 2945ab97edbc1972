/// What a node makes of a coordinator that does not answer its heartbeats: when to give up, and what to say then.
///
/// Time is passed in. A process that is stopped (SIGSTOP, a frozen container, a laptop that sleeps) finds the coordinator
/// gone when it goes on, or is refused as dead; the fault is then its own pause, and the message says so.
package struct CoordinatorSilence {
    private let timeout: Duration
    /// Longer than a heartbeat takes while the process runs.
    private let longestBeat: Duration
    private var since: Duration?
    private var longestPause = Duration.zero

    /// - Parameters:
    ///   - timeout: of a node that is silent.
    ///   - longestBeat: how long a heartbeat may take until it fails.
    package init(timeout: Duration, longestBeat: Duration) {
        self.timeout = timeout
        self.longestBeat = longestBeat
    }

    /// A heartbeat was answered.
    package mutating func answered() {
        since = nil
        longestPause = .zero
    }

    /// A heartbeat has failed that began and ended at these times. Returns the error to end with; nil to try again.
    package mutating func failed(_ error: NodeError, began: Duration, now: Duration) -> NodeError? {
        if now - began > max(timeout, longestBeat + .milliseconds(500)) {
            longestPause = max(longestPause, now - began)
        }
        guard error.kind == .peerUnavailable else { return error }
        let begin = since ?? now
        since = begin
        guard now - begin > timeout else { return nil }
        guard longestPause > .zero else { return error }
        return NodeError(
            .peerUnavailable,
            "this process did not run for \(longestPause.components.seconds) s, longer than cluster.heartbeat_timeout "
                + "(\(timeout)): the job took it for dead and is over now, for its coordinator does not answer. "
                + "Was the process stopped, or did its machine sleep?")
    }
}
