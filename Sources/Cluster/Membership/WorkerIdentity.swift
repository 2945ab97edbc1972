/// One life of a worker: its number, which a successor may get, and the incarnation that it drew at its start.
package struct WorkerIdentity: Hashable, Sendable {
    package var worker: Int
    package var incarnation: UInt64

    package init(worker: Int, incarnation: UInt64) {
        self.worker = worker
        self.incarnation = incarnation
    }
}
