import Cluster
import Dataflow
import Testing
import Training

@Suite("How Variables lie on servers")
struct ShardLayoutTests {
    /// The network 784-512-256-10: one Variable holds three quarters of the bytes.
    private static func cut(_ sizes: [Int] = [784, 512, 256, 10]) throws -> TrainingCut {
        let graph = Graph(seed: 1)
        var x = graph.placeholder(.float32, [nil, sizes[0]])
        for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
            let weights = graph.variable(Tensor.zeros(.float32, sized: [inputs, outputs]))
            let bias = graph.variable(Tensor.zeros(.float32, sized: [outputs]))
            x = relu(biasAdd(matmul(x, weights), bias))
        }
        return try TrainingCut(train: GradientDescent(learningRate: 0.1).minimize(mean(square(x))))
    }

    private static func bytes(_ layout: ShardLayout, of place: (server: Int, executor: Int)) -> Int {
        layout.shards.filter { ($0.server, $0.executor) == place }.reduce(0) { $0 + $1.valueBytes }
    }

    @Test("every element is in one block", arguments: [[1], [2], [1, 1], [2, 1, 3]])
    func complete(executors: [Int]) throws {
        let cut = try Self.cut()
        let layout = ShardLayout(cut, executors: executors)
        for write in cut.writes {
            let blocks = layout.shards.flatMap(\.blocks).filter { $0.variable == write.variable.name }
                .sorted { $0.offset < $1.offset }
            var end = 0
            for block in blocks {
                #expect(block.offset == end)
                end += block.count
            }
            #expect(end == blocks[0].total)
        }
        #expect(layout.shards.map(\.number) == Array(layout.shards.indices))
    }

    @Test(
        "executors get about the same bytes, also where one Variable has most", arguments: [[2], [1, 1], [2, 2], [3]])
    func even(executors: [Int]) throws {
        let layout = try ShardLayout(Self.cut(), executors: executors)
        let places = executors.enumerated().flatMap { server, count in (0..<count).map { (server, $0) } }
        let bytes = places.map { Self.bytes(layout, of: $0) }
        #expect(Double(bytes.max()!) <= 1.25 * Double(bytes.reduce(0, +)) / Double(bytes.count), "\(bytes)")
    }

    @Test("a small model is one shard a server, a larger one several, none above the limit")
    func shards() throws {
        #expect(try ShardLayout(Self.cut([20, 10, 2]), executors: [1]).shards.count == 1)
        let own = try ShardLayout(Self.cut(), executors: [1])
        #expect((2...4).contains(own.shards.count))
        for limit in [64 << 10, 1 << 20, 4 << 20] {
            let layout = try ShardLayout(Self.cut(), executors: [2], limit: limit)
            #expect(layout.shards.allSatisfy { max($0.valueBytes, $0.pushBytes) <= limit })
        }
    }
}
