import Cluster
import Testing

@Suite("What workers told of their steps")
struct TrainingRecordTests {
    private func part(_ batch: Int, _ loss: Double, _ examples: Int) -> TrainingRecord.Entry {
        .init(batch: batch, loss: loss, metrics: ["accuracy": loss], examples: examples)
    }

    @Test("parts of a batch add up to the same bits in whichever order they are told")
    func order() {
        // 1 is lost beside 1e16, unless it comes after.
        let losses = [1e16, -1e16, 1]
        var sums: Set<Double> = []
        for order in [[0, 1, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1]] {
            var record = TrainingRecord()
            var told: [TrainingRecord.Entry] = []
            for worker in order { told += record.add(part(7, losses[worker], 2), of: worker, size: 6) }
            #expect(told.map(\.examples) == [6])
            for entry in told { sums.formUnion([entry.loss, entry.metrics["accuracy"] ?? .nan]) }
        }
        #expect(sums == [1])
    }

    @Test("a part that is told twice counts once, before and after its batch is whole")
    func repeats() {
        var record = TrainingRecord()
        #expect(record.add(part(3, 2, 4), of: 0, size: 8) == [])
        #expect(record.add(part(3, 2, 4), of: 0, size: 8) == [])
        #expect(record.add(part(3, 1, 4), of: 1, size: 8) == [part(3, 3, 8)])
        #expect(record.add(part(3, 2, 4), of: 0, size: 8) == [])
        #expect(record.takeOpen() == [])
    }

    @Test("a batch of so many parts is whole when all are told, however many examples they have")
    func parts() {
        var record = TrainingRecord()
        #expect(record.add(part(3, 2, 9), of: 0, size: 8, parts: 2) == [])
        #expect(record.add(part(3, 0, 0), of: 1, size: 8, parts: 2) == [part(3, 2, 9)])
    }

    @Test("a batch of which a part is never told is taken as it is when much newer ones come, or at the end")
    func missingParts() {
        var record = TrainingRecord()
        #expect(record.add(part(0, 2, 4), of: 0, size: 8, patience: 5) == [])
        #expect(record.add(part(5, 1, 4), of: 0, size: 8, patience: 5) == [])
        #expect(record.add(part(6, 1, 8), of: 0, size: 8, patience: 5) == [part(0, 2, 4), part(6, 1, 8)])
        #expect(record.takeOpen() == [part(5, 1, 4)])
        #expect(record.add(part(5, 1, 4), of: 1, size: 8, patience: 5) == [])
    }
}
