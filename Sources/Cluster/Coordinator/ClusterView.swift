package import Training

/// Where a job is in its life.
package enum Phase: String, Sendable {
    case waiting, training, stopping, saving, finished, failed
}

/// Who takes part, as the coordinator publishes it under a number that only grows.
package struct ClusterView: Equatable, Sendable {
    package struct ServerEntry: Equatable, Sendable {
        package var number: Int
        /// One a lane.
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

    /// Missed examples that a worker adds to its part of the first synchronous step that it trains by this view or a newer
    /// one.
    package struct MakeUp: Equatable, Sendable {
        package var view: UInt64
        package var incarnation: UInt64
        /// Positions in the job's order of examples.
        package var positions: RangeSet<Int>

        package init(view: UInt64, incarnation: UInt64, positions: RangeSet<Int>) {
            self.view = view
            self.incarnation = incarnation
            self.positions = positions
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
    /// What the workers of a synchronous job make up for.
    package var makeUps: [MakeUp] = []

    /// In the phase saving: the step under which servers write a checkpoint.
    package var checkpointStep = 0

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

    /// What a worker adds to its part of a step that this view divides, as positions in the job's order of examples.
    ///
    /// - Parameter last: the view that divided the last step that it took part in; 0 before its first.
    package func madeUp(by incarnation: UInt64, since last: UInt64) -> RangeSet<Int> {
        makeUps.filter { $0.incarnation == incarnation && $0.view > last }
            .reduce(into: RangeSet()) { $0.formUnion($1.positions) }
    }

    /// A worker's part of a step that this view divides; none of a step after the last batch, which is for what is made up
    /// for.
    package func part(ofStep step: Int, of totalSteps: Int, rank: Int, _ schedule: BatchSchedule) -> Range<Int> {
        step < totalSteps ? schedule.positions(ofBatch: step, rank: rank, of: workers.count) : 0..<0
    }

    func isLeaving(_ incarnation: UInt64) -> Bool { leaving.contains { $0.incarnation == incarnation } }
}
