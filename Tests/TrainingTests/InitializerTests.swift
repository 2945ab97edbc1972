import Dataflow
import Testing
import Training

struct InitializerRow: Sendable, CustomTestStringConvertible {
    let title: String
    let rule: Initializer
    let shape: Shape
    let mean: Double
    let deviation: Double
    let range: ClosedRange<Double>
    var testDescription: String { title }

    static func cut(_ title: String, _ rule: Initializer, _ shape: Shape, variance: Double) -> InitializerRow {
        let limit = 2 * variance.squareRoot() / 0.87962566103423978
        return InitializerRow(
            title: title, rule: rule, shape: shape, mean: 0, deviation: variance.squareRoot(), range: -limit...limit)
    }

    static func flat(_ title: String, _ rule: Initializer, _ shape: Shape, variance: Double) -> InitializerRow {
        let limit = (3 * variance).squareRoot()
        return InitializerRow(
            title: title, rule: rule, shape: shape, mean: 0, deviation: variance.squareRoot(), range: -limit...limit)
    }

    static let all: [InitializerRow] = [
        InitializerRow(title: "zeros", rule: .zeros, shape: [3, 2], mean: 0, deviation: 0, range: 0...0),
        InitializerRow(title: "constant", rule: .constant(0.5), shape: [7], mean: 0.5, deviation: 0, range: 0.5...0.5),
        InitializerRow(
            title: "normal", rule: .normal(mean: 1, stddev: 2), shape: [200, 200], mean: 1, deviation: 2,
            range: -11...13),
        InitializerRow(
            title: "truncated normal", rule: .truncatedNormal(mean: 1, stddev: 2), shape: [200, 200], mean: 1,
            deviation: 2 * 0.87962566, range: -3...5),
        InitializerRow(
            title: "uniform", rule: .uniform(min: -1, max: 3), shape: [200, 200], mean: 1,
            deviation: 4 / 12.squareRoot(),
            range: -1...3),
        flat("Glorot uniform", .glorotUniform, [300, 100], variance: 1.0 / 200),
        cut("Glorot normal", .glorotNormal, [300, 100], variance: 1.0 / 200),
        flat("He uniform", .heUniform, [300, 100], variance: 2.0 / 300),
        cut("He normal", .heNormal, [300, 100], variance: 2.0 / 300),
        // 3 × 3 × 16 inputs of a unit; 3 × 3 × 64 outputs.
        cut("He normal of a convolution", .heNormal, [3, 3, 16, 64], variance: 2.0 / 144),
        flat("Glorot uniform of a convolution", .glorotUniform, [3, 3, 16, 64], variance: 1.0 / 360),
    ]
}

@Suite("Initializers")
struct InitializerTests {
    @Test("mean, deviation and range", arguments: InitializerRow.all, [DType.float32, .float64])
    func statistics(row: InitializerRow, dtype: DType) throws {
        let g = Graph(seed: 5)
        let w = g.variable(row.rule.node(in: g, shape: row.shape, dtype: dtype))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let value = try session.value(of: w)
        #expect(value.shape == row.shape && value.dtype == dtype)
        let x = try value.doubles
        let mean = x.reduce(0, +) / Double(x.count)
        let deviation = (x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count)).squareRoot()
        // Five standard errors of the mean; the deviation of ≥ 9,216 numbers to 4 %.
        #expect(Swift.abs(mean - row.mean) <= 5 * row.deviation / Double(x.count).squareRoot() + 1e-12)
        #expect(Swift.abs(deviation - row.deviation) <= 0.04 * row.deviation + 1e-12)
        #expect(x.allSatisfy { row.range.contains($0) || Swift.abs($0 - row.range.upperBound) < 1e-6 })
    }

    @Test("a seed repeats, another differs")
    func seeds() throws {
        func draw(_ seed: Int) throws -> Tensor {
            let g = Graph(seed: seed)
            return try Session(g).run(Initializer.heNormal.node(in: g, shape: [4, 4]))
        }
        #expect(try draw(1) == draw(1))
        #expect(try draw(1) != draw(2))
    }

    @Test("a shape that is not known is a mistake of the graph")
    func unknown() {
        let g = Graph()
        _ = Initializer.zeros.node(in: g, shape: [nil, 3])
        #expect(throws: GraphError.self) { try g.validate() }
    }
}
