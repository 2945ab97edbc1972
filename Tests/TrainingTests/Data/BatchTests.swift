import Dataflow
import Foundation
import Testing
import Training

@Suite("Batches")
struct BatchTests {
    @Test("a schedule with an origin cuts the rest of an epoch, then whole ones; without one nothing changes")
    func origin() {
        let origin = BatchSchedule.Origin(batch: 7, epoch: 2, place: 4)
        var schedule = BatchSchedule(of: 10, batch: 4, seed: 7, origin: origin)
        var whole = BatchSchedule(of: 10, batch: 4, seed: 7)
        #expect((7..<13).map { schedule.places(ofBatch: $0) } == [4..<8, 8..<10, 0..<4, 4..<8, 8..<10, 0..<4])
        #expect((7..<13).map { schedule.epoch(ofBatch: $0) } == [2, 2, 3, 3, 3, 4])
        #expect((0..<7).allSatisfy { schedule.places(ofBatch: $0).isEmpty })
        #expect(schedule.positions(ofBatches: 7..<13) == 24..<44)
        #expect((1..<5).map { schedule.firstBatch(ofEpoch: $0) } == [7, 7, 9, 12])
        #expect((7..<13).flatMap { schedule.indices(ofBatch: $0) } == whole.indices(at: 24..<44))
        #expect((0..<4).map { whole.firstBatch(ofEpoch: $0) } == [0, 3, 6, 9])
        // The last epoch there is.
        #expect(whole.firstBatch(ofEpoch: .max) > 1 << 50)
        let wide = BatchSchedule(of: 10, batch: .max, seed: 7, origin: origin)
        #expect(wide.places(ofBatch: 7) == 4..<10 && wide.places(ofBatch: 8) == 0..<10)
    }

    @Test("an epoch is every example once, the last batch short; the next epoch is another permutation")
    func epochs() {
        var schedule = BatchSchedule(of: 10, batch: 4, seed: 7)
        #expect(schedule.batchesPerEpoch == 3)
        let batches = (0..<6).map { schedule.indices(ofBatch: $0) }
        #expect(batches.map(\.count) == [4, 4, 2, 4, 4, 2])
        #expect(batches[0..<3].joined().sorted() == Array(0..<10))
        #expect(batches[3..<6].joined().sorted() == Array(0..<10))
        #expect(Array(batches[0..<3].joined()) != Array(batches[3..<6].joined()))
        #expect((0..<6).map { schedule.epoch(ofBatch: $0) } == [0, 0, 0, 1, 1, 1])
    }

