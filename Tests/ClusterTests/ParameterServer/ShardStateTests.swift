import Cluster
import Testing

@Suite("What a shard of an asynchronous job decides")
struct ShardStateTests {
    typealias F = ShardFixture

    @Test("a push is applied and answered when it comes, its repeat only answered; the departed are refused")
    func asynchronous() {
        var state = ShardState(.asynchronous, workers: [0, 1])
        #expect(state.ask(.pull(pauses: 0, clock: nil), 0, token: 1) == [F.values(1, 0)])
        let first = state.push(0, step: 0, batch: 4, .updates(0), token: 2)
        #expect(first == [F.update(0, batch: 4, [(2, 1)]), F.values(2, 1)])
        #expect(state.push(0, step: 0, batch: 4, .updates(0), token: 3) == [F.values(3, 1)])
        _ = state.act(on: F.view(2, [1]))
        let reason = F.refusal(state.push(0, step: 1, batch: 5, .updates(1), token: 4))
        #expect(reason?.contains("worker 0 was declared dead") == true)
        #expect(state.ledger.record.workers[0]?.dropped == [.dead: 1])
        #expect(state.appliedBatches(atStep: 9) == RangeSet(4..<5))
    }

    @Test("a push as in a job of another consistency is refused")
    func otherBasis() {
        for (rule, basis) in [
            (.asynchronous, .view(1)), (.bounded(staleness: 1), .updates(0)), (.lead(backup: 0), .clock(0)),
            (.holding, .updates(0)), (.embeddings(batch: 4), .clock(0)),
        ] as [(ShardState.Rule, GradientPush.Basis)] {
            var state = ShardState(rule, workers: [0])
            #expect(F.refusal(state.push(0, step: 0, basis, token: 1))?.contains("another consistency") == true)
        }
    }

    @Test("a push without gradients, for they were not finite, counts but changes nothing")
    func void() {
        var state = ShardState(.asynchronous, workers: [0, 1])
        let first = state.push(0, step: 0, batch: 4, .updates(0), isVoid: true, token: 2)
        #expect(first == [F.update(0, batch: 4, []), F.values(2, 1)])
        #expect(state.ledger.appliedBatches.contains(4) && state.steps == 1)
        #expect(state.ledger.record.total.dropped == [.notFinite: 1] && state.ledger.record.total.applied == 0)
        #expect(state.push(0, step: 0, batch: 4, .updates(0), isVoid: true, token: 3) == [F.values(3, 1)])
    }

    @Test("a gradient is divided by its staleness where that is asked for")
    func stalenessScaling() {
        var state = ShardState(.asynchronous, scalesByStaleness: true)
        for step in 0..<4 {
            #expect(state.push(0, step: step, .updates(step), token: 10).first == F.update(step, [(10, 1)]))
        }
        #expect(state.push(1, step: 0, batch: 4, .updates(0), token: 11).first == F.update(0, batch: 4, [(11, 0.25)]))
    }

    @Test("an asynchronous push says which values its gradient is of: its staleness is counted from there")
    func basis() {
        var state = ShardState(.asynchronous)
        // Worker 0 is pipelined: each gradient lacks the update before; worker 1 says what cannot be.
        for step in 0..<3 { _ = state.push(0, step: step, .updates(max(step - 1, 0)), token: 10) }
        _ = state.push(1, step: 0, batch: 9, .updates(1 << 52), token: 11)
        let workers = state.ledger.record.workers
        #expect(workers[0]?.stalenessSum == 2 && workers[0]?.stalenessMax == 1)
        #expect(workers[1]?.stalenessSum == 0)
    }

    @Test("bounded staleness: a reply waits until nobody who trains is further behind", arguments: [0, 1, 3])
    func bounded(staleness: Int) {
        var state = ShardState(.bounded(staleness: staleness), workers: [0, 1])
        for worker in 0..<2 {
            let answer = state.ask(.pull(pauses: 0, clock: nil), worker, token: worker)
            #expect(answer == [.answer(token: worker, .values(.clock(0, updates: 0)))])
        }
        for step in 0..<staleness {
            #expect(state.push(0, step: step, .clock(step), token: 10).last == F.values(10, step + 1))
        }
        let held = state.push(0, step: staleness, .clock(staleness), token: 20)
        #expect(held == [F.update(staleness, [(20, 1)])])
        #expect(state.awaited(by: 20) == [1])
        #expect(
            state.push(1, step: 0, batch: 90, .clock(0), token: 21) == [
                F.update(0, batch: 90, [(21, 1)]), F.values(20, staleness + 2), F.values(21, staleness + 2),
            ])
    }

    @Test("a worker that dies, leaves or has no batches is not waited for; one that comes starts at the present clock")
    func boundedMembers() {
        var state = ShardState(.bounded(staleness: 0), workers: [0, 1, 2])
        for worker in 0..<3 { _ = state.ask(.pull(pauses: 0, clock: nil), worker, token: worker) }
        _ = state.push(0, step: 0, .clock(0), token: 10)
        #expect(state.awaited(by: 10) == [1, 2])
        #expect(state.act(on: F.view(2, [0, 2])) == [])
        #expect(state.ask(.pause(pauses: 1), 2, token: 11).contains(F.values(10, 1)))
        // A repeat of its first request takes up nobody; its next does, where the others are.
        func clock(_ token: Int, _ clock: Int, updates: Int) -> ShardState.Action {
            .answer(token: token, .values(.clock(clock, updates: updates)))
        }
        #expect(state.ask(.pull(pauses: 0, clock: nil), 2, token: 12) == [clock(12, 1, updates: 1)])
        #expect(state.push(0, step: 1, .clock(1), token: 13).last == F.values(13, 2))
        #expect(state.ask(.pull(pauses: 1, clock: nil), 2, token: 14) == [clock(14, 2, updates: 2)])
        #expect(state.push(0, step: 2, .clock(2), token: 15).count == 1, "it waits for worker 2")
        // A repeat of the pause changes nothing.
        #expect(state.ask(.pause(pauses: 1), 2, token: 16).count == 1)
        #expect(state.awaited(by: 15) == [2])
    }

    @Test("one that waits too long asks again without its bytes")
    func asksAgain() {
        var state = ShardState(.bounded(staleness: 0), workers: [0, 1])
        for worker in 0..<2 { _ = state.ask(.pull(pauses: 0, clock: nil), worker, token: worker) }
        _ = state.push(0, step: 0, .clock(0), token: 2)
        #expect(state.ask(.await(step: 0), 0, token: 3) == [.drop(token: 2)])
        #expect(state.act(on: F.view(2, [0])) == [F.values(3, 1)])
        #expect(state.ask(.await(step: 0), 0, token: 4) == [F.values(4, 1)])
        #expect(F.refusal(state.ask(.await(step: 7), 0, token: 5))?.contains("is not here") == true)
    }

    @Test("an asynchronous shard saves after every so many updates, and at the end")
    func saving() {
        var state = ShardState(.asynchronous, saving: CheckpointSchedule(everySteps: 2, last: 0))
        var saved: [Int] = []
        for step in 0..<5 {
            for case .save(let label) in state.push(0, step: step, .updates(step), token: step) { saved.append(label) }
        }
        var end = F.view(2, [], phase: .saving)
        end.checkpointStep = 5
        #expect(saved == [2, 4] && state.act(on: end) == [.save(step: 5)])
        #expect(state.act(on: end) == [], "a view acts once")
    }
}
