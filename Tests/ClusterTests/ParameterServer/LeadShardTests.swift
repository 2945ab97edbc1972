import Cluster
import Testing

@Suite("The lead shard of a synchronous job")
struct LeadShardTests {
    typealias F = ShardFixture

    @Test(
        "a step closes when all members have pushed, and adds up by rank, whoever came first", arguments: [false, true])
    func closes(isReversed: Bool) {
        var state = ShardState(.lead(backup: 0), workers: [4, 2])
        let order = isReversed ? [2, 4] : [4, 2]
        #expect(state.push(order[0], step: 0, .view(1), examples: order[0] == 4 ? 3 : 1, token: order[0]).isEmpty)
        #expect(state.awaited(by: 0) == [order[1]])
        let closing = state.push(order[1], step: 0, .view(1), examples: order[1] == 4 ? 3 : 1, token: order[1])
        #expect(
            closing == [
                F.update(0, [(4, 0.75), (2, 0.25)]), F.open(4, step: 1, view: 1, [4, 2]),
                F.open(2, step: 1, view: 1, [4, 2]),
            ])
        #expect(state.steps == 1 && state.closing == LeadReport(steps: 1, members: [4, 2].map(F.worker)))
        // Its answer was lost.
        #expect(state.push(4, step: 0, .view(1), token: 9) == [F.open(9, step: 1, view: 1, [4, 2])])
    }

    @Test("a worker that dies before its push is not waited for, and its part is absent; one that dies after it counts")
    func deaths() {
        var state = ShardState(.lead(backup: 0), workers: [0, 1, 2])
        _ = state.push(1, step: 0, .view(1), token: 1)
        #expect(state.act(on: F.view(2, [0, 2])) == [])
        _ = state.push(0, step: 0, .view(1), token: 0)
        #expect(state.act(on: F.view(3, [0])).first == F.update(0, [(0, 0.5), (1, 0.5)]))
        #expect(state.closing?.absent == [AbsentPart(step: 0, rank: 2, parts: 3)])
        #expect(state.closing?.members == [0, 1].map(F.worker))
        #expect(F.refusal(state.push(2, step: 0, .view(1), token: 5))?.contains("declared dead") == true)
    }

    @Test("joins and leaves take effect with the next step; a newcomer waits for the step's end")
    func newcomers() {
        var state = ShardState(.lead(backup: 0), workers: [0])
        #expect(state.act(on: F.view(2, [1], leaving: [0])) == [])
        #expect(state.ask(.pull(pauses: 0, clock: nil), 1, token: 1) == [F.open(1, step: 0, view: 1)])
        #expect(state.ask(.await(step: 0), 1, token: 2).isEmpty)
        let closing = state.push(0, step: 0, .view(1), token: 3)
        #expect(closing == [F.update(0, [(3, 1)]), F.open(3, step: 1, view: 2, [0]), F.open(2, step: 1, view: 2, [0])])
        #expect(F.refusal(state.push(0, step: 1, .view(1), token: 4))?.contains("view 2 divides it") == true)
        #expect(state.push(1, step: 1, .view(2), token: 5).first == F.update(1, [(5, 1)]))
    }

    @Test("with all members dead and nothing of theirs here, the step is for the workers of the newest view")
    func allDead() {
        var state = ShardState(.lead(backup: 0), workers: [0, 1])
        #expect(state.ask(.await(step: 0), 2, token: 1).isEmpty)
        #expect(state.act(on: F.view(2, [2])) == [F.open(1, step: 0, view: 2)])
        #expect(state.push(2, step: 0, .view(2), token: 2).first == F.update(0, [(2, 1)]))
        #expect(state.closing?.absent == [])
        // With a part of a dead member here, the step closes with that.
        _ = state.act(on: F.view(3, [3, 4]))
        #expect(state.push(3, step: 1, .view(3), token: 3).isEmpty)
        #expect(state.act(on: F.view(4, [5])).first == F.update(1, [(3, 1)]))
        #expect(state.closing?.absent == [AbsentPart(step: 1, rank: 1, parts: 2)])
    }

    @Test("a pull before the first view waits for it")
    func beforeViews() {
        var state = ShardState(.lead(backup: 0), done: RangeSet(0..<7))
        #expect(state.ask(.pull(pauses: 0, clock: nil), 0, token: 1).isEmpty)
        #expect(state.act(on: F.view(1, [0])) == [F.open(1, step: 7, view: 1)])
    }

    @Test("a push that waits is asked for again without its bytes, or takes the place of the one before")
    func repeats() {
        var state = ShardState(.lead(backup: 0), workers: [0, 1])
        _ = state.push(0, step: 0, .view(1), token: 1)
        #expect(state.ask(.await(step: 0), 0, token: 2) == [.renew(token: 1, by: 2)])
        #expect(state.push(0, step: 0, .view(1), token: 3) == [.drop(token: 1)])
        #expect(state.push(1, step: 0, .view(1), token: 4).first == F.update(0, [(3, 0.5), (4, 0.5)]))
        #expect(F.refusal(state.push(1, step: 7, .view(1), token: 5))?.contains("step 1 is open") == true)
    }

    @Test("one part that is not finite leaves out the whole step, and no later one", arguments: [0, 1])
    func void(broken: Int) {
        var state = ShardState(.lead(backup: 0), workers: [0, 1])
        _ = state.push(0, step: 0, .view(1), isVoid: broken == 0, token: 0)
        #expect(state.push(1, step: 0, .view(1), isVoid: broken == 1, token: 1).first == F.update(0, []))
        #expect(state.ledger.record.total.dropped == [.notFinite: 2] && state.ledger.examples == 4)
        // The tokens come again.
        _ = state.push(0, step: 1, .view(1), token: 0)
        #expect(state.push(1, step: 1, .view(1), token: 1).first == F.update(1, [(0, 0.5), (1, 0.5)]))
    }

    @Test("with backup workers a late gradient is dropped and counted once, and its worker goes on with the others")
    func backup() {
        var state = ShardState(.lead(backup: 1), workers: [0, 1])
        #expect(
            state.push(0, step: 0, .view(1), token: 1) == [F.update(0, [(1, 1)]), F.open(1, step: 1, view: 1, [0])])
        let late = ExchangeReply.late(OpenStep(step: 1, view: 1, members: [F.worker(0)]))
        for token in 2...3 { #expect(state.push(1, step: 0, .view(1), token: token) == [.answer(token: token, late)]) }
        // The repeat of one that is in is not late.
        #expect(state.push(0, step: 0, .view(1), token: 4) == [F.open(4, step: 1, view: 1, [0])])
        #expect(state.ledger.record.workers[1]?.dropped == [.late: 1] && state.ledger.record.workers[1]?.applied == 0)
        #expect(state.push(1, step: 1, .view(1), token: 5).first == F.update(1, [(5, 1)]))
        #expect(state.closing?.absent == [])
    }

    @Test("a worker without examples takes part, and is no member", arguments: [0, 2])
    func empty(examples: Int) {
        var state = ShardState(.lead(backup: 0), workers: [0, 1])
        _ = state.push(0, step: 0, .view(1), examples: 0, token: 0)
        let closing = state.push(1, step: 0, .view(1), examples: examples, token: 1)
        let members = examples == 0 ? [] : [1]
        #expect(closing.first == F.update(0, examples == 0 ? [] : [(1, 1)]))
        #expect(closing.dropFirst() == [F.open(0, step: 1, view: 1, members), F.open(1, step: 1, view: 1, members)])
    }

    @Test("no step closes while the job is closed or saved", arguments: [Phase.closing, .saving])
    func phases(phase: Phase) {
        var state = ShardState(.lead(backup: 0), workers: [0])
        _ = state.act(on: F.view(2, [0], phase: phase))
        #expect(state.push(0, step: 0, .view(1), token: 1).isEmpty && state.steps == 0)
    }

    @Test("checkpoints are saved when their step closes")
    func saving() {
        var state = ShardState(.lead(backup: 0), saving: CheckpointSchedule(everySteps: 2, last: 0))
        _ = state.act(on: F.view(1, [0]))
        #expect(!state.push(0, step: 0, .view(1), token: 1).contains(.save(step: 1)))
        #expect(state.push(0, step: 1, .view(1), token: 2).contains(.save(step: 2)))
        #expect(state.appliedBatches(atStep: 2) == RangeSet(0..<2))
    }
}
