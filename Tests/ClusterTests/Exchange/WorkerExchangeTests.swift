import Cluster
import Testing

@Suite("A worker's exchange with its shards")
struct WorkerExchangeTests {
    private static let me = WorkerIdentity(worker: 0, incarnation: 1)

    private static func exchange(
        _ consistency: JobConfig.Cluster.Consistency, _ count: Int = 3, bytes: Int = 0, window: Int = 0,
        embeddings: Set<Int> = []
    ) -> WorkerExchange {
        WorkerExchange(
            consistency,
            shards: (0..<count).map {
                .init(pushBytes: bytes, valueBytes: bytes, isEmbeddingTable: embeddings.contains($0))
            }, lead: 1, window: window)
    }

    private static func push(_ step: Int, examples: Int = 2) -> GradientPush {
        GradientPush(step: step, batch: step, examples: examples, basis: .view(1))
    }

    private static func open(_ step: Int) -> OpenStep { OpenStep(step: step, view: 1, members: [me]) }

    /// Shards of the requests that leave now.
    private static func send(_ exchange: inout WorkerExchange) -> [WorkerExchange.Outgoing] {
        var sent: [WorkerExchange.Outgoing] = []
        while let outgoing = exchange.next() { sent.append(outgoing) }
        return sent
    }

    private static func answer(
        _ exchange: inout WorkerExchange, _ sent: [WorkerExchange.Outgoing], _ reply: ExchangeReply
    ) {
        for outgoing in sent { exchange.take(reply, from: outgoing.shard, sequence: outgoing.sequence) }
    }

    @Test("a synchronous pull asks the lead shard, and then the others for the values of its open step")
    func pull() {
        var exchange = Self.exchange(.sync)
        exchange.pull(pauses: 0)
        let first = Self.send(&exchange)
        #expect(first.map(\.shard) == [1] && first[0].request == .pull(pauses: 0, clock: nil))
        Self.answer(&exchange, first, .values(.open(Self.open(4))))
        let second = Self.send(&exchange)
        #expect(second.map(\.shard) == [0, 2])
        #expect(second.allSatisfy { $0.request == .close(ClosedStep(step: 3, members: [Self.me])) })
        Self.answer(&exchange, second, .values(.updates(4)))
        #expect(exchange.isSettled && exchange.outcome.open == Self.open(4))
    }

    @Test("the push to the lead shard leaves last, when the others are held, and its answer closes the step at them")
    func leadIsLast() {
        var exchange = Self.exchange(.sync)
        _ = exchange.begin(Self.push(0))
        exchange.hand(over: 1)
        #expect(Self.send(&exchange).isEmpty, "the others' gradients are not final")
        exchange.hand(over: 0)
        let first = Self.send(&exchange)
        exchange.finish()
        let second = Self.send(&exchange)
        #expect(first.map(\.shard) == [0] && second.map(\.shard) == [2])
        Self.answer(&exchange, first, .held)
        #expect(Self.send(&exchange).isEmpty)
        Self.answer(&exchange, second, .held)
        let lead = Self.send(&exchange)
        #expect(lead.map(\.shard) == [1] && lead[0].request == .push(Self.push(0)))
        Self.answer(&exchange, lead, .values(.open(Self.open(1))))
        #expect(Self.send(&exchange).map(\.shard) == [0, 2] && !exchange.isSettled(0) && exchange.isSettled(1))
    }

    @Test("a worker without examples pushes to the lead shard alone, and embedding tables answer their own pushes")
    func emptyAndEmbeddings() {
        var empty = Self.exchange(.sync)
        _ = empty.begin(Self.push(0, examples: 0))
        empty.finish()
        let only = Self.send(&empty)
        #expect(only.map(\.shard) == [1])
        Self.answer(&empty, only, .values(.open(Self.open(1))))
        #expect(Self.send(&empty).map(\.shard) == [0, 2])

        var exchange = Self.exchange(.synchronous(backup: 0, asynchronousTables: true), embeddings: [2])
        _ = exchange.begin(Self.push(0))
        exchange.finish()
        let others = Self.send(&exchange)
        Self.answer(&exchange, Array(others.prefix(1)), .held)
        Self.answer(&exchange, Array(others.suffix(1)), .values(.updates(1)))
        Self.answer(&exchange, Self.send(&exchange), .values(.open(Self.open(1))))
        #expect(Self.send(&exchange).map(\.shard) == [0], "the table has sent its values")
    }

