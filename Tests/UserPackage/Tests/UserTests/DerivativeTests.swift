import Dataflow
import Testing

@Suite("Derivatives")
struct DerivativeTests {
    @Test("a Hessian-vector product: the gradient of gradient · vector")
    func hessianVectorProduct() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let v = g.placeholder(.float64, [2])
        // H = [[6 x₀, 4 x₁], [4 x₁, 4 x₀]]
        let f = pow(x[0], 3) + 2 * x[0] * square(x[1])
        let gradient = try #require(g.gradients(of: f, by: [x])[0])
        let product = try #require(g.gradients(of: sum(gradient * v), by: [x])[0])
        let values = try Session(g).run([gradient, product], feeds: [x: [1, 2], v: [1, -1]])
        #expect(try values[0].doubles == [11, 8] && values[1].doubles == [-2, 4])
    }

    @Test("the derivative of a loop: x to the power of n")
    func loop() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let n = g.placeholder(.int32, [])
        let power = whileLoop([g.constant(0), onesLike(x)], while: { $0[0] .< n }, do: { [$0[0] + 1, $0[1] * x] })[1]
        let slope = try #require(g.gradients(of: power, by: [x])[0])
        let session = try Session(g)
        for count in 0...5 {
            let values = try session.run([power, slope], feeds: [x: 2, n: count])
            let (value, derivative) = (Double(1 << count), Double(count << count) / 2)
            #expect(try values[0].doubles == [value] && values[1].doubles == [derivative])
        }
    }

    @Test("a loop in a loop: the sum of i · j")
    func nestedLoops() throws {
        let g = Graph()
        let n = g.placeholder(.int32, [])
        let zero = g.constant(0)
        let total = whileLoop([zero, zero], while: { $0[0] .< n }) { outer in
            let row = whileLoop([zero, outer[1]], while: { $0[0] .< n }) { inner in
                [inner[0] + 1, inner[1] + outer[0] * inner[0]]
            }
            return [outer[0] + 1, row[1]]
        }[1]
        let session = try Session(g)
        for (count, expected) in [(0, 0), (1, 0), (4, 36), (10, 2025)] {
            #expect(try session.run(total, feeds: [n: count]).integers == [expected])
        }
    }

    @Test("gradients by hand agree with the graph's, and train a line")
    func byHand() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let y = g.placeholder(.float32, [nil])
        let w = g.variable(0.0)
        let b = g.variable(0.0)
        let error = w * x + b - y
        let byHand = [mean(2 * error * x), mean(2 * error)]
        let byGraph = g.gradients(of: mean(square(error)), by: [w, b]).compactMap { $0 }
        let step = g.group(zip([w, b], byHand).map { $0.assignSub(0.1 * $1) })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let feeds: Feeds = [x: [-1, 0, 1, 2], y: [-1, 1, 3, 5]]
        let values = try session.run(byHand + byGraph, feeds: feeds)
        #expect(values[0].isClose(to: values[2]) && values[1].isClose(to: values[3]))
        for _ in 0..<200 { try session.execute(step, feeds: feeds) }
        #expect(try session.value(of: w).isClose(to: 2, absolute: 1e-3))
        #expect(try session.value(of: b).isClose(to: 1, absolute: 1e-3))
    }
}
