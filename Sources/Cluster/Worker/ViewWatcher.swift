internal import Foundation
internal import Synchronization

/// Keeps in touch with the coordinator on a thread of its own: heartbeats out, views in.
final class ViewWatcher: Sendable {
    private struct State {
        var view: ClusterView?
        /// The last views, for steps that are divided by an older one.
        var recent: [ClusterView] = []
        var failure: NodeError?
        var step = 0
        var isOver = false
        var isRunning = true
        var results: [WireStepResult] = []
        var isLeaving = false
    }

    private let state = Mutex(State())
    private let control: ControlClient
    private let number: Int
    private let incarnation: UInt64
    private let cluster: JobConfig.Cluster
    private let pauses: PauseWatch?

    init(
        _ control: ControlClient, number: Int, incarnation: UInt64, cluster: JobConfig.Cluster,
        pauses: PauseWatch? = nil
    ) {
        self.pauses = pauses
        self.control = control
        self.number = number
        self.incarnation = incarnation
        self.cluster = cluster
        Thread.detachNewThread { [self] in run() }
    }

    /// The newest view, nil before the first.
    var view: ClusterView? { state.withLock { $0.view } }

    /// The view of this number, or the next one known if it was skipped; nil before it has come.
    func view(numbered number: UInt64) -> ClusterView? {
        state.withLock { $0.recent.first { $0.number >= number } }
    }

    /// Throws if the coordinator has gone or refuses.
    func check() throws { if let failure = state.withLock({ $0.failure }) { throw failure } }

    /// Asks the coordinator once more whether this worker is of the job.
    /// - Throws: `NodeError` if the coordinator refuses.
    func checkNow() throws {
        do {
            try NodeStart.heartbeat(control, .worker, number, incarnation, interval: cluster.heartbeatInterval)
        } catch let error as NodeError where error.kind == .peerUnavailable {
            // What the caller has to say is more.
        }
    }

    /// Whether the job does no longer train.
    var isEnding: Bool {
        state.withLock { state in
            state.failure != nil || [.stopping, .saving, .finished, .failed].contains(state.view?.phase)
        }
    }

    /// Steps that this worker has made.
    var step: Int { state.withLock { $0.step } }

    func countStep() { state.withLock { $0.step += 1 } }

    /// Tells from now on that this worker leaves as soon as no step has a part for it.
    func announceLeaving() { state.withLock { $0.isLeaving = true } }

    /// Adds what to tell of a step with the next heartbeat.
    func add(_ result: WireStepResult) { state.withLock { $0.results.append(result) } }

    /// Takes what has not been told yet, to tell it now.
    func takeResults() -> [WireStepResult] {
        state.withLock { state in
            defer { state.results.removeAll() }
            return state.results
        }
    }

    /// Ends the thread; returns when it is done.
    func end() {
        state.withLock { $0.isOver = true }
        while state.withLock({ $0.isRunning }) { Thread.sleep(forTimeInterval: 0.002) }
    }

    private func run() {
        var silentSince: ContinuousClock.Instant?
        while !state.withLock({ $0.isOver }) {
            let began = pauses?.now ?? .zero
            var beat = WireHeartbeat()
            beat.role = .worker
            beat.number = Int32(number)
            beat.incarnation = incarnation
            state.withLock { state in
                beat.view = state.view?.number ?? 0
                beat.step = Int64(state.step)
                beat.done = state.results
                beat.leaving = state.isLeaving
                state.results.removeAll()
            }
            do {
                let view = try NodeStart.beat(control, beat, interval: cluster.heartbeatInterval)
                silentSince = nil
                pauses?.answered(began: began)
                state.withLock { state in
                    if state.view?.number != view.number { state.recent = (state.recent + [view]).suffix(64) }
                    state.view = view
                }
                if view.phase == .finished || view.phase == .failed { break }
            } catch {
                state.withLock { $0.results = beat.done + $0.results }
                let error = error as? NodeError ?? NodeError(.failed, "\(error)")
                silentSince = silentSince ?? .now
                guard error.kind == .peerUnavailable, ContinuousClock.now - silentSince! < cluster.heartbeatTimeout
                else {
                    state.withLock { $0.failure = error }
                    break
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
        state.withLock { $0.isRunning = false }
    }
}
