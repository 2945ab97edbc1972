import Cluster
import Testing

@Suite("What a shard decides")
struct ShardStateTests {
    private static func worker(_ number: Int) -> WorkerIdentity {
        WorkerIdentity(worker: number, incarnation: UInt64(100 + number))
    }

    private static func view(_ number: UInt64, _ workers: [Int]) -> ClusterView {
        ClusterView(
            number: number, phase: .training,
            workers: workers.enumerated().map { .init(number: $1, rank: $0, incarnation: UInt64(100 + $1)) })
    }

    private static func push(
        _ worker: Int, step: Int, batch: Int? = nil, clock: UInt64 = 0, examples: Int = 2, token: Int
    ) -> ShardState.Push {
        ShardState.Push(
            holder: self.worker(worker), step: step, batch: batch ?? step, examples: examples, clock: clock,
            token: token)
    }

    private static func update(_ step: Int, batch: Int? = nil, _ parts: [(Int, Double)]) -> ShardState.Action {
        .apply(.init(step: step, batch: batch ?? step, parts: parts.map { (token: $0.0, weight: $0.1) }))
    }

    private static func values(_ token: Int, step: Int, clock: UInt64 = 0) -> ShardState.Action {
        .answer(token: token, .init(kind: .values, step: step, clock: clock))
    }

    private static func refusal(_ actions: [ShardState.Action]) -> String? {
        if actions.count == 1, case .refuse(_, let reason) = actions[0] { reason } else { nil }
    }

    @Test("asynchronous: a push is applied and answered when it comes, its repeat only answered")
    func asynchronous() {
        var state = ShardState(.asynchronous)
        _ = state.act(on: Self.view(1, [0, 1]))
        #expect(state.pull(Self.worker(0), token: 1) == [Self.values(1, step: 0)])
        let push = Self.push(0, step: 0, batch: 4, token: 2)
        #expect(state.push(push) == [Self.update(0, batch: 4, [(2, 1)]), Self.values(2, step: 1)])
        #expect(state.push(Self.push(0, step: 0, batch: 4, token: 3)) == [Self.values(3, step: 1)])
        _ = state.act(on: Self.view(2, [1]))
        let reason = Self.refusal(state.push(Self.push(0, step: 1, batch: 5, token: 4)))
        #expect(reason?.contains("worker 0 was declared dead") == true)
    }

    @Test("a push without gradients, for they were not finite, counts but changes nothing")
    func voidAlone() {
        var state = ShardState(.asynchronous)
        _ = state.act(on: Self.view(1, [0, 1]))
        var push = Self.push(0, step: 0, batch: 4, token: 2)
        push.isVoid = true
        #expect(state.push(push) == [Self.update(0, batch: 4, []), Self.values(2, step: 1)])
        #expect(state.ledger.appliedBatches.contains(4) && state.steps == 1)
        #expect(state.ledger.record.total.dropped == [.notFinite: 1] && state.ledger.record.total.applied == 0)
        push.token = 3
        #expect(state.push(push) == [Self.values(3, step: 1)])
    }

    @Test("one part that is not finite leaves out the whole synchronous step, and no later one", arguments: [0, 1])
    func voidTogether(broken: Int) {
        var state = ShardState(.synchronous(backup: 0))
        _ = state.act(on: Self.view(1, [0, 1]))
        var pushes = (0..<2).map { Self.push($0, step: 0, clock: 1, token: $0) }
        pushes[broken].isVoid = true
        #expect(state.push(pushes[0]).isEmpty)
        #expect(state.push(pushes[1]).first == Self.update(0, []))
        #expect(state.ledger.record.total.dropped == [.notFinite: 2] && state.ledger.examples == 4)
        // The tokens come again.
        for worker in 0..<2 {
            let actions = state.push(Self.push(worker, step: 1, clock: 1, token: worker))
            if worker == 1 { #expect(actions.first == Self.update(1, [(0, 0.5), (1, 0.5)])) }
        }
    }

    @Test("a gradient is divided by its staleness where that is asked for")
    func stalenessScaling() {
        var state = ShardState(.asynchronous, scalesByStaleness: true)
        for worker in 0..<2 { _ = state.pull(Self.worker(worker), token: worker) }
        for step in 0..<4 {
            let actions = state.push(Self.push(0, step: step, clock: UInt64(step), token: 10))
            #expect(actions.first == Self.update(step, [(10, 1)]))
        }
        #expect(state.push(Self.push(1, step: 0, batch: 4, token: 11)).first == Self.update(0, batch: 4, [(11, 0.25)]))
    }

    @Test("an asynchronous push says which values its gradient is of: its staleness is counted from there")
    func basis() {
        var state = ShardState(.asynchronous)
        for worker in 0..<2 { _ = state.pull(Self.worker(worker), token: worker) }
        // Worker 0 is pipelined: each gradient lacks the update before; worker 1 says what cannot be.
        for step in 0..<3 { _ = state.push(Self.push(0, step: step, clock: UInt64(max(step - 1, 0)), token: 10)) }
        _ = state.push(Self.push(1, step: 0, batch: 9, clock: .max, token: 11))
        let workers = state.ledger.record.workers
        #expect(workers[0]?.stalenessSum == 2 && workers[0]?.stalenessMax == 1)
        #expect(workers[1]?.stalenessSum == 0)
    }

    @Test("bounded staleness: a reply waits until nobody who trains is further behind", arguments: [0, 1, 3])
    func bounded(staleness: Int) {
        var state = ShardState(.bounded(staleness: staleness))
        _ = state.act(on: Self.view(1, [0, 1]))
        for worker in 0..<2 {
            #expect(state.pull(Self.worker(worker), token: worker) == [Self.values(worker, step: 0)])
        }
        for step in 0..<staleness {
            let push = Self.push(0, step: step, clock: UInt64(step), token: 10)
            #expect(state.push(push).last == Self.values(10, step: step + 1))
        }
        let held = Self.push(0, step: staleness, clock: UInt64(staleness), token: 20)
        #expect(state.push(held) == [Self.update(staleness, [(20, 1)])])
        #expect(state.awaited(by: 20) == [1])
        #expect(
            state.push(Self.push(1, step: 0, batch: 90, clock: 0, token: 21)) == [
                Self.update(0, batch: 90, [(21, 1)]), Self.values(20, step: staleness + 2),
                Self.values(21, step: staleness + 2),
            ])
    }

