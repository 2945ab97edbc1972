import Cluster
import Testing

@Suite("Room for pushes that wait")
struct PushBudgetTests {
    @Test("pushes have room up to the limit, and again when others are done")
    func room() {
        var budget = PushBudget(limit: 100)
        let taken = [60, 41, 40, 1].map { budget.take($0) }
        #expect(taken == [true, false, true, false])
        budget.giveBack(60)
        let again = [61, 60].map { budget.take($0) }
        #expect(again == [false, true])
    }

    @Test("bytes beyond the limit lie in a file, as they were", arguments: [0, 1, 4096, 100_001])
    func spilled(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let spilled = try bytes.withUnsafeBytes { try SpilledBytes($0) }
        #expect(Array(spilled.bytes) == bytes)
        #expect(UInt(bitPattern: spilled.bytes.baseAddress) % 16 == 0)
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
