/// Who may take part, as a shard knows it from the views that it acts on.
package struct Roster: Sendable {
    /// The newest view that the shard acts on; nil before the first.
    package private(set) var view: ClusterView?
    private var present: Set<WorkerIdentity> = []
    private var departed: Set<WorkerIdentity> = []

    package init() {}

    /// Takes a newer view. A worker of the last view that is not in this one has died or left.
    ///
    /// - Returns: the workers that have departed now, by number; nil if the view is not newer.
    package mutating func act(on view: ClusterView) -> [WorkerIdentity]? {
        guard view.number > self.view?.number ?? 0 else { return nil }
        let now = Set(view.present)
        let gone = present.subtracting(now)
        departed.formUnion(gone)
        departed.subtract(now)
        present = now
        self.view = view
        return gone.sorted { ($0.worker, $0.incarnation) < ($1.worker, $1.incarnation) }
    }

    /// Whether this worker was in a view and is not in the newest: nothing more is taken from it.
    package func hasDeparted(_ worker: WorkerIdentity) -> Bool { departed.contains(worker) }
}
