import Cluster
import Testing

@Suite("What workers told of their steps")
struct TrainingRecordTests {
    private func part(_ batch: Int, _ loss: Double, _ examples: Int) -> TrainingRecord.Entry {
        .init(batch: batch, loss: loss, metrics: ["accuracy": [loss]], examples: examples)
    }

    private func worker(_ number: Int) -> WorkerIdentity { WorkerIdentity(worker: number, incarnation: 7) }

    private func workers(_ count: Int) -> Set<WorkerIdentity> { Set((0..<count).map(worker)) }

    @Test("parts of a batch add up to the same bits in whichever order they are told")
    func order() {
        // 1 is lost beside 1e16, unless it comes after.
        let losses = [1e16, -1e16, 1]
        var sums: Set<Double> = []
        for order in [[0, 1, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1]] {
            var record = TrainingRecord()
            var told: [TrainingRecord.Entry] = []
            for worker in order {
                told += record.add(part(7, losses[worker], 2), of: self.worker(worker), members: workers(3))
            }
            #expect(told.map(\.examples) == [6])
            for entry in told { sums.formUnion([entry.loss, entry.metrics["accuracy"]?[0] ?? .nan]) }
        }
        #expect(sums == [1])
    }

    @Test("a part that is told twice counts once, before and after its batch is whole")
    func repeats() {
        var record = TrainingRecord()
        #expect(record.add(part(3, 2, 4), of: worker(0), members: workers(2)) == [])
        #expect(record.add(part(3, 2, 4), of: worker(0), members: workers(2)) == [])
        #expect(record.add(part(3, 1, 4), of: worker(1), members: workers(2)) == [part(3, 3, 8)])
        #expect(record.add(part(3, 2, 4), of: worker(0), members: workers(2)) == [])
        #expect(record.takeOpen() == [])
    }

    @Test("a batch is whole when all its members have told their parts, however far ahead some are, or are gone")
    func members() {
        var record = TrainingRecord()
        for batch in 0..<60 { #expect(record.add(part(batch, 2, 4), of: worker(0), members: workers(3)) == []) }
        for batch in 0..<60 { #expect(record.add(part(batch, 0, 0), of: worker(1), members: workers(3)) == []) }
        #expect(record.add(part(0, 1, 5), of: worker(2), members: workers(3)) == [part(0, 3, 9)])
        #expect(record.left(worker(2)).map(\.batch) == Array(1..<60))
        #expect(record.takeOpen() == [])
    }

    @Test("a worker's batch of its own is whole at once")
    func alone() {
        var record = TrainingRecord()
        #expect(record.add(part(3, 2, 9), of: worker(4)) == [part(3, 2, 9)])
    }

    @Test("a member that tells of much newer batches is not waited for, and the rest is taken at the end")
    func missingParts() {
        var record = TrainingRecord()
        let members = workers(2)
        #expect(record.add(part(0, 2, 4), of: worker(0), members: members, patience: 5) == [])
        #expect(record.add(part(5, 1, 4), of: worker(0), members: members, patience: 5) == [])
        #expect(record.add(part(6, 1, 8), of: worker(0), members: members, patience: 5) == [])
        #expect(
            record.add(part(6, 1, 8), of: worker(1), members: members, patience: 5) == [part(0, 2, 4), part(6, 2, 16)])
        #expect(record.takeOpen() == [part(5, 1, 4)])
        #expect(record.add(part(5, 1, 4), of: worker(1), members: members, patience: 5) == [])
    }
}
