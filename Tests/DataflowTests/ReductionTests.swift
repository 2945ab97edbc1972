import Dataflow
import OperationCoverage
import Testing

/// Reductions where the op table's vectors do not reach: zeros in products, ranks that are not known.
@Suite("Reductions", .exercises(.reductions))
struct ReductionTests {
    @Test("Cumprod, its exclusive and its reversed form", arguments: [false, true], [false, true])
    func cumulative(exclusive: Bool, reverse: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2, 3])
        let y = cumprod(x, axis: 1, exclusive: exclusive, reverse: reverse)
        let slope = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        let start: [Double] = [2, -3, 0.5, 5, 4, -1]
        let run = { (values: [Double], node: Node) in
            try session.run(node, feeds: [x: Tensor(values, sized: [2, 3])]).doubles
        }
        let expected = [0, 3].flatMap { row -> [Double] in
            (0..<3).map { i in
                let others = reverse ? i + (exclusive ? 1 : 0)..<3 : 0..<(exclusive ? i : i + 1)
                return others.reduce(1) { $0 * start[row + $1] }
            }
        }
        #expect(try run(start, y) == expected)
        let got = try run(start, slope)
        for i in start.indices {
            #expect(abs(try difference(start, i) { try run($0, y).reduce(0, +) } - got[i]) < 1e-6, "element \(i)")
        }
    }

    @Test(
        "the gradient of Prod holds with zeros, and without a known rank",
        arguments: [[0], [1], [0, 1], [-1], [-1, -2]], [true, false])
    func gradient(axes: [Int], isKnown: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float64, isKnown ? [2, 3] : .unknown)
        let y = prod(x, axes: axes)
        let slope = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        for start in [[2, -3, 0.5, 5, 4, -1], [0, -3, 0.5, 5, 4, -1], [0, -3, 0, 5, 0, -1]] as [[Double]] {
            let run = { (values: [Double], node: Node) in
                try session.run(node, feeds: [x: Tensor(values, sized: [2, 3])])
            }
            let got = try run(start, slope)
            #expect(got.shape == [2, 3])
            for i in start.indices {
                let numeric = try difference(start, i) { try run($0, y).doubles.reduce(0, +) }
                #expect(try abs(numeric - got.doubles[i]) < 1e-6, "element \(i) of \(start)")
            }
        }
    }

    @Test(
        "the gradient of Sum puts the axes back where they were", arguments: [[0, 2], [-3, -1], [2, 0], [0, -1]],
        [true, false])
    func axes(axes: [Int], isKnown: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float64, isKnown ? [2, 3, 4] : .unknown)
        let y = sum(x, axes: axes)
        let upstream = g.constant([1.0, 2, 3], dtype: .float64)
        let slope = try #require(g.gradients(of: [y], by: [x], upstream: [upstream])[0])
        let got = try Session(g).run(slope, feeds: [x: Tensor.zeros(.float64, sized: [2, 3, 4])])
        #expect(got == Tensor((0..<24).map { Double($0 / 4 % 3 + 1) }, sized: [2, 3, 4]))
    }

    @Test("without a known rank, a product over axes from both ends has no gradient, which is told")
    func bothEnds() throws {
        let g = Graph()
        let x = g.placeholder(.float64, .unknown)
        _ = g.gradients(of: prod(x, axes: [0, -1]), by: [x])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("count from both ends") == true, "\(error?.description ?? "")")
    }

    /// (f(x + h) − f(x − h)) / 2h along element `i`.
    private func difference(_ x: [Double], _ i: Int, _ f: ([Double]) throws -> Double) rethrows -> Double {
        let h = 1e-5
        let values = try [x[i] - h, x[i] + h].map { moved in
            var copy = x
            copy[i] = moved
            return try f(copy)
        }
        return (values[1] - values[0]) / (2 * h)
    }
}
