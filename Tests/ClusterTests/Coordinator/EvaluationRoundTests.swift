import Cluster
import Testing

@Suite("A round of evaluation")
struct EvaluationRoundTests {
    @Test("held-out batches are divided, and means are over examples")
    func means() {
        var round = EvaluationRound(number: 3, step: 100, batches: 5)
        #expect(round.lease(to: 0, incarnation: 1, count: 2) == 0..<2)
        #expect(round.lease(to: 1, incarnation: 2, count: 2) == 2..<4)
        #expect(round.lease(to: 0, incarnation: 1, count: 2) == 4..<5)
        #expect(round.lease(to: 0, incarnation: 1, count: 2) == nil)
        #expect(!round.isComplete && round.result.meanLoss.isNaN)
        let sums: [(Range<Int>, Int, UInt64, Double, Int)] = [
            (4..<5, 0, 1, 1, 2), (0..<2, 0, 1, 10, 20), (2..<4, 1, 2, 5, 10),
        ]
        for (range, worker, incarnation, loss, examples) in sums {
            let sum = EvaluationSum(loss: loss, metrics: ["accuracy": [loss * 2]], examples: examples)
            #expect(round.complete(range, sum: sum, by: worker, incarnation: incarnation) == true)
        }
        #expect(round.isComplete)
        #expect(round.result == EvaluationSum(loss: 16, metrics: ["accuracy": [32]], examples: 32))
        #expect(round.result.meanLoss == 0.5)
    }

    @Test("sums that come twice, from another, or of a range that isn't leased count nothing")
    func duplicates() {
        var round = EvaluationRound(number: 0, step: 0, batches: 4)
        _ = round.lease(to: 0, incarnation: 1, count: 4)
        let sum = EvaluationSum(loss: 1, examples: 1)
        #expect(round.complete(0..<4, sum: sum, by: 1, incarnation: 1) == false)
        #expect(round.complete(0..<4, sum: sum, by: 0, incarnation: 2) == false)
        #expect(round.complete(0..<3, sum: sum, by: 0, incarnation: 1) == false)
        #expect(round.complete(0..<4, sum: sum, by: 0, incarnation: 1) == true)
        #expect(round.complete(0..<4, sum: sum, by: 0, incarnation: 1) == false)
        #expect(round.result.examples == 1)
    }

    @Test("a round without batches is complete")
    func empty() {
        #expect(EvaluationRound(number: 0, step: 0, batches: 0).isComplete)
    }

    @Test("a worker's death gives back what it held, of the incarnation that died")
    func death() {
        var round = EvaluationRound(number: 0, step: 0, batches: 4)
        _ = round.lease(to: 0, incarnation: 1, count: 2)
        _ = round.lease(to: 0, incarnation: 2, count: 2)
        round.workerDied(0, incarnation: 1)
        #expect(round.complete(0..<2, sum: EvaluationSum(), by: 0, incarnation: 1) == false)
        #expect(round.lease(to: 1, incarnation: 3, count: 2) == 0..<2)
        round.workerDied(0)
        #expect(round.lease(to: 1, incarnation: 3, count: 2) == 2..<4)
    }

    @Test("the result is the same to the last bit whoever evaluates what, and whoever dies")
    func reproducible() {
        let results = Set(
            (0..<200).map { seed in
                var random = SplitMix(seed: UInt64(seed))
                var round = EvaluationRound(number: 0, step: 0, batches: 23)
                var held: [(Range<Int>, Int)] = []
                while !round.isComplete {
                    let worker = Int.random(in: 0..<3, using: &random)
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0:
                        round.workerDied(worker)
                        held.removeAll { $0.1 == worker }
                    case 1..<6:
                        if let range = round.lease(to: worker, incarnation: 0, count: 3) {
                            held.append((range, worker))
                        }
                    default:
                        guard let (range, worker) = held.randomElement(using: &random) else { continue }
                        held.removeAll { $0.0 == range }
                        let loss = range.reduce(0.0) { $0 + 1 / Double($1 + 3) }
                        let sum = EvaluationSum(loss: loss, examples: range.count)
                        #expect(round.complete(range, sum: sum, by: worker, incarnation: 0) == true)
                    }
                }
                #expect(round.result.examples == 23)
                return round.result.loss.bitPattern
            })
        #expect(results.count == 1)
    }
}
