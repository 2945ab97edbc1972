import Dataflow
import Testing

@Suite("Random numbers")
struct RandomTests {
    @Test("each run draws new numbers; a graph built again draws the same")
    func runs() throws {
        func draw() throws -> [[Double]] {
            let g = Graph(seed: 7)
            let x = g.randomUniform(shape: [100], min: -2, max: 3)
            let session = try Session(g)
            return try (0..<3).map { _ in try session.run(x).doubles }
        }
        let first = try draw()
        #expect(try draw() == first)
        #expect(first[0] != first[1] && first[1] != first[2])
        #expect(first.allSatisfy { $0.allSatisfy { $0 >= -2 && $0 < 3 } })
    }

    @Test("two operations of a graph draw different numbers")
    func operations() throws {
        let g = Graph()
        let results = try Session(g).run([g.randomNormal(shape: [10]), g.randomNormal(shape: [10])])
        #expect(results[0] != results[1])
    }

    @Test(
        "the moments are right, in both dtypes, on one thread and two", arguments: [DType.float32, .float64], [1, 2])
    func moments(dtype: DType, threads: Int) throws {
        let g = Graph()
        let n = 200_000
        let normal = g.randomNormal(shape: [n], mean: 2, stddev: 3, dtype: dtype)
        let truncated = g.truncatedNormal(shape: [n], stddev: 0.5, dtype: dtype)
        let values = try Session(g, options: SessionOptions(threads: threads)).run([normal, truncated]).map {
            try $0.doubles
        }
        func moments(_ x: [Double]) -> (mean: Double, deviation: Double) {
            let mean = x.reduce(0, +) / Double(x.count)
            return (mean, (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)).squareRoot())
        }
        let (a, b) = (moments(values[0]), moments(values[1]))
        #expect((a.mean - 2).magnitude < 0.03 && (a.deviation - 3).magnitude < 0.03)
        #expect(b.mean.magnitude < 0.01 && (b.deviation - 0.5 * 0.8796).magnitude < 0.005)
        #expect(values[1].allSatisfy { $0.magnitude < 1 })
    }

    @Test("a shape that the run computes gives the numbers of a shape known before")
    func computedShapes() throws {
        let g = Graph(seed: 3)
        let shape = g.placeholder(.int32, [1])
        let nodes = [
            g.randomUniform(shape: shape, seed: 5), g.randomUniform(shape: [4], seed: 5),
            g.randomNormal(shape: shape, seed: 5), g.randomNormal(shape: [4], seed: 5),
            g.truncatedNormal(shape: shape, seed: 5), g.truncatedNormal(shape: [4], seed: 5),
        ]
        let values = try Session(g).run(nodes, feeds: [shape: [4]])
        for i in stride(from: 0, to: 6, by: 2) { #expect(values[i] == values[i + 1] && values[i].shape == [4]) }
    }

    @Test("the numbers do not depend on the number of threads")
    func threads() throws {
        let values = try [1, 2].map { threads in
            let g = Graph()
            let x = g.truncatedNormal(shape: [30_001])
            return try Session(g, options: SessionOptions(threads: threads)).run(x)
        }
        #expect(values[0] == values[1])
    }

    @Test("the runs of a session are TensorFlow's, one after the other")
    func successiveRuns() throws {
        let g = Graph(seed: 1)
        let numbers = g.randomUniformInt(shape: [5], max: 100, seed: 2)
        let order = randomShuffle(g.constant((0..<7).map { Int32($0) }), seed: 2)
        let classes = multinomial(g.constant(Tensor.zeros(.float32, sized: [2, 3])), samples: 5, seed: 2)
        let session = try Session(g)
        let runs = try (0..<3).map { _ in try session.run([numbers, order, classes]).map { try $0.integers } }
        #expect(runs.map { $0[0] } == [[99, 15, 2, 9, 31], [54, 78, 90, 55, 5], [30, 47, 28, 32, 12]])
        #expect(
            runs.map { $0[1] } == [[5, 6, 4, 2, 1, 0, 3], [6, 2, 0, 1, 3, 4, 5], [5, 6, 3, 2, 0, 4, 1]])
        #expect(
            runs.map { $0[2] } == [
                [0, 1, 0, 0, 2, 2, 1, 1, 2, 0], [1, 0, 0, 0, 2, 2, 1, 0, 2, 1], [0, 2, 2, 1, 1, 1, 1, 2, 2, 2],
            ])
    }

    @Test("whole numbers keep to their range, and an empty one is refused")
    func wholeNumbers() throws {
        let g = Graph()
        let x = g.randomUniformInt(shape: [1000], min: -3, max: 4, dtype: .int64)
        #expect(Set(try Session(g).run(x).array(of: Int64.self)) == Set(-3...3))
        _ = g.randomUniformInt(shape: [1], min: 4, max: 4)
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("minval must be less than maxval, got 4 and 4") == true)
        let h = Graph()
        _ = h.randomUniformInt(shape: [1], max: 1 << 40)
        #expect(throws: GraphError.self) { try h.validate() }
    }

    @Test("a limit that is fed is checked by the run")
    func fedLimit() throws {
        let g = Graph()
        let limit = g.placeholder(.int32, [])
        let x = g.add(RandomUniformInt.self, [g.constant([Int32(2)]), g.constant(Int32(0)), limit]).node
        let session = try Session(g)
        #expect(try session.run(x, feeds: [limit: Tensor(Int32(1))]) == Tensor([Int32(0), 0]))
        let error = #expect(throws: GraphError.self) { try session.run(x, feeds: [limit: Tensor(Int32(0))]) }
        #expect(error?.description.contains("minval must be less than maxval, got 0 and 0") == true)
    }

    @Test("a shuffle keeps every row whole, once")
    func shuffle() throws {
        let g = Graph()
        let rows = (0..<50).map { [Double($0), Double($0) * 10] }
        let shuffled = try Session(g).run(randomShuffle(g.constant(rows))).doubles
        #expect((0..<50).allSatisfy { shuffled[2 * $0 + 1] == 10 * shuffled[2 * $0] })
        let order = (0..<50).map { shuffled[2 * $0] }
        #expect(order.sorted() == rows.map { $0[0] } && order != rows.map { $0[0] })
    }

    @Test("classes come as often as the softmax says; a logit of −∞ never; none to draw is an error")
    func frequencies() throws {
        let g = Graph()
        let logits = g.constant([[0.0, -.infinity, 1], [2, 2, 2]], dtype: .float64)
        let drawn = try Session(g).run(multinomial(logits, samples: 20_000, dtype: .int32)).integers
        func share(_ row: Int, _ choice: Int) -> Double {
            Double(drawn[row * 20_000..<(row + 1) * 20_000].count { $0 == choice }) / 20_000
        }
        for (choice, expected) in [0.2689, 0, 0.7311].enumerated() {
            #expect((share(0, choice) - expected).magnitude < 0.015)
        }
        for choice in 0..<3 { #expect((share(1, choice) - 1.0 / 3).magnitude < 0.015) }
        #expect(share(0, 1) == 0)
        _ = multinomial(g.constant(Tensor.zeros(.float32, sized: [2, 0])), samples: 1)
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("have no class to draw") == true)
    }
}
