import Cluster
import Testing

@Suite("The barrier of a synchronous step")
struct SynchronousBarrierTests {
    typealias Action = SynchronousBarrier.Action

    /// Workers 0..<count with incarnation 100 + number, ranked in the order given.
    private static func members(_ numbers: [Int]) -> [(worker: Int, incarnation: UInt64, rank: Int)] {
        numbers.enumerated().map { (worker: $1, incarnation: UInt64(100 + $1), rank: $0) }
    }

    private static func barrier(_ numbers: [Int], nextStep: Int = 0, backup: Int = 0) -> SynchronousBarrier {
        var barrier = SynchronousBarrier(nextStep: nextStep, backup: backup)
        #expect(barrier.setMembers(members(numbers), view: 1) == [])
        return barrier
    }

    private static func part(
        _ worker: Int, token: Int, examples: Int, of total: Int, rank: Int
    ) -> SynchronousBarrier.Contribution {
        .init(
            token: token, examples: examples, weight: total == 0 ? 0 : Double(examples) / Double(total), rank: rank,
            worker: worker, incarnation: UInt64(100 + worker))
    }

    private static func isRefused(_ actions: [Action], _ token: Int, _ words: String) -> Bool {
        guard actions.count == 1, case .refuse(token, let sentence) = actions[0] else { return false }
        return sentence.contains(words)
    }