    @Test("a worker that dies, leaves or has no batches is not waited for; one that comes starts at the present clock")
    func boundedMembers() {
        var state = ShardState(.bounded(staleness: 0))
        _ = state.act(on: Self.view(1, [0, 1, 2]))
        for worker in 0..<3 { _ = state.pull(Self.worker(worker), token: worker) }
        _ = state.push(Self.push(0, step: 0, clock: 0, token: 10))
        #expect(state.awaited(by: 10) == [1, 2])
        #expect(state.act(on: Self.view(2, [0, 2])) == [])
        let paused = state.pause(Self.worker(2), pauses: 1, token: 11)
        #expect(paused.contains(Self.values(10, step: 1)))
        // A repeat of its first request takes up nobody; its next does, where the others are.
        #expect(state.pull(Self.worker(2), pauses: 0, token: 12) == [Self.values(12, step: 1, clock: 1)])
        #expect(state.push(Self.push(0, step: 1, clock: 1, token: 13)).last == Self.values(13, step: 2))
        #expect(state.pull(Self.worker(2), pauses: 1, token: 14) == [Self.values(14, step: 2, clock: 2)])
        #expect(state.push(Self.push(0, step: 2, clock: 2, token: 15)).count == 1, "it waits for worker 2")
        // A repeat of the pause changes nothing.
        #expect(state.pause(Self.worker(2), pauses: 1, token: 16).count == 1)
        #expect(state.awaited(by: 15) == [2])
    }

