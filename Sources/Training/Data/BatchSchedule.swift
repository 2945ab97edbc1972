internal import Dataflow

/// Which examples are in which batch: an epoch is permutation(seed, epoch) cut into batches, the last one short.
///
/// Batches are counted over all epochs, from 0. Every process that knows these numbers knows every batch; nothing depends
/// on the platform or on which batch was asked for before.
public struct BatchSchedule: Sendable {
    /// Examples in the data.
    public let examples: Int
    /// Examples in a batch but the last of an epoch.
    public let batch: Int
    public let seed: UInt64
    /// False: every epoch is in the data's own order.
    public let shuffle: Bool
    /// Where the order begins. Batches before are empty: another schedule cut them.
    public let origin: Origin
    /// The permutation that was used last.
    private var order: (epoch: Int, indices: [Int32])?

    /// The first batch of a schedule, and where it begins: what a job goes on with that cut its batches otherwise before.
    public struct Origin: Sendable, Equatable {
        public var batch: Int
        /// The epoch of that batch, from 0.
        public var epoch: Int
        /// Its first place in the epoch's permutation. The rest of that epoch is cut into batches, then the epochs after it.
        public var place: Int

        public init(batch: Int = 0, epoch: Int = 0, place: Int = 0) {
            self.batch = batch
            self.epoch = epoch
            self.place = place
        }
    }

    /// - Throws: `GraphError` unless there is an example, a batch holds one, and the origin is a place in an epoch.
    public init(examples: Int, batch: Int, seed: UInt64, shuffle: Bool = true, origin: Origin = Origin()) throws {
        if let mistake = BatchSchedule.mistake(examples, batch, origin) { throw GraphError(mistake) }
        self.init(of: examples, batch: batch, seed: seed, shuffle: shuffle, origin: origin)
    }

    private static func mistake(_ examples: Int, _ batch: Int, _ origin: Origin) -> String? {
        if examples < 1 || examples > Int(Int32.max) {
            return "a schedule is of 1 to 2³¹ − 1 examples, got \(examples)"
        }
        if batch < 1 { return "a batch holds at least 1 example, got \(batch)" }
        if origin.batch < 0 || origin.epoch < 0 || !(0..<examples).contains(origin.place) {
            return "there is no \(origin) in \(examples) examples"
        }
        return nil
    }

    /// Of numbers that are known to be right.
    package init(of examples: Int, batch: Int, seed: UInt64, shuffle: Bool = true, origin: Origin = Origin()) {
        let mistake = BatchSchedule.mistake(examples, batch, origin)
        require(mistake == nil, mistake ?? "")
        self.examples = examples
        self.batch = batch
        self.seed = seed
        self.shuffle = shuffle
        self.origin = origin
    }

    public var batchesPerEpoch: Int { (examples - 1) / batch + 1 }

    /// Batches of the origin's epoch.
    private var firstBatches: Int { (examples - origin.place - 1) / batch + 1 }

    /// The epoch, from 0, that batch `index` belongs to, and its place among the batches of that epoch.
    private func place(ofBatch index: Int) -> (epoch: Int, number: Int) {
        let number = index - origin.batch
        guard number >= firstBatches else { return (origin.epoch, number) }
        let (epochs, rest) = (number - firstBatches).quotientAndRemainder(dividingBy: batchesPerEpoch)
        return (origin.epoch + 1 + epochs, rest)
    }

    /// The epoch, from 0, that batch `index` belongs to.
    public func epoch(ofBatch index: Int) -> Int { place(ofBatch: index).epoch }

    /// The first batch of an epoch; the origin's for its own and for those before.
    public func firstBatch(ofEpoch epoch: Int) -> Int {
        guard epoch > origin.epoch else { return origin.batch }
        let (batches, overflow) = (epoch - origin.epoch - 1).multipliedReportingOverflow(by: batchesPerEpoch)
        // Far from where a sum would overflow.
        return origin.batch + firstBatches + (overflow ? 1 << 52 : min(batches, 1 << 52))
    }