    @Test("any batch is the same whatever was asked before, and is what it always was")
    func reproducible() {
        var forward = BatchSchedule(of: 10, batch: 4, seed: 7)
        var backward = forward
        let batches = (0..<6).map { forward.indices(ofBatch: $0) }
        for index in (0..<6).reversed() { #expect(backward.indices(ofBatch: index) == batches[index]) }
        var other = BatchSchedule(of: 10, batch: 10, seed: 8)
        #expect(Array(batches[0..<3].joined()) != other.indices(ofBatch: 0))
        // Checkpoints count on these numbers.
        #expect(Array(batches[0..<3].joined()) == [0, 4, 3, 5, 9, 8, 2, 7, 1, 6])
    }

    @Test("without shuffling the order is the data's")
    func ordered() {
        var schedule = BatchSchedule(of: 5, batch: 2, seed: 7, shuffle: false)
        #expect((0..<4).map { schedule.indices(ofBatch: $0) } == [[0, 1], [2, 3], [4], [0, 1]])
    }

    @Test("a batch divided over ranks is the batch", arguments: [1, 2, 3, 4, 7])
    func parts(ranks: Int) {
        var schedule = BatchSchedule(of: 10, batch: 4, seed: 7)
        for index in 0..<3 {
            let parts = (0..<ranks).map { schedule.indices(ofBatch: index, rank: $0, of: ranks) }
            #expect(Array(parts.joined()) == schedule.indices(ofBatch: index))
            let counts = parts.map(\.count)
            #expect(counts.max()! - counts.min()! <= 1)
        }
    }

    @Test("positions count the examples of all epochs in the order of batches")
    func positions() {
        var schedule = BatchSchedule(of: 10, batch: 4, seed: 7)
        #expect((0..<6).map { schedule.positions(ofBatch: $0) } == [0..<4, 4..<8, 8..<10, 10..<14, 14..<18, 18..<20])
        #expect(schedule.positions(ofBatch: 4, rank: 1, of: 3) == 16..<17)
        #expect(schedule.positions(ofBatches: 1..<4) == 4..<14 && schedule.positions(ofBatches: 2..<2) == 8..<8)
        let all = (0..<6).flatMap { schedule.indices(ofBatch: $0) }
        #expect(schedule.indices(at: 0..<20) == all && schedule.indices(at: 7..<15) == Array(all[7..<15]))
        #expect(schedule.indices(at: 3..<3) == [])
    }

    static let data = try! Dataset(
        features: Tensor([[0, 5, 1], [10, 5, 2], [20, 5, 6]], dtype: .uint8), labels: Tensor([0, 1, 2] as [Int32]),
        classes: 3)

    @Test("a batch is its rows, as float32")
    func rows() throws {
        let batch = try Self.data.batch([2, 0, 2])
        #expect(batch.features == Tensor([[20, 5, 6], [0, 5, 1], [20, 5, 6]], dtype: .float32))
        #expect(batch.labels == Tensor([2, 0, 2] as [Int32]))
        #expect(try Self.data.batch([]).features.shape == [0, 3])
        #expect(Self.data.prefix(2).labels == Tensor([0, 1] as [Int32]))
    }

    @Test("standardised features have mean 0 and deviation 1; a constant one is 0")
    func standardize() throws {
        let scaling = try Scaling(.standardize, fittedTo: Self.data.features)
        let deviation = (200.0 / 3).squareRoot()
        let scaled = try Self.data.batch([0, 1, 2], scaling: scaling).features.array(of: Float.self)
        #expect(scaled[0] == Float(-10 / deviation))
        #expect(scaled[1] == 0 && scaled[4] == 0 && scaled[7] == 0)
        let third = [scaled[2], scaled[5], scaled[8]].map(Double.init)
        #expect(abs(third.reduce(0, +)) < 1e-6)
        let variance = third.map { $0 * $0 }.reduce(0, +) / 3
        #expect(abs(variance - 1) < 1e-6)
    }

    @Test("a feature that is constant in training is 0 in the test part, too, whatever it is there")
    func constant() throws {
        let test = try Dataset(
            features: Tensor([[0, 9, 0]], dtype: .float32), labels: Tensor([0] as [Int32]), classes: 3)
        for kind in [Scaling.Kind.standardize, .minMax] {
            let scaling = try Scaling(kind, fittedTo: Self.data.features)
            #expect(try test.batch([0], scaling: scaling).features.array(of: Float.self)[1] == 0)
        }
    }

    @Test("a small spread around a great mean is not drowned")
    func precision() throws {
        let features = Tensor([[16_000_001], [16_000_003]], dtype: .float32)
        let data = try Dataset(features: features, labels: Tensor([0, 1] as [Int32]), classes: 2)
        let scaling = try Scaling(.standardize, fittedTo: features)
        #expect(try data.batch([0, 1], scaling: scaling).features == Tensor([[-1], [1]], dtype: .float32))
    }

    @Test("min-max scaling goes from 0 to 1, and through JSON")
    func minMax() throws {
        let scaling = try Scaling(.minMax, fittedTo: Self.data.features)
        let batch = try Self.data.batch([0, 1, 2], scaling: scaling)
        #expect(batch.features == Tensor([[0, 0, 0], [0.5, 0, 0.2], [1, 0, 1]]))
        #expect(try JSONDecoder().decode(Scaling.self, from: JSONEncoder().encode(scaling)) == scaling)
    }

    @Test("one-hot labels")
    func oneHot() throws {
        #expect(
            try Dataset.oneHot(Tensor([2, 0] as [Int32]), classes: 3)
                == Tensor([[0, 0, 1], [1, 0, 0]], dtype: .float32))
    }
}
