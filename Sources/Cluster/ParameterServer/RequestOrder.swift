/// Which of the workers' requests about a shard in shared memory are taken: each must be newer than all before it, for the
/// worker may be computing with the memory that an older one is about.
///
/// An offer of memory counts as a request. One that comes again late must not set the order back, or requests older than the
/// newest were taken a second time.
package struct RequestOrder: Sendable {
    private var newest: [WorkerIdentity: UInt64] = [:]

    package init() {}

    /// Notes an offer of memory; false for a repeat, or one older than what its worker has asked for since.
    package mutating func attach(_ worker: WorkerIdentity, sequence: UInt64) -> Bool {
        guard isNew(worker, sequence: sequence) else { return false }
        newest[worker] = sequence
        return true
    }

    /// Whether an offer of memory is to be looked at.
    package func isNew(_ worker: WorkerIdentity, sequence: UInt64) -> Bool {
        newest[worker].map { sequence > $0 } ?? true
    }

    /// Notes a request; false for one that is not the newest, for which nothing may be read or written.
    package mutating func take(_ worker: WorkerIdentity, sequence: UInt64) -> Bool {
        guard let known = newest[worker], sequence > known else { return false }
        newest[worker] = sequence
        return true
    }

    /// Forgets a worker that has departed.
    package mutating func forget(_ worker: WorkerIdentity) { newest[worker] = nil }
}
