/// What one seed makes of a simulated job: its size, its consistency, and all that goes wrong.
package struct SimulationPlan: Sendable {
    package enum Fault: Sendable, Equatable {
        /// A worker ends without a word; the coordinator learns it from its process, or only by its silence.
        case crash(isSeen: Bool)
        /// A worker does nothing for so long that it is taken for dead, and then goes on.
        case sleep
        /// A worker is asked to end and leaves in good order.
        case leave
        /// One more worker joins.
        case join
    }

    package var seed: UInt64
    /// Stirs what happens on the network and how long things take, but not the plan.
    package var noise: UInt64 = 0
    package var consistency: JobConfig.Cluster.Consistency
    package var workers: Int
    /// Where each bundle lies: its server, and its lane there.
    package var bundles: [(server: Int, lane: Int)]
    /// Bundles of tables; the first bundle is none.
    package var tables: Set<Int> = []
    package var servers: Int { (bundles.map(\.server).max() ?? 0) + 1 }
    package var examples: Int
    package var batch: Int
    package var steps: Int
    package var evaluationBatches: Int
    package var evaluateEvery: Int?
    package var faults: [(time: Duration, fault: Fault)] = []
    /// The job is stopped then.
    package var stop: Duration?
    /// Whether workers go on when the arbiter has answered, before the other bundles have.
    package var overlaps: Bool
    /// Whether workers push the first bundle, by which all go, last.
    package var isArbiterLast: Bool
    /// Requests of a worker in flight.
    package var window: Int
    /// Of a message between workers and servers.
    package var drop: Double
    package var duplicate: Double
    /// Some messages take much longer than others.
    package var straggle: Double

    /// Draws a plan. The kinds of consistency take turns.
    package init(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        self.seed = seed
        workers = random.whole(1...5)
        let servers = random.whole(1...2)
        let count = random.whole(servers...4)
        bundles = (0..<count).map { $0 < servers ? ($0, 0) : (random.whole(0...servers - 1), random.whole(0...1)) }
        batch = random.whole(2...8)
        examples = random.whole(batch...batch * 6)
        steps = random.whole(4...24)
        evaluationBatches = random.chance(0.5) ? random.whole(1...3) : 0
        evaluateEvery = random.chance(0.3) ? random.whole(2...steps) : nil
        overlaps = random.chance(0.5)
        window = random.whole(1...4)
        isArbiterLast = random.chance(0.5)
        let isCalm = random.chance(0.25)
        drop = isCalm ? 0 : 0.02
        duplicate = isCalm ? 0 : 0.05
        straggle = isCalm ? 0 : 0.05
        consistency = .async
        switch seed % 6 {
        case 0: consistency = .asynchronous(isPipelined: random.chance(0.5))
        case 1: consistency = .bounded(staleness: random.whole(0...3))
        case 2: consistency = .sync
        case 3: consistency = .synchronous(backup: min(random.whole(1...2), workers - 1))
        default: consistency = .synchronous(backup: seed % 6 == 4 ? 0 : min(1, workers - 1), asynchronousTables: true)
        }
        if case .synchronous(_, true) = consistency, count > 1 { tables = Set(random.whole(1...count - 1)..<count) }
        let span = steps * (isCalm ? 8 : 14)
        if random.chance(0.6) {
            for _ in 0..<random.whole(1...3) {
                let kinds: [Fault] = [.crash(isSeen: true), .crash(isSeen: false), .sleep, .leave, .join, .join]
                let fault = kinds[random.whole(0...kinds.count - 1)]
                faults.append((.milliseconds(random.whole(0...span)), fault))
                // Half of those that are lost are replaced.
                if fault != .join, random.chance(0.5) {
                    faults.append((.milliseconds(random.whole(0...span)), .join))
                }
            }
        }
        // Now and then all goes wrong at once.
        if let first = faults.first, random.chance(0.2) {
            for i in faults.indices where faults[i].fault != .join {
                faults[i].time = first.time + random.microseconds(0...3000)
            }
        }
        if random.chance(0.03) { stop = .milliseconds(random.whole(0...span)) }
    }

    /// Whether nobody dies.
    package var isPeaceful: Bool { faults.allSatisfy { $0.fault == .join || $0.fault == .leave } }

    var config: JobConfig {
        var config = JobConfig()
        config.cluster.servers = servers
        config.cluster.workers = workers
        config.cluster.consistency = consistency
        config.train.batch = batch
        config.train.length = .steps(steps)
        config.train.evaluateEverySteps = evaluateEvery
        return config
    }
}
