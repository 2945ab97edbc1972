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
        let values = try Session(g, options: SessionOptions(threads: threads)).run([normal, truncated]).map(\.doubles)
        func moments(_ x: [Double]) -> (mean: Double, deviation: Double) {
            let mean = x.reduce(0, +) / Double(x.count)
            return (mean, (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)).squareRoot())
        }
        let (a, b) = (moments(values[0]), moments(values[1]))
        #expect((a.mean - 2).magnitude < 0.03 && (a.deviation - 3).magnitude < 0.03)
        #expect(b.mean.magnitude < 0.01 && (b.deviation - 0.5 * 0.8796).magnitude < 0.005)
        #expect(values[1].allSatisfy { $0.magnitude < 1 })
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
}