    @Test("one that waits too long asks again without its bytes")
    func asksAgain() {
        var bounded = ShardState(.bounded(staleness: 0))
        _ = bounded.act(on: Self.view(1, [0, 1]))
        for worker in 0..<2 { _ = bounded.pull(Self.worker(worker), token: worker) }
        _ = bounded.push(Self.push(0, step: 0, clock: 0, token: 2))
        #expect(bounded.wait(Self.worker(0), step: 0, examples: 2, token: 3) == [.letGo(token: 2)])
        #expect(bounded.act(on: Self.view(2, [0])) == [Self.values(3, step: 1)])
        #expect(bounded.wait(Self.worker(0), step: 0, examples: 2, token: 4) == [Self.values(4, step: 1)])

        var synchronous = ShardState(.synchronous(backup: 0))
        _ = synchronous.act(on: Self.view(1, [0, 1]))
        _ = synchronous.push(Self.push(0, step: 0, clock: 1, token: 2))
        #expect(
            synchronous.wait(Self.worker(0), step: 0, examples: 2, token: 3) == [.renew(token: 2, by: 3)])
        let reason = Self.refusal(synchronous.wait(Self.worker(1), step: 0, examples: 2, token: 4))
        #expect(reason?.contains("is not here") == true)
    }

    @Test("with backup workers a late gradient is dropped and counted once, its worker gets the values and goes on")
    func late() {
        var state = ShardState(.synchronous(backup: 1))
        _ = state.act(on: Self.view(1, [0, 1]))
        #expect(
            state.push(Self.push(0, step: 0, clock: 1, token: 1)) == [
                Self.update(0, [(1, 1)]), Self.values(1, step: 1, clock: 1),
            ])
        let late = ShardState.Reply(kind: .late, step: 1, clock: 1)
        for token in 2...3 {
            #expect(state.push(Self.push(1, step: 0, clock: 1, token: token)) == [.answer(token: token, late)])
        }
        // The repeat of one that is in is no late one.
        #expect(state.push(Self.push(0, step: 0, clock: 1, token: 4)) == [Self.values(4, step: 1, clock: 1)])
        #expect(state.ledger.record.workers[1]?.dropped == [.late: 1] && state.ledger.record.workers[1]?.applied == 0)
        #expect(state.ledger.examples == 2)
        #expect(state.push(Self.push(1, step: 1, clock: 1, token: 5)).count == 2)
    }

    @Test("a table takes each part of a step when it comes, weighted by its part of a batch")
    func table() {
        var state = ShardState(.table(batch: 4))
        _ = state.act(on: Self.view(1, [0, 1]))
        #expect(
            state.push(Self.push(0, step: 0, clock: 1, examples: 3, token: 1))
                == [Self.update(0, [(1, 0.75)]), Self.values(1, step: 1)])
        #expect(
            state.push(Self.push(1, step: 0, clock: 1, examples: 1, token: 2))
                == [Self.update(0, [(2, 0.25)]), Self.values(2, step: 2)])
        #expect(state.push(Self.push(1, step: 0, clock: 1, examples: 1, token: 3)) == [Self.values(3, step: 2)])
        #expect(state.push(Self.push(1, step: 1, clock: 0, examples: 0, token: 4)) == [Self.values(4, step: 2)])
        #expect(state.steps == 1 && state.ledger.updates == 2 && state.ledger.examples == 4)
    }

    @Test("a state that goes on from a checkpoint opens the step after it")
    func resumed() {
        var state = ShardState(.synchronous(backup: 0), done: RangeSet(0..<7))
        _ = state.act(on: Self.view(1, [0]))
        #expect(state.pull(Self.worker(0), token: 1) == [Self.values(1, step: 7, clock: 1)])
        #expect(state.steps == 7)
    }

    @Test("a table tells which parts of the dead it will never have")
    func missedByTable() {
        var state = ShardState(.table(batch: 4))
        _ = state.act(on: Self.view(1, [0, 1]))
        _ = state.act(on: Self.view(2, [0, 1, 2]))
        _ = state.push(Self.push(0, step: 0, clock: 1, token: 1))
        _ = state.push(Self.push(1, step: 0, clock: 1, token: 2))
        #expect(state.settledSteps == RangeSet(0..<1))
        _ = state.push(Self.push(0, step: 1, clock: 2, token: 3))
        _ = state.push(Self.push(2, step: 1, clock: 2, examples: 0, token: 4))
        #expect(state.missed == [] && state.settledSteps == RangeSet(0..<1))
        _ = state.act(on: Self.view(3, [0, 2]))
        #expect(state.missed == [MissedPart(step: 1, view: 2, count: 3, incarnation: 101, rank: 1)])
        #expect(state.settledSteps == RangeSet(0..<2))
        // Another step by the old view, of which a part comes after the death.
        _ = state.push(Self.push(0, step: 2, clock: 2, token: 5))
        #expect(state.absent(before: 3).map(\.rank) == [2], "a part that may still come")
        _ = state.push(Self.push(2, step: 2, clock: 2, token: 6))
        #expect(state.missed.last == MissedPart(step: 2, view: 2, count: 3, incarnation: 101, rank: 1))
        #expect(state.missed.count == 2 && state.settledSteps == RangeSet(0..<3) && state.absent(before: 3) == [])
        // Of a step that nothing is known of, all.
        #expect(state.absent(before: 4) == [MissedPart(step: 3, view: 0, count: 1, incarnation: 0, rank: 0)])
    }

    @Test("what newcomers push of a step that is closed here, and done again elsewhere, is told to be missed")
    func doneAgain() {
        var state = ShardState(.synchronous(backup: 0))
        _ = state.act(on: Self.view(1, [0, 1]))
        _ = state.push(Self.push(0, step: 0, clock: 1, token: 1))
        _ = state.act(on: Self.view(2, [2, 3]))
        let first = MissedPart(step: 0, view: 1, count: 2, incarnation: 101, rank: 1)
        #expect(state.missed == [first] && state.steps == 1)
        #expect(state.push(Self.push(2, step: 0, clock: 2, token: 2)) == [Self.values(2, step: 1, clock: 2)])
        _ = state.push(Self.push(2, step: 0, clock: 2, token: 3))
        // All that they share out among themselves, for who knows whether the other lives to push it.
        let again = [2, 3].map { worker in
            MissedPart(step: 0, view: 2, count: 2, incarnation: UInt64(100 + worker), rank: worker - 2)
        }
        #expect(state.missed == [first] + again)
    }
}
