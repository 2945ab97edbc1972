package import Dataflow

/// A contiguous range of a Variable's elements: the unit of placement and of checkpoints.
package struct Block: Sendable, Equatable {
    /// The write (by index in the cut) that updates it.
    package let write: Int
    /// The Variable's name.
    package let variable: String
    package let dtype: DType
    /// The first element.
    package let offset: Int
    package let count: Int
    /// Elements of the whole Variable.
    package let total: Int

    /// All of a Variable.
    init(_ write: Int, _ variable: Vertex) {
        let spec = variable.variableSpec!
        self.init(
            write: write, variable: variable.name, dtype: spec.dtype, offset: 0, count: spec.shape.elementCount ?? 0,
            total: spec.shape.elementCount ?? 0)
    }

    private init(write: Int, variable: String, dtype: DType, offset: Int, count: Int, total: Int) {
        self.write = write
        self.variable = variable
        self.dtype = dtype
        self.offset = offset
        self.count = count
        self.total = total
    }

    func part(_ offset: Int, count: Int) -> Block {
        Block(write: write, variable: variable, dtype: dtype, offset: offset, count: count, total: total)
    }

    package var isWhole: Bool { count == total }
    package var bytes: Int { count * dtype.size }
    /// What a checkpoint calls its elements: "w[10..<20]", or "w" if they are all.
    package func label(_ base: String) -> String { Self.label(base, offset: offset, count: count, total: total) }

    /// Also of numbers that cannot be.
    static func label(_ base: String, offset: Int, count: Int, total: Int) -> String {
        count == total ? base : "\(base)[\(offset)..<\(offset &+ count)]"
    }

    /// The name of the block's Variable in its shard's graph: that of the whole Variable, where it is whole.
    package func name(_ base: String) -> String { isWhole ? base : "\(base)/block_\(offset)" }
}

/// Blocks that travel together: the unit of a push and of its reply, which carries the new values.
package struct Shard: Sendable, Equatable {
    package let number: Int
    package let server: Int
    package let executor: Int
    package let blocks: [Block]
    /// Where each block's values start in a reply, in bytes; multiples of 16.
    package let valueOffsets: [Int]
    package let valueBytes: Int
    /// Where each pushed input starts in a push: (block, input of the write, offset, bytes).
    package let pushes: [Push]
    package let pushBytes: Int
    /// It holds tables, which workers update at their own pace, in a layout that keeps them apart.
    package let isEmbeddingTable: Bool

    /// Blocks that servers update together: of one write, side by side.
    struct Unit {
        let range: Range<Int>
        let blocks: ArraySlice<Block>
        var first: Block { blocks[range.lowerBound] }
    }

    var units: [Unit] {
        var units: [Unit] = []
        for (index, block) in blocks.enumerated() {
            if let last = units.last, last.first.write == block.write, last.first.variable != block.variable {
                let range = last.range.lowerBound..<index + 1
                units[units.count - 1] = Unit(range: range, blocks: blocks[range])
            } else {
                units.append(Unit(range: index..<index + 1, blocks: blocks[index...index]))
            }
        }
        return units
    }

    /// Its blocks, by which it is known in another run.
    package var blockNames: String { blocks.map { $0.label($0.variable) }.joined(separator: " ") }

    package struct Push: Sendable, Equatable {
        package let block: Int
        package let input: Int
        package let offset: Int
        package let bytes: Int
        /// Where the bytes start in what the worker computed.
        package let start: Int
        /// The name of the placeholder in the shard's graph.
        package var placeholder: String { "push_\(block)_\(input)" }
    }
}

