package import Messaging

/// A worker's offer of shared memory for one shard: which memory, and where in it the shard's values and gradients lie.
///
/// What it says is checked against the shard before the memory is opened.
package struct SharedBufferOffer: Equatable, Sendable {
    package var memory: SharedMemory.Offer
    /// Where each block's values start, in bytes, in each place that the worker has for them: a pipelined one has two.
    package var values: [[Int]]
    /// Where what is pushed starts, in the order of the shard's pushes.
    package var pushes: [Int]

    package init(memory: SharedMemory.Offer, values: [[Int]], pushes: [Int]) {
        self.memory = memory
        self.values = values
        self.pushes = pushes
    }

    /// Reads an offer for a shard whose blocks and pushes have these sizes in bytes.
    ///
    /// - Returns: nil unless it has a place for each, within the memory, at a multiple of 16.
    package init?(_ bytes: UnsafeRawBufferPointer, valueSizes: [Int], pushSizes: [Int]) {
        let blocks = valueSizes.count
        let places = bytes.count / 8 - 4 - pushSizes.count
        guard bytes.count % 8 == 0, places == blocks || places == 2 * blocks else { return nil }
        let copies = places == blocks ? 1 : 2
        let words = bytes.count / 8
        let numbers = (0..<words).map {
            Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
        }
        guard let process = Int32(exactly: numbers[0]), let descriptor = Int32(exactly: numbers[1]),
            (1...Int64(SharedMemory.limit)).contains(numbers[2])
        else { return nil }
        let count = Int(numbers[2])
        memory = SharedMemory.Offer(
            process: process, descriptor: descriptor, count: count, key: UInt64(bitPattern: numbers[3]))
        let starts = numbers[4...].map { Int($0) }
        let sizes = Array(repeating: valueSizes, count: copies).joined() + pushSizes
        for (place, size) in zip(starts, sizes) {
            guard place >= 0, place % 16 == 0, size <= count, place <= count - size else { return nil }
        }
        values = (0..<copies).map { Array(starts[$0 * blocks..<($0 + 1) * blocks]) }
        pushes = Array(starts[places...])
    }

    package var bytes: [UInt8] {
        let numbers =
            [Int64(memory.process), Int64(memory.descriptor), Int64(memory.count), Int64(bitPattern: memory.key)]
            + (values.joined() + pushes).map { Int64($0) }
        return numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
    }
}
