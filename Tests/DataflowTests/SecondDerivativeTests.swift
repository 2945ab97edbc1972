import Dataflow
import Testing

/// Gradients of gradients through loops and branches.
@Suite("Derivatives of loops' gradients")
struct SecondDerivativeTests {
    private func power(_ x: Node, _ n: Node) -> Node {
        let g = x.graph
        return whileLoop(
            [g.constant(Int32(0)), onesLike(x)], while: { less($0[0], n) }, do: { [$0[0] + 1, $0[1] * x] })[1]
    }

    @Test("the first four derivatives of a power", arguments: [0, 1, 2, 3, 5])
    func powers(n: Int) throws {
        let g = Graph()
        let (x, count) = (g.placeholder(.float64, []), g.placeholder(.int32, []))
        var derivatives = [power(x, count)]
        for _ in 0..<3 { derivatives.append(try #require(g.gradients(of: derivatives.last!, by: [x])[0])) }
        let got = try Session(g).run(derivatives, feeds: [x: Tensor(1.5, dtype: .float64), count: Tensor(Int32(n))]).map
        {
            try $0.doubles[0]
        }
        var factor = 1.0
        for (k, value) in got.enumerated() {
            let rest = (0..<Swift.max(n - k, 0)).reduce(1.0) { product, _ in product * 1.5 }
            #expect(abs(value - factor * rest) < 1e-10, "derivative \(k)")
            factor *= Double(Swift.max(n - k, 0))
        }
    }

    /// A product of the second derivatives with `direction`, against central differences of the first.
    private func checkSecond(_ y: Node, by x: Node, at: [Double], feeds: Feeds = [:]) throws {
        let g = y.graph
        let first = try #require(g.gradients(of: y, by: [x])[0])
        let direction = g.constant(Tensor(at.indices.map { Double($0) * 0.7 - 0.4 }))
        try LoopTests.checkGradient(sum(first * direction), by: x, at: at, feeds: feeds)
    }

    @Test("a recurrence with a matrix")
    func recurrence() throws {
        let g = Graph()
        let (x, w) = (g.placeholder(.float64, [4]), g.placeholder(.float64, [2, 2]))
        let rows = reshape(x, [2, 2])
        let h = whileLoop(
            [g.constant(Int32(0)), rows], while: { less($0[0], g.constant(Int32(4))) },
            do: { [$0[0] + 1, tanh(matmul($0[1], w) + rows * 0.5)] })[1]
        try checkSecond(
            sum(h * h), by: x, at: [0.3, -0.2, 0.5, 0.1],
            feeds: [w: Tensor([[0.4, -0.3], [0.2, 0.9]], dtype: .float64)])
    }

    @Test("a loop in a loop, and a branch in it")
    func nested() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let y = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
            do: { outer in
                let inner = whileLoop(
                    [g.constant(Int32(0)), outer[1]], while: { lessEqual($0[0], outer[0]) },
                    do: { [$0[0] + 1, sin($0[1]) * x] })[1]
                let chosen = cond(
                    greater(outer[0], g.constant(Int32(0))), then: { [inner * exp(x)] }, else: { [inner + x] })
                return [outer[0] + 1, chosen[0]]
            })[1]
        try checkSecond(sum(y * y), by: x, at: [0.8, -0.6])
    }

    @Test("what a loop leaves as it is, and what only the number of iterations depends on")
    func invariants() throws {
        let g = Graph()
        let (x, n) = (g.placeholder(.float64, [3]), g.placeholder(.int32, []))
        let scale = x * x
        let y = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], n) }, do: { [$0[0] + 1, $0[1] * scale + sin($0[1])] })[1]
        for count in [0, 1, 4] {
            try checkSecond(sum(y), by: x, at: [0.3, 0.9, -0.7], feeds: [n: Tensor(Int32(count))])
        }
    }

    @Test("the numbers that a loop draws are the same in all derivatives")
    func random() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let y = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
            do: { [$0[0] + 1, $0[1] * x * g.randomUniform(shape: [], min: 1, max: 2, dtype: .float64)] })[1]
        let first = try #require(g.gradients(of: y, by: [x])[0])
        let second = try #require(g.gradients(of: first, by: [x])[0])
        let third = try #require(g.gradients(of: second, by: [x])[0])
        let session = try Session(g)
        for _ in 0..<2 {
            // y = x⁴ times the numbers drawn.
            let got = try session.run([y, first, second, third], feeds: [x: Tensor(1.0, dtype: .float64)]).map {
                try $0.doubles[0]
            }
            for (value, factor) in zip(got, [1.0, 4, 12, 24]) { #expect(abs(value - factor * got[0]) < 1e-10) }
        }
    }
}
