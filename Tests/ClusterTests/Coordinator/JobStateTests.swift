import Cluster
import Testing
import Training

/// A job's decisions, driven by a made-up cluster in virtual time: no socket, no clock, no thread.
@Suite("What a coordinator decides")
struct JobStateTests {
    /// Knuth's linear congruential generator (MMIX): a failing seed fails again.
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 33)
        }
    }

    /// Nodes as the coordinator hears of them. Servers act on what workers push at once.
    private struct Cluster {
        struct Worker {
            let number: Int
            let incarnation: UInt64
            let pid: Int
            var batches: [Int] = []
            var done: [Int] = []
            var steps = 0
        }

        var state: JobState
        var now = Duration.zero
        var random: SeededGenerator
        var servers: [(number: Int, incarnation: UInt64)] = []
        var workers: [Worker] = []
        /// How often each batch was applied.
        var applied: [Int: Int] = [:]
        var refused: Set<UInt64> = []
        private var next: UInt64 = 1

        init(seed: UInt64, servers: Int, workers: Int, steps: Int) throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 10, steps: \(steps)}\ncluster: {servers: \(servers), workers: \(workers)}")
            state = JobState(
                JobState.Facts(
                    config: config, fingerprint: "", variables: [], totalSteps: steps,
                    schedule: BatchSchedule(of: 75, batch: 10, seed: 1), evaluationBatches: 3, jobKey: 1))
            random = SeededGenerator(state: seed)
        }

        mutating func joinServer() throws {
            var node = NodeRegistration(.server, incarnation: draw())
            node.addresses = ["inproc://\(node.incarnation)"]
            let number = try state.register(node, now: now)
            state.serverReady(number, incarnation: node.incarnation, now: now)
            servers.append((number, node.incarnation))
        }

        mutating func joinWorker() throws {
            let incarnation = draw()
            let node = NodeRegistration(.worker, pid: Int(incarnation), incarnation: incarnation)
            let number = try state.register(node, now: now)
            workers.append(Worker(number: number, incarnation: incarnation, pid: node.pid))
        }

        mutating func kill(_ index: Int) {
            let worker = workers.remove(at: index)
            state.declareDead(.worker, pid: worker.pid, "was killed", now: now)
        }

        /// Every server hears the newest view and reports what it has applied.
        mutating func serversBeat() {
            for worker in state.view.workers { refused.remove(worker.incarnation) }
            let members = Set(state.view.workers.map(\.incarnation))
            refused.formUnion(workers.map(\.incarnation).filter { !members.contains($0) })
            for server in servers {
                var report = NodeReport(.server, server.number, incarnation: server.incarnation)
                report.view = state.view.number
                report.server = ServerReport()
                report.server?.applied = RangeSet(applied.keys.map { $0..<$0 + 1 })
                _ = state.heard(report, now: now)
            }
        }

        /// A worker does its next bit: a batch, an evaluation, or a question for more.
        mutating func step(_ index: Int) {
            if !workers[index].batches.isEmpty {
                let batch = workers[index].batches.removeFirst()
                applied[batch, default: 0] += 1
                workers[index].done.append(batch)
                workers[index].steps += 1
                return
            }
            let worker = WorkerIdentity(worker: workers[index].number, incarnation: workers[index].incarnation)
            let done = workers[index].done.map { batch in
                var report = StepReport(batch: batch)
                report.examples = 5
                return report
            }
            workers[index].done = []
            switch state.lease(to: worker, done: done, now: now) {
            case .batches(let ranges): workers[index].batches = Array(ranges.joined())
            case .evaluation(let round, let batches):
                let sum = EvaluationSum(examples: 1)
                state.evaluated([EvaluationReport(round: round, batches: batches, sum: sum)], by: worker)
            case .additional, .nothing: break
            }
        }

        private mutating func draw() -> UInt64 {
            defer { next += 1 }
            return next
        }
    }

    @Test(
        "whenever workers die or join, the job ends, and every batch is applied once",
        arguments: 0..<300 as Range<UInt64>)
    func anyOrder(seed: UInt64) throws {
        var cluster = try Cluster(
            seed: seed, servers: Int(seed % 2) + 1, workers: Int(seed % 3) + 2, steps: 40)
        var toJoin = Int(seed % 3) + 2
        var serversToJoin = Int(seed % 2) + 1
        var killsLeft = Int(seed % 3) + 1
        var ticks = 0
        while cluster.state.phase != .finished, cluster.state.phase != .failed, ticks < 20_000 {
            ticks += 1
            cluster.now += .milliseconds(1)
            switch Int.random(in: 0..<20, using: &cluster.random) {
            case 0 where serversToJoin > 0:
                serversToJoin -= 1
                try cluster.joinServer()
            case 1 where toJoin > 0:
                toJoin -= 1
                try cluster.joinWorker()
            case 2 where killsLeft > 0 && cluster.workers.count > 1:
                killsLeft -= 1
                cluster.kill(Int.random(in: 0..<cluster.workers.count, using: &cluster.random))
                // Half of the dead are replaced.
                if Bool.random(using: &cluster.random) { toJoin += 1 }
            case 3, 4: cluster.serversBeat()
            default:
                guard !cluster.workers.isEmpty, cluster.state.phase == .training else { break }
                let index = Int.random(in: 0..<cluster.workers.count, using: &cluster.random)
                if cluster.state.view.workers.contains(where: { $0.incarnation == cluster.workers[index].incarnation })
                {
                    cluster.step(index)
                }
            }
            cluster.state.advance(now: cluster.now)
        }
        #expect(cluster.state.phase == .finished, "after \(ticks) ticks at step \(cluster.state.step)")
        #expect(cluster.applied.count == 40 && cluster.applied.values.allSatisfy { $0 == 1 })
    }
}
