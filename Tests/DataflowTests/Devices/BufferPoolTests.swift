import Dataflow
import Testing

@Suite("The pool of a device's memory")
struct BufferPoolTests {
    @Test("what was given back is used again, by whoever needs that size")
    func reuse() {
        var pool = BufferPool<Int>(limit: 1 << 20)
        #expect(pool.take(1000, for: "a") == .make(bytes: 1024, freeing: []))
        pool.made(1, bytes: 1024, for: "a")
        pool.giveBack(1)
        #expect(pool.take(900, for: "b") == .reuse(1))
        #expect(pool.holders == "b 1 KiB" && pool.total == 1024)
    }

    @Test("pieces kept are freed, oldest first, before anything is refused")
    func limit() {
        var pool = BufferPool<Int>(limit: 4096)
        for i in 1...4 {
            #expect(pool.take(1024, for: "\(i)") == .make(bytes: 1024, freeing: []))
            pool.made(i, bytes: 1024, for: "\(i)")
        }
        #expect(pool.take(1, for: "more") == .refuse)
        for i in [2, 1, 3] { pool.giveBack(i) }
        #expect(pool.take(2048, for: "more") == .make(bytes: 2048, freeing: [2, 1]))
        pool.made(5, bytes: 2048, for: "more")
        #expect(pool.inUse == 3072 && pool.take(2048, for: "x") == .refuse)
        #expect(pool.drain() == [3] && pool.total == 3072)
        #expect(pool.holders == "more 2 KiB, 4 1 KiB")
    }

    @Test("sizes are rounded up by an eighth at most above 1 MiB")
    func rounding() {
        #expect(BufferPool<Int>.rounded(1) == 256 && BufferPool<Int>.rounded(257) == 512)
        for bytes in [(1 << 20) + 1, 3_000_000, 100_000_000, 1 << 30] {
            let size = BufferPool<Int>.rounded(bytes)
            #expect(size >= bytes && size <= bytes + bytes / 8 && BufferPool<Int>.rounded(size) == size, "\(bytes)")
        }
    }
}
