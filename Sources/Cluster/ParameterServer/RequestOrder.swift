/// Which of the workers' requests about a bundle in shared memory are taken: each must be newer than all before it, for the
/// worker may be computing with the memory that an older one is about.
///
/// An offer of memory counts as a request. One that comes again late must not set the order back, or requests older than the
/// newest were taken a second time.
package struct RequestOrder: Sendable {
    private var newest: [UInt32: (incarnation: UInt64, sequence: UInt64)] = [:]

    package init() {}

    /// Whether an offer of memory is to be looked at; not a repeat, or one older than what its worker has asked for since.
    package func isNews(worker: UInt32, incarnation: UInt64, sequence: UInt64) -> Bool {
        guard let known = newest[worker], known.incarnation == incarnation else { return true }
        return sequence > known.sequence
    }

    /// Notes an offer of memory that was accepted.
    package mutating func attach(worker: UInt32, incarnation: UInt64, sequence: UInt64) {
        if isNews(worker: worker, incarnation: incarnation, sequence: sequence) {
            newest[worker] = (incarnation, sequence)
        }
    }

    /// Notes a request; false for one that is not the newest, for which nothing may be read or written.
    package mutating func take(worker: UInt32, incarnation: UInt64, sequence: UInt64) -> Bool {
        guard let known = newest[worker], known.incarnation == incarnation, sequence > known.sequence else {
            return false
        }
        newest[worker] = (incarnation, sequence)
        return true
    }

    /// Forgets a worker that has gone.
    package mutating func forget(incarnation: UInt64) {
        newest = newest.filter { $0.value.incarnation != incarnation }
    }
}
