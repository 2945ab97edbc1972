import Cluster
import Testing

@Suite("Room for pushes that wait")
struct PushBudgetTests {
    private static func held(_ parts: [(shard: Int, bytes: Int)]) -> [PushBudget.Held] {
        parts.enumerated().map { .init(token: $0, shard: $1.shard, bytes: $1.bytes) }
    }

    @Test("a push waits if there is room, or if it helps to finish what has waited longest")
    func admission() {
        let space = PushBudget(limit: 100)
        #expect(space.admits(40, shard: 7, besides: Self.held([(3, 60)])))
        #expect(!space.admits(41, shard: 7, besides: Self.held([(3, 60)])))
        #expect(space.admits(41, shard: 3, besides: Self.held([(3, 60), (4, 40)])))
        #expect(!space.admits(41, shard: 4, besides: Self.held([(3, 60), (4, 40)])))
        #expect(space.admits(1000, shard: 1, besides: []))
    }

    @Test("whoever comes first, all shards of a step are finished and the limit is kept", arguments: 1...20)
    func progress(seed: Int) {
        var random = UInt64(seed)
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let (workers, shards, size) = (5, 12, 10)
        let space = PushBudget(limit: workers * size)
        // Each worker pushes the shards in order, a few at a time, and repeats those that found no room.
        var sent = [[Int]](repeating: Array(0..<shards), count: workers)
        var held: [PushBudget.Held] = []
        var finished = 0
        var tries = 0
        while finished < shards, tries < 100_000 {
            tries += 1
            let worker = next(workers)
            guard !sent[worker].isEmpty else { continue }
            let place = next(min(4, sent[worker].count))
            let shard = sent[worker][place]
            guard space.admits(size, shard: shard, besides: held) else { continue }
            sent[worker].remove(at: place)
            held.append(.init(token: tries, shard: shard, bytes: size))
            #expect(held.reduce(0) { $0 + $1.bytes } <= 2 * space.limit)
            if held.count(where: { $0.shard == shard }) == workers {
                held.removeAll { $0.shard == shard }
                finished += 1
            }
        }
        #expect(finished == shards)
    }

    @Test("shards are so small that all workers' pushes of one fit in half of the memory")
    func shardLimit() {
        var cluster = JobConfig().cluster
        cluster.workers = 8
        #expect(cluster.shardLimit(executors: 2) == ShardLayout.limit)
        cluster.transport = .tcp
        #expect(cluster.shardLimit(executors: 2) == ShardLayout.socketLimit)
        cluster.serverMemory = 16 << 20
        #expect(cluster.shardLimit(executors: 2) == 512 << 10)
        cluster.serverMemory = 1 << 20
        #expect(cluster.shardLimit(executors: 2) == ShardLayout.leastLimit)
    }
}
