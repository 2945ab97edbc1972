import Cluster
import Testing

@Suite("The other shards of a synchronous job")
struct HoldingShardTests {
    typealias F = ShardFixture

    private static func close(_ step: Int, _ members: [Int]) -> ExchangeRequest {
        .close(ClosedStep(step: step, members: members.map(F.worker)))
    }

    @Test(
        "gradients are held until the step is closed; those of its members are applied in their order, the rest dropped"
    )
    func closes() {
        var state = ShardState(.holding, workers: [0, 1, 2])
        for worker in [2, 0, 1] {
            let answer = state.push(worker, step: 0, .view(1), examples: worker + 1, token: worker)
            #expect(answer == [.answer(token: worker, .held)])
        }
        let closing = state.ask(Self.close(0, [0, 2]), 0, token: 7)
        #expect(
            closing == [
                F.update(0, [(0, 0.25), (2, 0.75)]), .drop(token: 0), .drop(token: 1), .drop(token: 2), F.values(7, 1),
            ])
        #expect(state.steps == 1 && state.ledger.examples == 4)
        #expect(state.ledger.record.workers[1]?.dropped == [.late: 1])
        // Who comes later gets the values.
        #expect(state.ask(Self.close(0, [0, 2]), 2, token: 8) == [F.values(8, 1)])
        #expect(state.ask(Self.close(-1, []), 1, token: 9) == [F.values(9, 1)])
    }

    @Test("a repeat is held once, and a push of a closed step is dropped")
    func repeats() {
        var state = ShardState(.holding, workers: [0])
        _ = state.push(0, step: 0, .view(1), token: 1)
        let again: [ShardState.Action] = [.answer(token: 2, .held), .drop(token: 2)]
        #expect(state.push(0, step: 0, .view(1), token: 2) == again)
        #expect(state.ask(Self.close(0, [0]), 0, token: 3).first == F.update(0, [(1, 1)]))
        let late: [ShardState.Action] = [.answer(token: 4, .held), .drop(token: 4)]
        #expect(state.push(0, step: 0, .view(1), token: 4) == late)
    }

    @Test(
        "what is held of a worker that died stays until the step is closed, with it or without",
        arguments: [[0, 1], [0]])
    func deaths(members: [Int]) {
        var state = ShardState(.holding, workers: [0, 1])
        for worker in 0..<2 { _ = state.push(worker, step: 0, .view(1), token: worker) }
        #expect(state.act(on: F.view(2, [0])) == [])
        #expect(F.refusal(state.ask(Self.close(0, [0, 1]), 1, token: 5))?.contains("declared dead") == true)
        let weight = 1 / Double(members.count)
        #expect(state.ask(Self.close(0, members), 0, token: 6).first == F.update(0, members.map { ($0, weight) }))
        #expect(state.ledger.record.workers[1]?.dropped == (members.count == 1 ? [.dead: 1] : [:]))
    }

    @Test("what cannot be is refused, and changes nothing")
    func refusals() {
        var state = ShardState(.holding, workers: [0, 1])
        #expect(F.refusal(state.push(0, step: 1, .view(1), token: 1))?.contains("step 0 is open") == true)
        _ = state.push(0, step: 0, .view(1), token: 2)
        #expect(F.refusal(state.ask(Self.close(1, [0]), 0, token: 3))?.contains("step 0 is open") == true)
        #expect(F.refusal(state.ask(Self.close(0, [0, 1]), 0, token: 4))?.contains("worker 1") == true)
        #expect(state.ask(Self.close(0, [0]), 0, token: 5).first == F.update(0, [(2, 1)]))
    }

    @Test("one part that is not finite leaves out the step here too")
    func void() {
        var state = ShardState(.holding, workers: [0, 1])
        _ = state.push(0, step: 0, .view(1), isVoid: true, token: 0)
        _ = state.push(1, step: 0, .view(1), token: 1)
        #expect(state.ask(Self.close(0, [0, 1]), 0, token: 2).first == F.update(0, []))
    }

    @Test("the view of the last checkpoint brings the end of the last step, where nobody lived to")
    func saving() {
        var state = ShardState(.holding, workers: [0])
        _ = state.push(0, step: 0, .view(1), token: 1)
        var view = F.view(2, [], phase: .saving)
        (view.checkpointStep, view.closed) = (1, ClosedStep(step: 0, members: [F.worker(0)]))
        #expect(state.act(on: view) == [F.update(0, [(1, 1)]), .drop(token: 1), .save(step: 1)])
        var other = ShardState(.holding, workers: [0])
        _ = other.push(0, step: 0, .view(1), token: 1)
        view.closed = nil
        #expect(other.act(on: view) == [.save(step: 1)] && other.steps == 0)
    }

    @Test("an embedding table takes each part of a step when it comes, weighted by its share of a batch")
    func embeddings() {
        var state = ShardState(.embeddings(batch: 4), workers: [0, 1])
        #expect(
            state.push(0, step: 0, .view(1), examples: 3, token: 1) == [F.update(0, [(1, 0.75)]), F.values(1, 1)])
        #expect(
            state.push(1, step: 0, .view(1), examples: 1, token: 2) == [F.update(0, [(2, 0.25)]), F.values(2, 1)])
        #expect(state.push(1, step: 0, .view(1), examples: 1, token: 3) == [F.values(3, 1)])
        #expect(state.ask(Self.close(0, [0, 1]), 1, token: 4) == [F.values(4, 1)])
        #expect(state.steps == 1 && state.ledger.updates == 2 && state.ledger.examples == 4)
    }

    @Test("an embedding table is saved before the first part of the next step")
    func embeddingsSaved() {
        var state = ShardState(.embeddings(batch: 4), saving: CheckpointSchedule(everySteps: 1, last: 0))
        _ = state.act(on: F.view(1, [0, 1]))
        #expect(!state.push(0, step: 0, .view(1), token: 1).contains(.save(step: 1)))
        #expect(state.push(0, step: 1, .view(1), token: 2).first == .save(step: 1))
        #expect(!state.push(1, step: 1, .view(1), token: 3).contains(.save(step: 1)))
    }
}