    @Test("a request that fails is sent again as it was, under a new number; an answer to the old one is not taken")
    func retries() {
        var exchange = Self.exchange(.async, 1)
        _ = exchange.begin(Self.push(0))
        exchange.finish()
        let first = Self.send(&exchange)[0]
        #expect(exchange.next() == nil)
        let failed = exchange.fail(0, sequence: first.sequence)
        let again = Self.send(&exchange)
        #expect(failed && again.count == 1 && again[0].request == first.request && again[0].isRepeat)
        #expect(again[0].sequence > first.sequence)
        let old = exchange.take(.values(.updates(1)), from: 0, sequence: first.sequence)
        let new = exchange.take(.values(.updates(1)), from: 0, sequence: again[0].sequence)
        #expect(!old && new && exchange.isSettled)
    }

    @Test("a push that has to wait is asked for without its bytes")
    func waiting() {
        var exchange = Self.exchange(.bounded(staleness: 0), 2)
        _ = exchange.begin(GradientPush(step: 3, batch: 9, examples: 1, basis: .clock(3)))
        exchange.finish()
        let sent = Self.send(&exchange)
        exchange.take(.waiting("worker 1"), from: 1, sequence: sent[1].sequence)
        let again = Self.send(&exchange)
        #expect(again.count == 1 && again[0].request == .await(step: 3) && again[0].shard == 1)
    }

    @Test("under bounded staleness the lead shard gives the clock, and the others hear it")
    func clocks() {
        var exchange = Self.exchange(.bounded(staleness: 1))
        exchange.pull(pauses: 2)
        let first = Self.send(&exchange)
        Self.answer(&exchange, first, .values(.clock(5, updates: 30)))
        let second = Self.send(&exchange)
        #expect(first.map(\.shard) == [1] && second.map(\.shard) == [0, 2])
        #expect(second.allSatisfy { $0.request == .pull(pauses: 2, clock: 5) })
        #expect(exchange.outcome.clock == 5)
    }

    @Test(
        "no more bytes are under way than the window has, but always one request",
        arguments: [(5, 1), (10, 1), (25, 2)])
    func window(window: Int, count: Int) {
        var exchange = Self.exchange(.async, 3, bytes: 10, window: window)
        exchange.pull(pauses: 0)
        let first = Self.send(&exchange)
        #expect(first.count == count && exchange.underWay == first.map(\.shard))
        Self.answer(&exchange, [first[0]], .values(.updates(0)))
        #expect(Self.send(&exchange).count == 1)
    }

    @Test("a pipelined worker computes with the values of one buffer while the other fills")
    func buffers() {
        var exchange = Self.exchange(.asynchronous(isPipelined: true), 1)
        func step(_ number: Int) -> (WorkerExchange.BufferChange, WorkerExchange.Outgoing?) {
            let change = exchange.begin(
                GradientPush(step: number, batch: number, examples: 1, basis: .updates(0)))
            exchange.finish()
            return (change, Self.send(&exchange).first)
        }
        let first = step(0)
        #expect(first.0 == .copy && first.1?.buffer == 0)
        let second = step(1)
        #expect(second.0 == .turn && second.1 == nil, "the first is not answered yet")
        exchange.take(.values(.updates(7)), from: 0, sequence: first.1?.sequence ?? 0)
        let sent = Self.send(&exchange)
        #expect(sent.first?.buffer == 1)
        // Its gradient was computed from values that lack the first update.
        #expect(sent.first?.request == .push(GradientPush(step: 1, batch: 1, examples: 1, basis: .updates(0))))
        exchange.take(.values(.updates(9)), from: 0, sequence: sent[0].sequence)
        let third = step(2)
        #expect(third.0 == .copy && exchange.buffer == 1)
    }

    @Test("the answer to a closed step says which parts it lacks, unless later steps are closed too")
    func absentParts() {
        let view = ClusterView(
            number: 1, phase: .training,
            workers: (0..<3).map { .init(number: $0, rank: $0, incarnation: UInt64($0 + 1)) })
        var exchange = Self.exchange(.sync, 2)
        _ = exchange.begin(Self.push(4, examples: 0))
        exchange.finish()
        Self.answer(&exchange, Self.send(&exchange), .values(.open(Self.open(5))))
        let absent = [1, 2].map { AbsentPart(step: 4, rank: $0, parts: 3) }
        #expect(exchange.outcome.absentParts(ofStep: 4, dividedBy: view) == absent)
        #expect(exchange.outcome.absentParts(ofStep: 3, dividedBy: view) == nil)
    }
}
