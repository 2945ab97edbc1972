import Cluster
import Dataflow
import Foundation
import Synchronization
import Testing

/// Whole jobs in virtual time, thousands of them, on a network that delays, reorders, repeats and loses messages, with
/// workers that come, sleep, leave and die at any moment.
///
/// A seed that fails says so; `SIMULATION_SEED=17 swift test -c release --filter SimulationTests` runs it alone and prints
/// its events. `SIMULATION_SEEDS=1000000` runs more than the usual number.
@Suite("Simulated jobs")
struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test("whatever the order of events, no push is lost or applied twice, nobody waits for the dead, and the job ends")
    func seeds() {
        if let seed = Self.environment["SIMULATION_SEED"].flatMap({ UInt64($0) }) {
            let plan = SimulationPlan(seed: seed)
            print(plan)
            let outcome = SimulatedCluster(plan) { print($0) }.run()
            #expect(outcome.breaches == [], "seed \(seed)")
            return
        }
        let count = Self.environment["SIMULATION_SEEDS"].flatMap { Int($0) } ?? 10_000
        let executors = max(CPUDevice.cores, 1)
        let failures = Mutex<[String]>([])
        let statuses = Mutex<[String: Int]>([:])
        DispatchQueue.concurrentPerform(iterations: executors) { executor in
            var own: [String: Int] = [:]
            for seed in stride(from: UInt64(executor), to: UInt64(count), by: executors) {
                let plan = SimulationPlan(seed: seed)
                let outcome = SimulatedCluster(plan).run()
                own[outcome.status?.rawValue ?? "unfinished", default: 0] += 1
                if let breach = outcome.breaches.first {
                    failures.withLock { $0.append("SIMULATION_SEED=\(seed), \(plan.consistency): \(breach)") }
                }
            }
            let counted = own
            statuses.withLock { $0.merge(counted, uniquingKeysWith: +) }
        }
        let found = failures.withLock { $0 }
        #expect(found.isEmpty, "\(found.count) of \(count): \(found.prefix(10).joined(separator: "\n"))")
        let ends = statuses.withLock { $0 }
        // Jobs fail only where all their workers died and none came.
        #expect(ends["finished", default: 0] > count * 9 / 10 && ends["failed", default: 0] < count / 50, "\(ends)")
    }

    @Test("what synchronous workers make of the values does not depend on delays, repeats and losses")
    func reproducible() {
        var compared = 0
        for seed in stride(from: UInt64(2), to: 1200, by: 6) {
            var plan = SimulationPlan(seed: seed)
            guard plan.consistency == .sync, plan.faults.isEmpty, plan.stop == nil else { continue }
            let first = SimulatedCluster(plan).run()
            plan.noise = 1
            (plan.drop, plan.duplicate, plan.straggle) = (0.1, 0.1, 0.3)
            let second = SimulatedCluster(plan).run()
            #expect(first.breaches == [] && second.breaches == [], "seed \(seed)")
            // A worker whose messages are lost for ten seconds is taken for dead.
            guard first.deaths == 0, second.deaths == 0 else { continue }
            #expect(first.events != second.events && first.digest == second.digest, "seed \(seed)")
            compared += 1
        }
        #expect(compared > 30)
    }

    @Test("bounded staleness bounds it: (workers − 1) × (2 × bound + 2) updates at most", arguments: [0, 1, 3])
    func bound(staleness: Int) {
        var greatest = 0
        for seed in UInt64(0)..<60 {
            var plan = SimulationPlan(seed: seed)
            plan.consistency = .bounded(staleness: staleness)
            (plan.faults, plan.stop, plan.embeddings) = ([], nil, [])
            (plan.workers, plan.steps) = (4, 40)
            let outcome = SimulatedCluster(plan).run()
            #expect(outcome.breaches == [], "seed \(seed)")
            greatest = max(greatest, outcome.tally.stalenessMax)
            #expect(outcome.tally.stalenessMax <= 3 * (2 * staleness + 2), "seed \(seed)")
        }
        #expect(greatest > staleness, "the bound is never reached")
    }

    @Test("a pipelined worker alone is one update behind itself, another none")
    func pipeline() {
        var behind = 0
        for seed in UInt64(0)..<60 {
            var plan = SimulationPlan(seed: seed)
            (plan.faults, plan.stop, plan.embeddings) = ([], nil, [])
            // Where it evaluates, it may ask for each batch alone, with all answers taken.
            (plan.workers, plan.steps, plan.evaluateEvery, plan.evaluationBatches) = (1, 40, nil, 0)
            for isPipelined in [false, true] {
                plan.consistency = .asynchronous(isPipelined: isPipelined)
                let outcome = SimulatedCluster(plan).run()
                #expect(outcome.breaches == [] && outcome.deaths == 0, "seed \(seed)")
                #expect(outcome.tally.stalenessMax <= (isPipelined ? 1 : 0), "seed \(seed)")
                behind += outcome.tally.stalenessMax
            }
        }
        #expect(behind == 60)
    }

    @Test("with backup workers late gradients are dropped and told, and without any none is")
    func backup() {
        var dropped = 0
        for seed in stride(from: UInt64(3), to: 300, by: 6) {
            var plan = SimulationPlan(seed: seed)
            (plan.faults, plan.stop) = ([], nil)
            plan.workers = max(plan.workers, 2)
            plan.consistency = .synchronous(backup: 1)
            let late = SimulatedCluster(plan).run()
            #expect(late.breaches == [], "seed \(seed)")
            dropped += late.tally.dropped[.late] ?? 0
            plan.consistency = .sync
            let whole = SimulatedCluster(plan).run()
            #expect(whole.breaches == [] && whole.tally.dropped == [:] && whole.missedExamples == 0, "seed \(seed)")
        }
        #expect(dropped > 100)
    }
}
