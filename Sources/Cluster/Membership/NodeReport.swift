/// What a node reports in a heartbeat, or when it leaves.
package struct NodeReport: Sendable {
    package var role: Role
    package var number: Int
    package var incarnation: UInt64
    /// The view that it acts on; 0 for none. nil of a node that leaves.
    package var view: UInt64?
    /// A server's updates, a worker's next step.
    package var step = 0
    /// Why a node is about to end; empty while all is well.
    package var failure = ""
    package var isLeaving = false
    /// What a worker has done since it reported last.
    package var done: [StepReport] = []
    /// What a server reports of its shards.
    package var server: ServerReport?

    package init(_ role: Role, _ number: Int, incarnation: UInt64) {
        self.role = role
        self.number = number
        self.incarnation = incarnation
    }

    /// The same of a worker.
    var worker: WorkerIdentity { WorkerIdentity(worker: number, incarnation: incarnation) }
}
