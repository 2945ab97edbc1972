import Testing

import Dataflow

@Suite("Matrix precision")
struct MatrixPrecisionTests {
    private func numbers(_ shape: Shape, seed: Int) throws -> Tensor {
        let g = Graph(seed: seed)
        return try Session(g).run(g.randomNormal(shape: shape))
    }

    @Test(
        "bfloat16 products are those of the rounded factors, added up in float32",
        arguments: [(false, false), (false, true), (true, false), (true, true)])
    func product(transposeA: Bool, transposeB: Bool) throws {
        let a = try numbers(transposeA ? [50, 33] : [33, 50], seed: 1)
        let b = try numbers(transposeB ? [41, 50] : [50, 41], seed: 2)
        func run(_ precision: MatrixPrecision, rounded: Bool) throws -> Tensor {
            let g = Graph()
            let (x, y) = (g.placeholder(.float32), g.placeholder(.float32))
            let factors = [x, y].map { rounded ? cast(cast($0, to: .bfloat16), to: .float32) : $0 }
            let z = matmul(factors[0], factors[1], transposeA: transposeA, transposeB: transposeB)
            return try Session(g, options: SessionOptions(matrixPrecision: precision)).run(z, feeds: [x: a, y: b])
        }
        let expected = try run(.float32, rounded: true).doubles
        let got = try run(.bfloat16, rounded: false).doubles
        for (x, y) in zip(got, expected) { #expect(abs(x - y) < 1e-4) }
        let exact = try run(.float32, rounded: false).doubles
        #expect(zip(got, exact).contains { abs($0 - $1) > 1e-3 }, "the factors are rounded")
    }

    @Test("batches of products too, broadcast over")
    func batches() throws {
        let (a, b) = (try numbers([3, 20, 30], seed: 3), try numbers([1, 30, 25], seed: 4))
        func run(_ precision: MatrixPrecision, rounded: Bool) throws -> Tensor {
            let g = Graph()
            let factors = [g.constant(a), g.constant(b)].map {
                rounded ? cast(cast($0, to: .bfloat16), to: .float32) : $0
            }
            let z = matmul(factors[0], factors[1])
            return try Session(g, options: SessionOptions(matrixPrecision: precision)).run(z)
        }
        let (got, expected) = (try run(.bfloat16, rounded: false), try run(.float32, rounded: true))
        #expect(got.shape == [3, 20, 25])
        for (x, y) in try zip(got.doubles, expected.doubles) { #expect(abs(x - y) < 1e-4) }
    }

    @Test("infinities and NaN stay what they are, and float64 products are not rounded")
    func specials() throws {
        let g = Graph()
        var values = [Float](repeating: 1, count: 40 * 40)
        values[0] = .infinity
        values[40] = .nan
        values[80] = .greatestFiniteMagnitude
        let z = matmul(
            g.constant(Tensor(values, sized: [40, 40])),
            g.constant(Tensor([Float](repeating: 1, count: 1600), sized: [40, 40])))
        let options = SessionOptions(matrixPrecision: .bfloat16)
        let result = try Session(g, options: options).run(z).array(of: Float.self)
        #expect(result[0] == .infinity)
        #expect(result[40].isNaN)
        #expect(result[80] == .infinity, "the largest float rounds up")
        #expect(result[120] == 40)
        let wide = matmul(
            g.constant(Tensor.numbers([1.0001], dtype: .float64, sized: [1, 1])),
            g.constant(
                Tensor.numbers([1], dtype: .float64, sized: [1, 1])))
        #expect(try Session(g, options: options).run(wide).doubles == [1.0001])
    }
}
