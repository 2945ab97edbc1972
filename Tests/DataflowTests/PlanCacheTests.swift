import Dataflow
import Synchronization
import Testing

/// Which plans a session keeps, and what they share.
@Suite("The plans that a session keeps")
struct PlanCacheTests {
    /// Uses plans of `size` bytes by their numbers, making those that are missing. Returns how many were made.
    private func use(_ keys: some Sequence<Int>, _ cache: inout PlanCache<Int, String>, size: Int = 10) -> Int {
        var made = 0
        for key in keys where cache.value(for: key) == nil {
            cache.insert("\(key)", for: key, bytes: size)
            made += 1
        }
        return made
    }

    @Test("as many stay as fit into the bytes, and the one not used for longest goes")
    func leastRecentlyUsed() {
        var cache = PlanCache<Int, String>(limit: 30)
        #expect(use([1, 2, 3], &cache) == 3 && cache.bytes == 30)
        #expect(cache.value(for: 1) == "1")
        #expect(use([4], &cache) == 1)
        #expect(cache.value(for: 2) == nil && cache.value(for: 1) == "1" && cache.count == 3 && cache.bytes == 30)
        cache.insert("large", for: 5, bytes: 100)
        #expect(cache.count == 1 && cache.value(for: 5) == "large", "the newest stays, however large it is")
        cache.insert("small", for: 5, bytes: 1)
        #expect(cache.bytes == 1)
        cache.removeAll()
        #expect(cache.isEmpty && cache.bytes == 0)
    }

    @Test("a round through a few more plans than fit does not make all of them again")
    func rounds() {
        var cache = PlanCache<Int, String>(limit: 400)
        #expect(use(0..<40, &cache) == 40)
        #expect((0..<10).allSatisfy { _ in use(0..<40, &cache) == 0 } && cache.remade == 0)
        var made = 0
        for _ in 0..<10 { made = use(0..<44, &cache) }
        #expect(made < 10, "\(made) of 44 are made again in each round")
        #expect(cache.remade > 0)
    }

    @Test("plans that are not wanted any more go, also where others come back")
    func newTimes() {
        var cache = PlanCache<Int, String>(limit: 100)
        _ = use(0..<20, &cache)
        _ = use(0..<20, &cache)
        for _ in 0..<200 { _ = use(0..<8, &cache) }
        #expect(use(0..<8, &cache) == 0)
    }

    private struct Lengths {
        let graph = Graph()
        let x: Node
        let y: Node

        init() {
            x = graph.placeholder(.float32, [nil, 8])
            let w = graph.constant((0..<64).map { Float($0) * 0.01 }, shape: [8, 8])
            y = sum(tanh(matmul(tanh(matmul(x, w)), w)), axes: [1])
        }

        func run(_ session: Session, _ rows: Int) throws -> [Double] {
            let values = (0..<rows * 8).map { Float($0 % 13) * 0.1 }
            return try session.run(y, feeds: [x: Tensor(values, shape: [rows, 8])]).doubles
        }
    }

    @Test("runs of many lengths keep their values apart, in memory that they share, with few and with many plans kept")
    func lengths() throws {
        let model = Lengths()
        let reference = try Session(model.graph, options: SessionOptions(plan: .reference))
        let told = Mutex<[String]>([])
        let few = SessionOptions(threads: 1, planMemory: 0, planLog: { line in told.withLock { $0.append(line) } })
        var many = SessionOptions(threads: 1)
        many.checksMemory = true
        let sessions = try [few, many].map { try Session(model.graph, options: $0) }
        for round in 0..<3 {
            for rows in [1, 40, 3, 40, 200, 2, 7] + Array(10..<20) {
                let wanted = try model.run(reference, rows)
                // The values of the first must stay while the others run.
                let results = try sessions.map { try (model.run($0, rows), model.run($0, rows + 1)).0 }
                for got in results {
                    #expect(zip(got, wanted).allSatisfy { abs($0 - $1) < 1e-4 }, "\(rows) rows, round \(round)")
                }
            }
        }
        let lines = told.withLock { $0 }
        #expect(lines.count == 1 && lines[0].contains("planMemory"), "\(lines)")
    }

    @Test("functions called from plans of several lengths share their plans and have memory of their own")
    func functions() throws {
        let g = Graph()
        let (x, n) = (g.placeholder(.float64, [nil]), g.placeholder(.int32, []))
        let w = g.placeholder(.float64, [3])
        let grown = whileLoop(
            [g.constant(Int32(0)), w], while: { less($0[0], n) },
            do: { outer in
                let inner = whileLoop(
                    [g.constant(Int32(0)), outer[1]], while: { less($0[0], g.constant(Int32(2))) },
                    do: { [$0[0] + 1, $0[1] * 1.5 + tanh(w)] })[1]
                return [outer[0] + 1, inner * 0.5]
            })[1]
        let y = sum(x * x) + sum(grown)
        let sessions = try [PlanKind.optimized, .reference].map { try Session(g, options: SessionOptions(plan: $0)) }
        for (rows, count) in [(3, 1), (50, 4), (2, 0), (50, 2), (3, 5)] {
            let values = try sessions.map { session in
                try session.run(
                    y,
                    feeds: [
                        x: Tensor((0..<rows).map { Double($0) }), n: Tensor(Int32(count)),
                        w: Tensor([0.1, -0.4, 0.9]),
                    ]
                ).doubles[0]
            }
            #expect(abs(values[0] - values[1]) < 1e-9, "\(rows) rows, \(count) iterations: \(values)")
        }
    }
}
