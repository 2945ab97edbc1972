internal import Foundation
internal import Glibc
internal import Synchronization

/// Carries out the user's wish to stop a job of child processes, on a thread of its own until the job is over.
final class StopWatch: Sendable {
    private let isOver = Atomic(false)

    init(_ stop: StopSignal, coordinator: Coordinator, children: ChildProcesses, folder: TemporaryDirectory) {
        Thread.detachNewThread { [self] in
            var stoppedAt: ContinuousClock.Instant?
            var isTold = false
            while !isOver.load(ordering: .acquiring) {
                switch stop.request {
                case .none: break
                case .gracefully:
                    if stoppedAt == nil {
                        stoppedAt = .now
                        coordinator.stop(now: false, reason: "interrupted")
                    }
                    // Workers have nothing to save: one that hangs in its step may not hold up the others' end.
                    if let stoppedAt, !isTold, ContinuousClock.now - stoppedAt > .milliseconds(1300) {
                        isTold = true
                        children.signal(SIGTERM) { $0.hasPrefix("worker") }
                    }
                case .now:
                    children.signal(SIGKILL)
                    folder.remove()
                    coordinator.stop(now: true, reason: "interrupted twice")
                    return
                }
                usleep(10_000)
            }
        }
    }

    func end() { isOver.store(true, ordering: .releasing) }
}
