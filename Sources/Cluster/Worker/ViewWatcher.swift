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
        /// What the coordinator has not been told for certain, the oldest first.
        var results: [WireStepResult] = []
        /// How many were taken out of `results` since the job began.
        var toldCount = 0
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
            if let failure = state.withLock({ $0.failure }) { throw failure }
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

    /// Results that the coordinator may not know, and what to call `told` with once it does. A heartbeat that has got no
    /// answer may or may not have told of them; told twice, they count once.
    var untold: (results: [WireStepResult], upTo: Int) {
        state.withLock { ($0.results, $0.toldCount + $0.results.count) }
    }

    /// The coordinator knows of all results up to these.
    func told(upTo count: Int) {
        state.withLock { state in
            state.results.removeFirst(min(max(count - state.toldCount, 0), state.results.count))
            state.toldCount = max(state.toldCount, count)
        }
    }

    /// Ends the thread; returns when it is done.
    func end() {
        state.withLock { $0.isOver = true }
        while state.withLock({ $0.isRunning }) { Thread.sleep(forTimeInterval: 0.002) }
    }

    private func run() {
        while !state.withLock({ $0.isOver }) {
            let began = pauses?.now ?? .zero
            var beat = WireHeartbeat()
            beat.role = .worker
            beat.number = Int32(number)
            beat.incarnation = incarnation
            let (results, count) = untold
            beat.done = results
            state.withLock { state in
                beat.view = state.view?.number ?? 0
                beat.step = Int64(state.step)
                beat.leaving = state.isLeaving
            }
            do {
                let view = try NodeStart.beat(control, beat, interval: cluster.heartbeatInterval) { [self] in
                    if state.withLock({ $0.isOver }) { throw WorkerStopped() }
                }
                told(upTo: count)
                pauses?.answered(began: began)
                state.withLock { state in
                    if state.view?.number != view.number { state.recent = (state.recent + [view]).suffix(64) }
                    state.view = view
                }
                if view.phase == .finished || view.phase == .failed { break }
            } catch is WorkerStopped { break } catch {
                let error = error as? NodeError ?? NodeError(.failed, "\(error)")
                state.withLock { $0.failure = error }
                break
            }
        }
        state.withLock { $0.isRunning = false }
    }
}