/// How the Variables of a cut lie on servers and executors. Coordinator and workers compute it alike.
package struct ShardLayout: Sendable, Equatable {
    package let shards: [Shard]
    /// The shard that decides for all in a synchronous job, and whose clocks all go by under bounded staleness: that whose
    /// gradients a backward pass makes last, so that nothing waits for its push; of several such, the smallest.
    package let lead: Int

    /// The most bytes of a block, and of a shard of several blocks.
    package static let limit = 4 << 20
    /// The same of what goes through sockets.
    package static let socketLimit = 2 << 20
    /// The least that a limit on memory makes of that.
    package static let leastLimit = 64 << 10
    /// Smaller ones cost more in messages than they are worth.
    private static let leastGoal = 256 << 10
    /// A model of no more bytes is one shard, on the first server.
    package static let smallModel = 8 << 10

    /// Cuts Variables into blocks and deals them out to executors, the largest first, each to the executor with the fewest bytes.
    ///
    /// - Parameters:
    ///   - executors: the number of executors of each server.
    ///   - limit: the most bytes of a block and of a shard of several blocks.
    ///   - separatesTables: Variables that are updated by rows have shards of their own.
    package init(
        _ cut: TrainingCut, executors: [Int], limit: Int = ShardLayout.limit, separatesTables: Bool = false
    ) {
        let total = cut.writes.flatMap(\.readable).reduce(0) { sum, variable in
            let spec = variable.variableSpec!
            return sum + (spec.shape.elementCount ?? 0) * spec.dtype.size
        }
        // Two shards, or one an executor, so that one travels while another is worked on, and no more messages than that
        // takes; blocks small enough that executors come out even.
        let part = max(total / max(executors.reduce(0, +), 2), ShardLayout.leastGoal)
        let goal = min(part, limit)
        let blockLimit = executors.reduce(0, +) > 1 ? min((part + 4095) & ~4095, limit) : limit
        var units: [[Block]] = []
        for (index, write) in cut.writes.enumerated() {
            if write.readable.count > 1 {
                units.append(write.readable.map { Block(index, $0) })
                continue
            }
            let whole = Block(index, write.readable[0])
            let step = write.blockElements(limit: blockLimit)
            var offset = 0
            repeat {
                units.append([whole.part(offset, count: min(step, whole.total - offset))])
                offset += step
            } while offset < whole.total
        }
        // A message costs as much as these bytes, and a synchronous step takes one round trip more where there are two shards.
        let executors = total <= ShardLayout.smallModel ? [1] : executors
        var places: [(server: Int, executor: Int, bytes: Int, units: [[Block]])] = []
        for executor in 0..<(executors.max() ?? 1) {
            for (server, count) in executors.enumerated() where executor < count {
                places.append((server, executor, 0, []))
            }
        }
        func bytes(_ unit: [Block]) -> Int { unit.reduce(0) { $0 + $1.bytes } }
        for unit in units.enumerated().sorted(by: { (bytes($1.element), $0.offset) < (bytes($0.element), $1.offset) })
            .map(\.element)
        {
            let place = places.indices.min { (places[$0].bytes, $0) < (places[$1].bytes, $1) }!
            places[place].bytes += bytes(unit)
            places[place].units.append(unit)
        }
        var shards: [Shard] = []
        for place in places {
            var current: [Block] = []
            var bytes = 0
            var isEmbeddingTable = false
            func close() {
                guard !current.isEmpty else { return }
                shards.append(
                    Shard(shards.count, place.server, place.executor, current, cut, isEmbeddingTable: isEmbeddingTable))
                (current, bytes) = ([], 0)
            }
            // In the graph's order, so that a shard holds neighbours.
            for unit in place.units.sorted(by: { ($0[0].write, $0[0].offset) < ($1[0].write, $1[0].offset) }) {
                // The larger of its push and its values.
                let size = max(unit.reduce(0) { $0 + $1.bytes }, Shard(0, 0, 0, unit, cut).pushBytes)
                let isRows = separatesTables && cut.writes[unit[0].write].isEmbeddingTable
                if bytes + size > limit || bytes >= goal || isRows != isEmbeddingTable { close() }
                isEmbeddingTable = isRows
                current += unit
                bytes += size
            }
            close()
        }
        self.shards = shards
        lead = ShardLayout.lead(of: shards, cut)
    }

    private static func lead(of shards: [Shard], _ cut: TrainingCut) -> Int {
        // Vertices are numbered as they are made: those of a backward pass from the last layer to the first.
        func last(_ shard: Shard) -> Int {
            shard.pushes.compactMap { cut.writes[shard.blocks[$0.block].write].pushed[$0.input]?.vertex.id }.max() ?? -1
        }
        let candidates = shards.filter { !$0.isEmbeddingTable }
        let latest = candidates.map(last).max()
        return candidates.filter { last($0) == latest }.min { $0.pushBytes < $1.pushBytes }?.number ?? 0
    }
}

extension TrainingCut.Write {
    /// Whether its Variables are updated by rows.
    var isEmbeddingTable: Bool { !rows.isEmpty }
}

extension PreparedJob {
    /// How the job's Variables lie on servers with these numbers of executors.
    package func layout(executors: [Int]) -> ShardLayout {
        ShardLayout(
            cut, executors: executors, limit: config.cluster.shardLimit(executors: executors.max() ?? 1),
            separatesTables: config.cluster.consistency.hasAsynchronousTables)
    }
}

extension Shard {
    init(
        _ number: Int, _ server: Int, _ executor: Int, _ blocks: [Block], _ cut: TrainingCut,
        isEmbeddingTable: Bool = false
    ) {
        self.number = number
        self.isEmbeddingTable = isEmbeddingTable
        self.server = server
        self.executor = executor
        self.blocks = blocks
        var values: [Int] = []
        var valueEnd = 0
        var pushes: [Push] = []
        var pushEnd = 0
        for (index, block) in blocks.enumerated() {
            values.append(valueEnd)
            valueEnd += Shard.aligned(block.bytes)
            let write = cut.writes[block.write]
            // What several Variables share is pushed with the first.
            guard write.readable.count == 1 || block.variable == write.variable.name else { continue }
            for input in write.pushed.keys.sorted() {
                let (start, bytes) = write.extent(
                    of: input, offset: block.offset, count: block.count, isWhole: block.isWhole)
                pushes.append(Push(block: index, input: input, offset: pushEnd, bytes: bytes, start: start))
                pushEnd += Shard.aligned(bytes)
            }
        }
        valueOffsets = values
        valueBytes = valueEnd
        self.pushes = pushes
        pushBytes = pushEnd
    }

    /// Tensors start at multiples of 16 bytes.
    private static func aligned(_ bytes: Int) -> Int { (bytes + 15) & ~15 }
}
