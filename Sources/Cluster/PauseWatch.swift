internal import Foundation
internal import Synchronization

/// Notices that this process did not run for a while: it was stopped (SIGSTOP, a frozen container), or its machine slept.
///
/// Such a node was taken for dead. It finds its peers gone when it goes on, and would blame them.
final class PauseWatch: Sendable {
    private struct State {
        var record = PauseRecord()
        var isOver = false
    }

    private static let interval = 0.1
    private let state = Mutex(State())
    private let start = ContinuousClock.now

    init() {
        Thread.detachNewThread { [self] in
            while state.withLock({ !$0.isOver }) {
                let began = now
                state.withLock { $0.record.sleeps(from: began) }
                Thread.sleep(forTimeInterval: PauseWatch.interval)
                let ended = now
                state.withLock { $0.record.slept(from: began, to: ended) }
            }
        }
    }

    /// The time since this value was made, pauses included.
    var now: Duration { ContinuousClock.now - start }

    /// The coordinator has answered what was asked at `began`: it still counts on this node.
    func answered(began: Duration) { state.withLock { $0.record.answered(began: began) } }

    /// What to say in place of an error, if this process's own pause is the likely cause.
    func explain(_ error: NodeError, timeout: Duration) -> NodeError {
        let pause = state.withLock { $0.record.pause(at: now) } ?? .zero
        guard error.kind == .peerUnavailable, pause > timeout / 2 else { return error }
        return NodeError(
            .peerUnavailable,
            "this process did not run for \(pause.components.seconds) seconds, as when it is stopped or its machine sleeps, "
                + "and was taken for dead (cluster.heartbeat_timeout is \(timeout)). The job is over now or cannot be "
                + "reached (\(error.message)). Start the node again if the job goes on, or the job with --resume")
    }

    func end() { state.withLock { $0.isOver = true } }
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