    /// The places of batch `index` in its epoch's permutation.
    public func places(ofBatch index: Int) -> Range<Int> {
        require(index >= 0, "batches are counted from 0, got \(index)")
        let (epoch, number) = place(ofBatch: index)
        guard number >= 0 else { return origin.place..<origin.place }
        let start = (epoch == origin.epoch ? origin.place : 0) + number * batch
        return start..<(batch < examples - start ? start + batch : examples)
    }

    /// The examples of batch `index`, in order. Making an epoch's permutation takes a moment; it is kept for the next call.
    public mutating func indices(ofBatch index: Int) -> [Int32] {
        indices(at: places(ofBatch: index), epoch: epoch(ofBatch: index))
    }

    /// The examples of batch `index` that rank `rank` of `count` computes: contiguous parts of nearly equal length, in
    /// order; some are empty if there are more ranks than examples.
    public mutating func indices(ofBatch index: Int, rank: Int, of count: Int) -> [Int32] {
        indices(at: positions(ofBatch: index, rank: rank, of: count))
    }

    /// The positions of batch `index` in the job's order of examples, epoch after epoch, from 0.
    public func positions(ofBatch index: Int) -> Range<Int> {
        let places = places(ofBatch: index)
        let start = epoch(ofBatch: index) * examples
        return (start + places.lowerBound)..<(start + places.upperBound)
    }

    /// The positions of consecutive batches.
    public func positions(ofBatches batches: Range<Int>) -> Range<Int> {
        let start = positions(ofBatch: batches.lowerBound).lowerBound
        return start..<(batches.isEmpty ? start : positions(ofBatch: batches.upperBound - 1).upperBound)
    }

    /// The positions of what rank `rank` of `count` computes of batch `index`.
    public func positions(ofBatch index: Int, rank: Int, of count: Int) -> Range<Int> {
        let batch = positions(ofBatch: index)
        let part = Self.part(of: batch.count, rank: rank, of: count)
        return (batch.lowerBound + part.lowerBound)..<(batch.lowerBound + part.upperBound)
    }

    /// The examples at consecutive positions of the job's order, in order.
    public mutating func indices(at positions: Range<Int>) -> [Int32] {
        require(positions.lowerBound >= 0, "positions are counted from 0, got \(positions)")
        var indices: [Int32] = []
        var next = positions.lowerBound
        while next < positions.upperBound {
            let (epoch, place) = next.quotientAndRemainder(dividingBy: examples)
            let end = min(place + positions.upperBound - next, examples)
            indices += self.indices(at: place..<end, epoch: epoch)
            next += end - place
        }
        return indices
    }

    /// What rank `rank` of `count` has of `total` things: the first `total % count` ranks have one more.
    public static func part(of total: Int, rank: Int, of count: Int) -> Range<Int> {
        require(rank >= 0 && rank < count, "rank \(rank) of \(count)")
        let (each, more) = total.quotientAndRemainder(dividingBy: count)
        let start = rank * each + min(rank, more)
        return start..<(start + each + (rank < more ? 1 : 0))
    }

    private mutating func indices(at places: Range<Int>, epoch: Int) -> [Int32] {
        guard shuffle else { return places.map(Int32.init) }
        if let order, order.epoch == epoch { return Array(order.indices[places]) }
        var random = SplitMix64(seed: seed, stream: UInt64(epoch))
        let indices = random.permutation(of: examples)
        order = (epoch, indices)
        return Array(indices[places])
    }
}

extension BatchSchedule: CustomStringConvertible {
    public var description: String {
        "batches of \(batch) of \(examples) examples, \(shuffle ? "shuffled by seed \(seed)" : "in their order")"
            + (origin == Origin() ? "" : ", from batch \(origin.batch) on")
    }
}
