import Cluster
import Testing

@Suite("Requests about shared memory")
struct RequestOrderTests {
    private static func worker(_ number: Int = 3, incarnation: UInt64 = 7) -> WorkerIdentity {
        WorkerIdentity(worker: number, incarnation: incarnation)
    }

    private static func attached() -> RequestOrder {
        var order = RequestOrder()
        _ = order.attach(worker(), sequence: 1)
        return order
    }

    /// Which of the requests of a worker are taken, one after the other.
    private static func take(
        _ order: inout RequestOrder, worker: Int = 3, incarnation: UInt64 = 7, _ sequences: UInt64...
    ) -> [Bool] {
        sequences.map { order.take(Self.worker(worker, incarnation: incarnation), sequence: $0) }
    }

    @Test("each request must be newer than all before, and of a worker that has offered memory")
    func newest() {
        var order = Self.attached()
        let own = Self.take(&order, 1, 2, 2, 5, 4)
        #expect(own == [false, true, false, true, false])
        let others = Self.take(&order, incarnation: 8, 9) + Self.take(&order, worker: 4, 6)
        #expect(others == [false, false])
    }

    @Test("an offer that comes again late sets nothing back: no request is taken twice")
    func lateRepeat() {
        var order = Self.attached()
        let first = Self.take(&order, 2, 3)
        #expect(first == [true, true])
        let isNew = order.attach(Self.worker(), sequence: 1)
        #expect(!isNew)
        let second = Self.take(&order, 2, 3, 4)
        #expect(second == [false, false, true])
    }

    @Test("a worker that was started again begins anew; of one that has departed nothing is taken")
    func incarnations() {
        var order = Self.attached()
        let old = Self.take(&order, 90)
        let isNew = order.attach(Self.worker(incarnation: 8), sequence: 1)
        #expect(isNew)
        order.forget(Self.worker())
        let new = Self.take(&order, incarnation: 8, 2)
        let late = Self.take(&order, incarnation: 7, 91)
        #expect(old + new + late == [true, true, false])
        order.forget(Self.worker(incarnation: 8))
        let gone = Self.take(&order, incarnation: 8, 3)
        #expect(gone == [false])
    }
}
