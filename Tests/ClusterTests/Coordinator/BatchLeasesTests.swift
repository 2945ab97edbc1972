import Cluster
import Testing

@Suite("Batches as leases")
struct BatchLeasesTests {
    @Test(
        "a lease is small where few batches remain",
        arguments: [(0, 2, 1), (1, 2, 1), (7, 2, 1), (8, 2, 2), (63, 2, 15), (64, 2, 16), (10_000, 2, 16), (5, 0, 2)])
    func leaseSize(total: Int, workers: Int, expected: Int) {
        #expect(BatchLeases.leaseSize(total: total, workers: workers) == expected)
    }

    @Test("batches are handed out in order and once, in leases that shrink towards the end")
    func order() {
        var leases = BatchLeases(total: 20, leaseSize: 4)
        #expect(leases.lease(to: 0, incarnation: 1) == [0..<4])
        #expect(leases.lease(to: 1, incarnation: 2) == [4..<8])
        #expect(leases.outstanding == [0: RangeSet(0..<4), 1: RangeSet(4..<8)])
        var sizes: [Int] = []
        while let range = leases.lease(to: sizes.count % 2, incarnation: UInt64(sizes.count % 2 + 1)).first {
            sizes.append(range.count)
        }
        #expect(sizes == [3, 2, 1, 1, 1, 1, 1, 1, 1])
        #expect(leases.complete(Array(0..<20), by: 0, incarnation: 1) == 11)
        #expect(leases.complete(Array(0..<20), by: 1, incarnation: 2) == 9)
        #expect(leases.isComplete && leases.firstUndone() == 20 && leases.outstanding.isEmpty)
    }

    @Test("no batch from the limit on is handed out, and the lease before it ends there")
    func limit() {
        var leases = BatchLeases(total: 100, leaseSize: 8)
        #expect(leases.lease(to: 0, incarnation: 1, limit: 0) == [])
        #expect(leases.lease(to: 0, incarnation: 1, limit: 10) == [0..<5])
        while !leases.lease(to: 0, incarnation: 1, limit: 10).isEmpty {}
        #expect(leases.held(by: 0, incarnation: 1) == [0..<10])
        #expect(leases.lease(to: 0, incarnation: 1) == [10..<18])
    }

    @Test("batches that a checkpoint has done are skipped")
    func restored() {
        var leases = BatchLeases(total: 40, done: RangeSet([0..<2, 4..<38, 40..<50]), leaseSize: 16)
        #expect(leases.doneCount == 36 && leases.firstUndone() == 2)
        #expect(leases.lease(to: 0, incarnation: 1) == [2..<4])
        #expect(leases.lease(to: 0, incarnation: 1) == [38..<39])
    }

    @Test("an acknowledgement that comes twice counts once, and one of a batch that isn't held counts nothing")
    func acknowledgements() {
        var leases = BatchLeases(total: 100, leaseSize: 4)
        _ = leases.lease(to: 0, incarnation: 1)
        #expect(leases.complete([0, 1, 0], by: 0, incarnation: 1) == 2)
        #expect(leases.complete([0, 1], by: 0, incarnation: 1) == 0)
        #expect(leases.complete([2, 3], by: 0, incarnation: 9) == 0)
        #expect(leases.complete([50], by: 0, incarnation: 1) == 0)
        #expect(leases.doneCount == 2)
    }

    @Test("of a dead worker's batches those that servers applied are done, and only the rest is leased anew, first")
    func death() {
        var leases = BatchLeases(total: 1000, leaseSize: 6)
        _ = leases.lease(to: 0, incarnation: 1)
        _ = leases.lease(to: 1, incarnation: 2)
        #expect(leases.complete([0], by: 0, incarnation: 1) == 1)
        // Batch 7 is worker 1's: it stays so until it is acknowledged.
        #expect(leases.worker(0, incarnation: 1, died: RangeSet([0..<3, 7..<8])) == RangeSet(3..<6))
        #expect(leases.doneCount == 3)
        #expect(leases.complete([3, 4], by: 0, incarnation: 1) == 0, "an acknowledgement from the dead")
        #expect(leases.lease(to: 0, incarnation: 1) == [], "a lease to the dead")
        #expect(leases.lease(to: 0, incarnation: 3) == [3..<6, 12..<15])
        #expect(leases.complete([7], by: 1, incarnation: 2) == 1)
        #expect(leases.worker(0, incarnation: 1, died: RangeSet()).isEmpty, "a second death")
    }