    @Test("a step closes when all have pushed, by rank and not by arrival, weighted by examples")
    func closes() {
        var barrier = Self.barrier([2, 0, 1])
        #expect(barrier.push(worker: 1, step: 0, examples: 0, token: 10, view: 1) == [.park])
        #expect(barrier.push(worker: 0, step: 0, examples: 1, token: 11, view: 1) == [.park])
        #expect(barrier.awaited == [2])
        let parts = [
            Self.part(2, token: 12, examples: 3, of: 4, rank: 0), Self.part(0, token: 11, examples: 1, of: 4, rank: 1),
            Self.part(1, token: 10, examples: 0, of: 4, rank: 2),
        ]
        #expect(
            barrier.push(worker: 2, step: 0, examples: 3, token: 12, view: 1)
                == [.park, .close(step: 0, contributions: parts, view: 1)])
        #expect(barrier.nextStep == 1 && barrier.awaited == [0, 1, 2])
    }

    @Test("a step without examples closes without weights")
    func empty() {
        var barrier = Self.barrier([0])
        let parts = [Self.part(0, token: 1, examples: 0, of: 0, rank: 0)]
        #expect(
            barrier.push(worker: 0, step: 0, examples: 0, token: 1, view: 1)
                == [.park, .close(step: 0, contributions: parts, view: 1)])
    }

    @Test("a step that nobody can be at yet closes nothing", arguments: [65, 1 << 52])
    func ahead(steps: Int) {
        var barrier = Self.barrier([0], nextStep: 3)
        #expect(
            Self.isRefused(
                barrier.pull(worker: 0, incarnation: 100, step: 3 + steps, token: 1), 1, "step 3 is the next"))
        let push = barrier.push(worker: 0, incarnation: 100, step: 3 + steps, examples: 1, token: 2, view: 1)
        #expect(Self.isRefused(push, 2, "step 3 is the next") && barrier.nextStep == 3)
    }

    @Test("repeats: one that waits is replaced, one that is closed is answered, an older one is refused")
    func repeats() {
        var barrier = Self.barrier([0, 1], nextStep: 7)
        #expect(barrier.push(worker: 0, step: 7, examples: 1, token: 1, view: 1) == [.park])
        #expect(barrier.push(worker: 0, step: 7, examples: 1, token: 2, view: 1) == [.replaceParked(oldToken: 1)])
        #expect(barrier.push(worker: 0, step: 6, examples: 1, token: 3, view: 1) == [.answerCurrent(token: 3)])
        #expect(Self.isRefused(barrier.push(worker: 0, step: 5, examples: 1, token: 4, view: 1), 4, "are closed"))
        #expect(Self.isRefused(barrier.push(worker: 1, step: 7, examples: -1, token: 6), 6, "fewer than 0"))
        #expect(Self.isRefused(barrier.push(worker: 1, step: 7, examples: 1, token: 6), 6, "names no view"))
        let parts = [
            Self.part(0, token: 2, examples: 1, of: 2, rank: 0), Self.part(1, token: 7, examples: 1, of: 2, rank: 1),
        ]
        #expect(
            barrier.push(worker: 1, step: 7, examples: 1, token: 7, view: 1)
                == [.park, .close(step: 7, contributions: parts, view: 1)])
        #expect(barrier.push(worker: 1, step: 7, examples: 1, token: 8, view: 1) == [.answerCurrent(token: 8)])
        var fresh = Self.barrier([0])
        #expect(Self.isRefused(fresh.push(worker: 0, step: -2, examples: 1, token: 1, view: 1), 1, "are closed"))
    }

    @Test("before the first view pushes wait; it closes the step if all are there")
    func firstView() {
        var barrier = SynchronousBarrier(nextStep: 0)
        #expect(barrier.push(worker: 0, step: 0, examples: 2, token: 1, view: 1) == [.park])
        let parts = [Self.part(0, token: 1, examples: 2, of: 2, rank: 0)]
        #expect(barrier.setMembers(Self.members([0]), view: 1) == [.close(step: 0, contributions: parts, view: 1)])
    }

    @Test("a death closes the step with what is there, and the dead's push that came is used")
    func death() {
        var barrier = Self.barrier([0, 1, 2])
        #expect(barrier.push(worker: 0, step: 0, examples: 1, token: 1, view: 1) == [.park])
        #expect(barrier.setMembers(Self.members([1, 2]), view: 2) == [])
        #expect(barrier.push(worker: 2, step: 0, examples: 3, token: 2, view: 1) == [.park])
        let parts = [
            Self.part(0, token: 1, examples: 1, of: 4, rank: 0), Self.part(2, token: 2, examples: 3, of: 4, rank: 2),
        ]
        #expect(barrier.setMembers(Self.members([2]), view: 3) == [.close(step: 0, contributions: parts, view: 3)])
        #expect(barrier.missed == [MissedPart(step: 0, view: 1, count: 3, incarnation: 101, rank: 1)])
        #expect(barrier.setMembers(Self.members([0, 1, 2]), view: 2) == [], "an older view")
        let late = barrier.push(worker: 1, step: 0, examples: 1, token: 3, view: 1)
        #expect(Self.isRefused(late, 3, "worker 1 was declared dead"))
        let last = [Self.part(2, token: 4, examples: 3, of: 3, rank: 0)]
        #expect(
            barrier.push(worker: 2, step: 1, examples: 3, token: 4, view: 3)
                == [.park, .close(step: 1, contributions: last, view: 3)])
    }

    @Test("a newcomer is awaited from the next step on, and may wait for it with an empty push")
    func join() {
        var barrier = Self.barrier([0])
        #expect(barrier.setMembers(Self.members([0, 1]), view: 2) == [])
        #expect(barrier.push(worker: 1, step: 0, examples: 0, token: 2) == [.park])
        let parts = [
            Self.part(0, token: 3, examples: 4, of: 4, rank: 0), Self.part(1, token: 2, examples: 0, of: 4, rank: 2),
        ]
        #expect(
            barrier.push(worker: 0, step: 0, examples: 4, token: 3, view: 1)
                == [.park, .close(step: 0, contributions: parts, view: 2)])
        #expect(barrier.awaited == [0, 1])
        // Its request was repeated on the way; it has pushed its part of the next step by now.
        #expect(barrier.push(worker: 1, step: 1, examples: 2, token: 4, view: 2) == [.park])
        #expect(barrier.push(worker: 1, step: 1, examples: 0, token: 5) == [.answerCurrent(token: 5)])
        let next = [
            Self.part(0, token: 6, examples: 2, of: 4, rank: 0), Self.part(1, token: 4, examples: 2, of: 4, rank: 1),
        ]
        #expect(
            barrier.push(worker: 0, step: 1, examples: 2, token: 6, view: 2)
                == [.park, .close(step: 1, contributions: next, view: 2)])
    }

    @Test("one who waits for a step that is to be divided with it is told so")
    func told() {
        var barrier = Self.barrier([0])
        #expect(barrier.setMembers(Self.members([0, 1]), view: 2) == [])
        #expect(barrier.push(worker: 1, step: 0, examples: 0, token: 1) == [.park])
        #expect(barrier.push(worker: 0, step: 0, examples: 2, token: 2, view: 2) == [.park, .answerCurrent(token: 1)])
        #expect(barrier.stepView == 2 && barrier.awaited == [1])
    }

    @Test("a push of a step that is not open yet waits for it")
    func early() {
        var barrier = Self.barrier([0])
        #expect(barrier.setMembers(Self.members([0, 1]), view: 2) == [])
        #expect(barrier.push(worker: 1, step: 1, examples: 1, token: 1, view: 2) == [.park])
        let first = [Self.part(0, token: 2, examples: 2, of: 2, rank: 0)]
        #expect(
            barrier.push(worker: 0, step: 0, examples: 2, token: 2, view: 1)
                == [.park, .close(step: 0, contributions: first, view: 2)])
        let second = [
            Self.part(0, token: 3, examples: 1, of: 2, rank: 0), Self.part(1, token: 1, examples: 1, of: 2, rank: 1),
        ]
        #expect(
            barrier.push(worker: 0, step: 1, examples: 1, token: 3, view: 2)
                == [.park, .close(step: 1, contributions: second, view: 2)])
    }

    @Test("a shard that hears of a view before the lead divides the step by the lead's")
    func aheadOfArbiter() {
        var barrier = Self.barrier([0, 1])
        #expect(barrier.setMembers(Self.members([0, 1, 2]), view: 2) == [])
        for step in 0...1 {
            #expect(barrier.push(worker: 0, step: step, examples: 1, token: 1, view: 1) == [.park])
            let actions = barrier.push(worker: 1, step: step, examples: 1, token: 2, view: 1)
            #expect(actions.count == 2, "worker 2 isn't awaited in step \(step)")
        }
        #expect(barrier.push(worker: 0, step: 2, examples: 1, token: 1, view: 2) == [.park])
        #expect(
            Self.isRefused(
                barrier.push(worker: 1, step: 2, examples: 1, token: 2, view: 1), 2,
                "divided step 2 by view 1, others by view 2"))
    }

    @Test(
        "a shard that hears of a view after the lead waits for it, or for the next if it was skipped",
        arguments: [2, 3])
    func behindArbiter(view: UInt64) {
        var barrier = Self.barrier([0, 1])
        #expect(barrier.push(worker: 0, step: 0, examples: 1, token: 1, view: 2) == [.park])
        #expect(barrier.push(worker: 1, step: 0, examples: 1, token: 2, view: 2) == [.park])
        #expect(barrier.setMembers(Self.members([0, 1, 2]), view: view) == [])
        let actions = barrier.push(worker: 2, step: 0, examples: 2, token: 3, view: 2)
        let parts = [
            Self.part(0, token: 1, examples: 1, of: 4, rank: 0), Self.part(1, token: 2, examples: 1, of: 4, rank: 1),
            Self.part(2, token: 3, examples: 2, of: 4, rank: 2),
        ]
        #expect(actions == [.park, .close(step: 0, contributions: parts, view: view)])
    }

    @Test("when all members die with nothing pushed, the step is the newcomers'")
    func allDead() {
        var barrier = Self.barrier([0])
        #expect(barrier.setMembers([], view: 2) == [])
        #expect(barrier.setMembers(Self.members([1]), view: 3) == [])
        #expect(
            barrier.push(worker: 1, step: 0, examples: 0, token: 9) == [.park, .answerCurrent(token: 9)],
            "it waited for those that are dead")
        let parts = [Self.part(1, token: 1, examples: 2, of: 2, rank: 0)]
        #expect(
            barrier.push(worker: 1, step: 0, examples: 2, token: 1, view: 3)
                == [.park, .close(step: 0, contributions: parts, view: 3)])
    }

    @Test("a worker that leaves is waited for in steps that older views divide, in none after them, and then refused")
    func leaving() {
        var barrier = Self.barrier([0, 1])
        let leaver = WorkerIdentity(worker: 1, incarnation: 101)
        #expect(barrier.push(worker: 0, step: 0, examples: 1, token: 1, view: 1) == [.park])
        #expect(barrier.setMembers(Self.members([0]), leaving: [leaver], view: 2) == [])
        #expect(barrier.awaited == [1])
        let both = [
            Self.part(0, token: 1, examples: 1, of: 2, rank: 0), Self.part(1, token: 2, examples: 1, of: 2, rank: 1),
        ]
        #expect(
            barrier.push(worker: 1, step: 0, examples: 1, token: 2, view: 1)
                == [.park, .close(step: 0, contributions: both, view: 2)])
        for step in 1...3 {
            let own = [Self.part(0, token: 2 + step, examples: 2, of: 2, rank: 0)]
            #expect(
                barrier.push(worker: 0, step: step, examples: 2, token: 2 + step, view: 2)
                    == [.park, .close(step: step, contributions: own, view: 2)])
        }
        // The answer to its last push was lost.
        #expect(barrier.push(worker: 1, step: 0, examples: 1, token: 9, view: 1) == [.answerCurrent(token: 9)])
        #expect(barrier.setMembers(Self.members([0]), view: 3) == [])
        #expect(
            Self.isRefused(barrier.push(worker: 1, step: 4, examples: 1, token: 10, view: 1), 10, "was declared dead"))
    }

    @Test(
        "a shard that heard of a leaver before the lead did waits for its part of a step that an older view divides"
    )
    func leavingElsewhere() {
        var barrier = Self.barrier([1])
        let leaver = WorkerIdentity(worker: 1, incarnation: 101)
        // Worker 0 joins, and wants the values that the lead has after step 0, in which worker 1 had all.
        #expect(barrier.setMembers(Self.members([0]), leaving: [leaver], view: 2) == [])
        let first = [Self.part(1, token: 1, examples: 2, of: 2, rank: 0)]
        #expect(
            barrier.push(worker: 1, step: 0, examples: 2, token: 1, view: 1)
                == [.park, .close(step: 0, contributions: first, view: 2)])
        #expect(barrier.pull(worker: 0, incarnation: 100, step: 2, token: 2) == [.park])
        #expect(barrier.awaited == [1])
        let second = [Self.part(1, token: 3, examples: 2, of: 2, rank: 0)]
        #expect(
            barrier.push(worker: 1, step: 1, examples: 2, token: 3, view: 1) == [
                .park, .close(step: 1, contributions: second, view: 2), .answerCurrent(token: 2),
            ])
    }

    @Test("with backup workers a step closes with the first gradients, by rank; the others' are too late")
    func backup() {
        var barrier = Self.barrier([0, 1, 2], backup: 1)
        #expect(barrier.push(worker: 2, step: 0, examples: 2, token: 1, view: 1) == [.park])
        let parts = [
            Self.part(0, token: 2, examples: 2, of: 4, rank: 0), Self.part(2, token: 1, examples: 2, of: 4, rank: 2),
        ]
        #expect(
            barrier.push(worker: 0, step: 0, examples: 2, token: 2, view: 1)
                == [.park, .close(step: 0, contributions: parts, view: 1)])
        #expect(barrier.push(worker: 1, step: 0, examples: 2, token: 3, view: 1) == [.answerCurrent(token: 3)])
    }

    @Test("a death shrinks a quorum with backup workers at once, and one gradient is always waited for")
    func backupDeaths() {
        var barrier = Self.barrier([0, 1, 2, 3], backup: 2)
        #expect(barrier.push(worker: 0, step: 0, examples: 1, token: 1, view: 1) == [.park])
        let parts = [Self.part(0, token: 1, examples: 1, of: 1, rank: 0)]
        #expect(
            barrier.setMembers(Self.members([0, 1, 2]), view: 2) == [.close(step: 0, contributions: parts, view: 2)])
        #expect(barrier.setMembers(Self.members([1]), view: 3) == [])
        #expect(barrier.awaited == [1])
        let last = [Self.part(1, token: 2, examples: 1, of: 1, rank: 1)]
        #expect(
            barrier.push(worker: 1, step: 1, examples: 1, token: 2, view: 2)
                == [.park, .close(step: 1, contributions: last, view: 3)])
    }

    @Test("with backup workers a step that all who live have passed closes with nothing")
    func passed() {
        var barrier = Self.barrier([0, 1, 2], backup: 1)
        // Elsewhere 0 and 1 closed step 0, and 2 came too late; then they died before their pushes were here.
        #expect(barrier.push(worker: 2, step: 1, examples: 1, token: 1, view: 2) == [.park])
        let parts = [Self.part(2, token: 1, examples: 1, of: 1, rank: 0)]
        #expect(
            barrier.setMembers(Self.members([2]), view: 2) == [
                .close(step: 0, contributions: [], view: 2), .close(step: 1, contributions: parts, view: 2),
            ])
    }
}

extension SynchronousBarrier {
    /// A push of the worker whose incarnation is 100 + its number.
    mutating func push(worker: Int, step: Int, examples: Int, token: Int, view: UInt64? = nil) -> [Action] {
        push(
            worker: worker, incarnation: UInt64(100 + worker), step: step, examples: examples, token: token, view: view)
    }
}
