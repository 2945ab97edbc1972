/// The views of a job that were published, the newest and those before it.
struct ViewRecord: Sendable {
    private(set) var newest = ClusterView(number: 0, phase: .waiting, reason: "", servers: [], workers: [])
    /// When the phase of the newest began.
    private(set) var phaseBegan = Duration.zero
    private var recent: [ClusterView] = []

    mutating func publish(_ view: ClusterView, now: Duration) {
        if view.phase != newest.phase { phaseBegan = now }
        newest = view
        recent = (recent + [view]).suffix(64)
    }

    /// A view that was published not long ago.
    func view(numbered number: UInt64) -> ClusterView? { recent.first { $0.number == number } }

    /// The view that a node gets next: the newest. But workers get one after the other from the first
    /// that names them, for a step may be divided by any of those.
    func next(after number: UInt64, for incarnation: UInt64, _ role: Role) -> ClusterView {
        guard role == .worker, newest.phase == .training else { return newest }
        let next = recent.first { candidate in
            candidate.number > number && candidate.present.contains { $0.incarnation == incarnation }
        }
        return next ?? newest
    }
}