    @Test("a worker that leaves gives back what it has not used")
    func release() {
        var leases = BatchLeases(total: 1000, leaseSize: 4)
        _ = leases.lease(to: 0, incarnation: 1)
        leases.complete([1], by: 0, incarnation: 1)
        leases.release(worker: 0, incarnation: 1)
        #expect(leases.outstanding.isEmpty)
        #expect(leases.lease(to: 1, incarnation: 2) == [0..<1, 2..<5])
    }

    @Test("without deaths every batch is trained on exactly once, whatever the order of events")
    func simulationWithoutDeaths() {
        for seed in 0..<1000 { simulate(seed: UInt64(seed), deaths: false) }
    }

    @Test("with deaths every batch is applied, none by two living workers, and none that servers applied anew")
    func simulationWithDeaths() {
        for seed in 1000..<3000 { simulate(seed: UInt64(seed), deaths: true) }
    }

    /// Workers lease, push, have pushes acknowledged late, die, rejoin and leave, in an order that the seed decides.
    private func simulate(seed: UInt64, deaths: Bool) {
        struct Worker {
            var incarnation: UInt64
            var todo: [Int] = []
            var unacknowledged: [Int] = []
        }
        var random = SplitMix(seed: seed)
        let total = Int.random(in: 0...120, using: &random)
        var leases = BatchLeases(total: total, leaseSize: Int.random(in: 1...16, using: &random))
        var workers: [Int: Worker] = [:]
        var nextIncarnation: UInt64 = 1
        var applied = [Int](repeating: 0, count: total)
        var appliedSet = RangeSet<Int>()
        var newlyDone = 0
        var events = 0
        while !leases.isComplete, events < 20_000 {
            events += 1
            let number = Int.random(in: 0..<4, using: &random)
            guard var worker = workers[number] else {
                workers[number] = Worker(incarnation: nextIncarnation)
                nextIncarnation += 1
                continue
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30:
                let ranges = leases.lease(to: number, incarnation: worker.incarnation)
                for batch in ranges.joined() {
                    #expect(!workers.values.contains { $0.todo.contains(batch) || $0.unacknowledged.contains(batch) })
                    #expect(applied[batch] == 0, "batch \(batch) is leased although applied, seed \(seed)")
                }
                worker.todo += ranges.joined()
            case 30..<70:
                guard !worker.todo.isEmpty else { continue }
                let batch = worker.todo.removeFirst()
                applied[batch] += 1
                appliedSet.insert(contentsOf: batch..<batch + 1)
                worker.unacknowledged.append(batch)
            case 70..<95:
                newlyDone += leases.complete(worker.unacknowledged, by: number, incarnation: worker.incarnation)
                // The same news may come again.
                if Bool.random(using: &random) { worker.unacknowledged = [] }
            case 95..<97:
                newlyDone += leases.complete(worker.unacknowledged, by: number, incarnation: worker.incarnation)
                leases.release(worker: number, incarnation: worker.incarnation)
                workers[number] = nil
                continue
            default:
                guard deaths else { continue }
                let before = leases.doneCount
                leases.worker(number, incarnation: worker.incarnation, died: appliedSet)
                newlyDone += leases.doneCount - before
                #expect(leases.complete(worker.todo, by: number, incarnation: worker.incarnation) == 0)
                workers[number] = nil
                continue
            }
            workers[number] = worker
        }
        #expect(leases.isComplete, "seed \(seed) ends")
        #expect(newlyDone == total && leases.firstUndone() == total)
        #expect(applied.allSatisfy { $0 == 1 }, "seed \(seed) applies every batch exactly once")
    }
}

/// Steele, Lea & Flood 2014: a small generator, so that a seed is a schedule.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
