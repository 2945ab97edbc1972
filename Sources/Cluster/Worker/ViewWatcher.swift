internal import Messaging

/// Keeps in touch with the coordinator on a thread of its own: heartbeats out, views in.
final class ViewWatcher: Sendable {
    private struct State: Sendable {
        var view: ClusterView?
        /// The last views, for steps that are divided by an older one.
        var recent: [ClusterView] = []
        var failure: NodeError?
        var step = 0
        /// What the coordinator may not know yet, the oldest first.
        var reports: [StepReport] = []
        /// How many were taken out of `reports` since the job began.
        var acknowledged = 0
        var isLeaving = false

        /// Whether the job does no longer train.
        var isEnding: Bool {
            failure != nil || [.stopping, .closing, .saving, .finished, .failed].contains(view?.phase)
        }
    }

    private let state = Monitor(State())
    private let thread: ServiceThread
    private let control: ControlClient
    private let worker: WorkerIdentity
    private let interval: Duration

    init(
        _ control: ControlClient, _ worker: WorkerIdentity, cluster: JobConfig.Cluster, stops: StopWatcher? = nil
    ) {
        self.control = control
        self.worker = worker
        let interval = cluster.heartbeatInterval
        self.interval = interval
        thread = ServiceThread { [state] thread in
            while !thread.isEnding {
                do {
                    let view = try ViewWatcher.beat(control, worker, state, interval, stops, thread)
                    if view.phase == .finished || view.phase == .failed { return }
                } catch is WorkerStopped { return } catch {
                    let error = error as? NodeError ?? NodeError(.failed, "\(error)")
                    state.change { $0.failure = error }
                    return
                }
            }
        }
    }

    /// The newest view, nil before the first.
    var view: ClusterView? { state.withLock { $0.view } }

    /// Waits for a view of this number, or the next one known if it was skipped; nil if it does not come in time.
    func view(numbered number: UInt64, for limit: Duration) -> ClusterView? {
        func find(_ state: State) -> ClusterView? { state.recent.first { $0.number >= number } }
        _ = state.wait(limit) { find($0) != nil || $0.isEnding ? true : nil }
        return state.withLock { find($0) }
    }

    /// Waits until a view has come that is not this one, the job ends, or the time is over.
    func waitForView(after view: ClusterView?, for limit: Duration) {
        _ = state.wait(limit) { $0.view?.number != view?.number || $0.isEnding ? true : nil }
    }

    /// Waits until the job does no longer train, or the time is over.
    func waitForEnd(for limit: Duration) { _ = state.wait(limit) { $0.isEnding ? true : nil } }

    /// Throws if the coordinator has gone or refuses.
    func check() throws { if let failure = state.withLock({ $0.failure }) { throw failure } }

    /// Asks the coordinator once more whether this worker is of the job.
    /// - Throws: `NodeError` if the coordinator refuses.
    func checkNow() throws {
        do {
            try check()
            try NodeStart.heartbeat(
                control, NodeReport(.worker, worker.worker, incarnation: worker.incarnation), interval: interval)
        } catch let error as NodeError where error.kind == .peerUnavailable {
            // What the caller has to say is more.
        }
    }

    /// Whether the job does no longer train.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Steps that this worker has made.
    var step: Int { state.withLock { $0.step } }

    func countStep() { state.withLock { $0.step += 1 } }

    /// Reports from now on that this worker leaves as soon as no step has a part for it.
    func announceLeaving() { state.withLock { $0.isLeaving = true } }

    /// Reports a step with the next heartbeat.
    func add(_ report: StepReport) { state.withLock { $0.reports.append(report) } }

    /// Reports that the coordinator may not know, and what to call `acknowledge` with once it does. A heartbeat that has got
    /// no answer may or may not have brought them; reported twice, they count once.
    var pending: (reports: [StepReport], upTo: Int) {
        state.withLock { ($0.reports, $0.acknowledged + $0.reports.count) }
    }

    /// The coordinator knows all reports up to these.
    func acknowledge(upTo count: Int) { ViewWatcher.acknowledge(state, upTo: count) }

    private static func acknowledge(_ state: Monitor<State>, upTo count: Int) {
        state.withLock { state in
            state.reports.removeFirst(min(max(count - state.acknowledged, 0), state.reports.count))
            state.acknowledged = max(state.acknowledged, count)
        }
    }

    /// Ends the thread; returns when it is done.
    func end() { thread.end() }

    /// One heartbeat.
    private static func beat(
        _ control: ControlClient, _ worker: WorkerIdentity, _ state: Monitor<State>, _ interval: Duration,
        _ stops: StopWatcher?, _ thread: ServiceThread
    ) throws -> ClusterView {
        let began = stops?.now ?? .zero
        var beat = NodeReport(.worker, worker.worker, incarnation: worker.incarnation)
        let count = state.withLock { state in
            beat.done = state.reports
            beat.view = state.view?.number ?? 0
            beat.step = state.step
            beat.isLeaving = state.isLeaving
            return state.acknowledged + state.reports.count
        }
        let view = try NodeStart.heartbeat(control, beat, interval: interval) {
            if thread.isEnding { throw WorkerStopped() }
        }
        acknowledge(state, upTo: count)
        stops?.answered(began: began)
        state.change { state in
            if state.view?.number != view.number { state.recent = (state.recent + [view]).suffix(64) }
            state.view = view
        }
        return view
    }
}
