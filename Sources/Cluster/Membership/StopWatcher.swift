internal import Messaging

/// Notices that this process did not run for a while: it was stopped (SIGSTOP, a frozen container), or its machine slept.
///
/// Such a node was taken for dead. It finds its peers gone when it goes on, and would blame them.
final class StopWatcher: Sendable {
    private static let interval = Duration.milliseconds(100)
    private let record: Monitor<PauseRecord>
    private let start: ContinuousClock.Instant
    private let thread: ServiceThread

    init() {
        let (record, start) = (Monitor(PauseRecord()), ContinuousClock.now)
        (self.record, self.start) = (record, start)
        thread = ServiceThread { thread in
            while true {
                let began = ContinuousClock.now - start
                record.withLock { $0.sleeps(from: began) }
                guard thread.sleep(for: StopWatcher.interval) else { return }
                record.withLock { $0.slept(from: began, to: ContinuousClock.now - start) }
            }
        }
    }

    /// The time since this value was made, pauses included.
    var now: Duration { ContinuousClock.now - start }

    /// The coordinator has answered what was asked at `began`: it still counts on this node.
    func answered(began: Duration) { record.withLock { $0.answered(began: began) } }

    /// What to say in place of an error, if this process's own pause is the likely cause.
    func explain(_ error: NodeError, timeout: Duration) -> NodeError {
        let pause = record.withLock { [now] in $0.pause(at: now) } ?? .zero
        guard error.kind == .peerUnavailable, pause > timeout / 2 else { return error }
        return NodeError(
            .peerUnavailable,
            "this process did not run for \(pause.components.seconds) seconds, as when it is stopped or its machine sleeps, "
                + "and was taken for dead (cluster.heartbeat_timeout is \(timeout)). The job is over now or cannot be "
                + "reached (\(error.message)). Start the node again if the job goes on, or the job with --resume")
    }

    func end() { thread.cancel() }
}

/// The last long pause of a process, as short sleeps show it that took long.
package struct PauseRecord {
    private var last: (length: Duration, end: Duration)?
    private var sleepBegan: Duration?

    package init() {}

    /// nil for none since the coordinator has answered.
    package var pause: Duration? { last?.length }

    /// As `pause`, of a process that may have gone on just now: the sleep that is not over yet counts, too.
    package func pause(at now: Duration) -> Duration? {
        if let sleepBegan, now - sleepBegan > .seconds(1) { return now - sleepBegan }
        return pause
    }

    /// A sleep of a tenth of a second begins.
    package mutating func sleeps(from began: Duration) { sleepBegan = began }

    /// A sleep of a tenth of a second has begun and ended at these times.
    package mutating func slept(from began: Duration, to ended: Duration) {
        sleepBegan = nil
        if ended - began > .seconds(1) { last = (ended - began, ended) }
    }

    /// What was asked before the pause may have been answered before it.
    package mutating func answered(began: Duration) { if let last, began > last.end { self.last = nil } }
}
