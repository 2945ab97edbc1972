import Cluster

/// What one seed makes of a simulated job: its size, its consistency, and all that goes wrong.
struct SimulationPlan: Sendable {
    enum Fault: Sendable, Equatable {
        /// A worker ends without a word; the coordinator learns it from its process, or only by its silence.
        case crash(isSeen: Bool)
        /// A worker does nothing for so long that it is taken for dead, and then goes on.
        case sleep
        /// A worker is asked to end and leaves in good order.
        case leave
        /// One more worker joins.
        case join
    }

    var seed: UInt64
    /// Stirs what happens on the network and how long things take, but not the plan.
    var noise: UInt64 = 0
    var consistency: JobConfig.Cluster.Consistency
    var workers: Int
    /// Where each shard lies: its server, and its executor there.
    var shards: [(server: Int, executor: Int)]
    /// Shards of embedding tables; the first shard is none.
    var embeddings: Set<Int> = []
    /// The shard that decides for all.
    var lead = 0
    /// A checkpoint is written every so many steps, and at the end; nil for none.
    var checkpointEvery: Int?
    /// What a shard takes of the window; 0 in shared memory.
    var shardBytes: Int
    var servers: Int { (shards.map(\.server).max() ?? 0) + 1 }
    var examples: Int
    var batch: Int
    var steps: Int
    var evaluationBatches: Int
    var evaluateEvery: Int?
    var faults: [(time: Duration, fault: Fault)] = []
    /// The job is stopped then.
    var stop: Duration?
    /// Whether workers hand over the first shard last.
    var isLeadLast: Bool
    /// Requests of a worker in flight.
    var window: Int
    /// Of a message between workers and servers.
    var drop: Double
    var duplicate: Double
    /// Some messages take much longer than others.
    var straggle: Double

    /// Draws a plan. The kinds of consistency take turns.
    init(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        self.seed = seed
        workers = random.whole(1...5)
        let servers = random.whole(1...2)
        let count = random.whole(servers...4)
        shards = (0..<count).map { $0 < servers ? ($0, 0) : (random.whole(0...servers - 1), random.whole(0...1)) }
        batch = random.whole(2...8)
        examples = random.whole(batch...batch * 6)
        steps = random.whole(4...24)
        evaluationBatches = random.chance(0.5) ? random.whole(1...3) : 0
        evaluateEvery = random.chance(0.3) ? random.whole(2...steps) : nil
        shardBytes = random.chance(0.5) ? 0 : 1
        checkpointEvery = random.chance(0.5) ? random.whole(2...6) : nil
        window = random.whole(1...4)
        isLeadLast = random.chance(0.5)
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
        if case .synchronous(_, true) = consistency, count > 1 { embeddings = Set(random.whole(1...count - 1)..<count) }
        lead = random.whole(0...(embeddings.min() ?? count) - 1)
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
    var isPeaceful: Bool { faults.allSatisfy { $0.fault == .join || $0.fault == .leave } }

    var config: JobConfig {
        var config = JobConfig()
        config.cluster.servers = servers
        config.cluster.workers = workers
        config.cluster.consistency = consistency
        config.train.batch = batch
        config.train.length = .steps(steps)
        config.train.evaluateEverySteps = evaluateEvery
        if let checkpointEvery {
            config.checkpoint.directory = "simulated"
            config.checkpoint.everySteps = checkpointEvery
        }
        return config
    }
}
