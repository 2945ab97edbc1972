/// Where a job is in its life.
package enum Phase: String, Sendable {
    case waiting, training, stopping
    /// Servers of a synchronous job close no more steps; the lead shard's server reports which was the last.
    case closing
    case saving, finished, failed
}

/// Who takes part, as the coordinator publishes it under a number that only grows.
package struct ClusterView: Equatable, Sendable {
    package struct ServerEntry: Equatable, Sendable {
        package var number: Int
        /// One an executor.
        package var addresses: [String]
        package var incarnation: UInt64

        package init(number: Int, addresses: [String], incarnation: UInt64) {
            self.number = number
            self.addresses = addresses
            self.incarnation = incarnation
        }
    }

    package struct WorkerEntry: Equatable, Sendable {
        package var number: Int
        /// Its place among the workers of this view, from 0 without gaps.
        package var rank: Int
        package var incarnation: UInt64
        /// How many workers of this view, itself included, share its cores.
        package var sharing: Int

        package init(number: Int, rank: Int, incarnation: UInt64, sharing: Int = 1) {
            self.number = number
            self.rank = rank
            self.incarnation = incarnation
            self.sharing = sharing
        }
    }

    package var number: UInt64
    package var phase: Phase
    /// Why the phase is what it is; empty while all is well.
    package var reason: String
    package var servers: [ServerEntry]
    package var workers: [WorkerEntry]
    /// Those that have no part of the synchronous steps that this view divides, but of older ones.
    package var leaving: [WorkerIdentity]
    /// In the phase saving: the step under which servers write a checkpoint.
    package var checkpointStep = 0
    /// In the phase saving of a synchronous job: the last step that the lead shard has closed; nil if it has closed none.
    package var closed: ClosedStep?

    package init(
        number: UInt64, phase: Phase, reason: String = "", checkpointStep: Int = 0, servers: [ServerEntry] = [],
        workers: [WorkerEntry] = [], leaving: [WorkerIdentity] = []
    ) {
        self.number = number
        self.phase = phase
        self.reason = reason
        self.checkpointStep = checkpointStep
        self.servers = servers
        self.workers = workers
        self.leaving = leaving
    }

    /// All whose pushes are taken.
    package var present: [WorkerIdentity] {
        workers.map { WorkerIdentity(worker: $0.number, incarnation: $0.incarnation) } + leaving
    }

    /// The workers that divide a synchronous step, by rank.
    package var members: [WorkerIdentity] {
        workers.sorted { $0.rank < $1.rank }.map { WorkerIdentity(worker: $0.number, incarnation: $0.incarnation) }
    }

    /// The rank of a worker's incarnation; nil if it has no part of the steps that this view divides.
    func rank(of incarnation: UInt64) -> Int? { workers.first { $0.incarnation == incarnation }?.rank }

    func isLeaving(_ incarnation: UInt64) -> Bool { leaving.contains { $0.incarnation == incarnation } }
}
