import Dataflow
import Testing

@Suite("Derivatives")
struct DerivativeTests {
    @Test("a Hessian-vector product: the gradient of gradient · vector")
    func hessianVectorProduct() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let v = g.placeholder(.float64, [2])
        // f = x₀³ + 2 x₀ x₁²; H = [[6 x₀, 4 x₁], [4 x₁, 4 x₀]]
        let x0 = gather(x, g.constant(Int32(0)))
        let x1 = gather(x, g.constant(Int32(1)))
        let f = x0 * x0 * x0 + 2 * x0 * square(x1)
        let gradient = try #require(g.gradients(of: f, by: [x])[0])
        let product = try #require(g.gradients(of: sum(gradient * stopGradient(v)), by: [x])[0])
        let session = try Session(g)
        let values = try session.run([gradient, product], feeds: [x: Tensor([1.0, 2]), v: Tensor([1.0, -1])])
        expectClose(values[0], [3 + 8, 8])
        expectClose(values[1], [6 - 8, 8 - 4])
    }

    @Test("the derivative of a loop: x to the power of n")
    func loop() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let n = g.placeholder(.int32, [])
        let power = whileLoop(
            [g.constant(Int32(0)), onesLike(x)], while: { less($0[0], n) }, do: { [$0[0] + 1, $0[1] * x] })[1]
        let slope = try #require(g.gradients(of: power, by: [x])[0])
        let session = try Session(g)
        for count in 0...5 {
            let values = try session.run([power, slope], feeds: [x: Tensor(1.5), n: Tensor(Int32(count))])
            let exact = (0..<count).reduce(1.0) { product, _ in product * 1.5 }
            expectClose(values[0], [exact])
            expectClose(values[1], [Double(count) * exact / 1.5])
        }
    }

    @Test("a loop in a loop: the sum of i · j")
    func nestedLoops() throws {
        let g = Graph()
        let n = g.placeholder(.int32, [])
        let zero = g.constant(Int32(0))
        let total = whileLoop([zero, zero], while: { less($0[0], n) }) { outer in
            let row = whileLoop([zero, outer[1]], while: { less($0[0], n) }) { inner in
                [inner[0] + 1, inner[1] + outer[0] * inner[0]]
            }
            return [outer[0] + 1, row[1]]
        }[1]
        let session = try Session(g)
        for n32 in [Int32(0), 1, 4, 10] {
            let edge = n32 * (n32 - 1) / 2
            #expect(try session.run(total, feeds: [n: Tensor(n32)]).scalar(Int32.self) == edge * edge)
        }
    }

    @Test("gradients by hand agree with the graph's, and train a line")
    func byHand() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let y = g.placeholder(.float32, [nil])
        let w = g.variable(Float(0))
        let b = g.variable(Float(0))
        let error = w * x + b - y
        let loss = mean(square(error))
        let byHand = [mean(2 * error * x), mean(2 * error)]
        let byGraph = g.gradients(of: loss, by: [w, b]).compactMap { $0 }
        let step = g.group(zip([w, b], byHand).map { $0.assignSub(0.1 * $1) })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let feeds = [x: Tensor([Float(-1), 0, 1, 2]), y: Tensor([Float(-1), 1, 3, 5])]
        let values = try session.run(byHand + byGraph, feeds: feeds)
        #expect(byGraph.count == 2)
        for i in 0..<2 { expectClose(values[i], values[2 + i].doubles, 1e-5) }
        for _ in 0..<200 { try session.execute(step, feeds: feeds) }
        expectClose(try session.value(of: w), [2], 1e-3)
        expectClose(try session.value(of: b), [1], 1e-3)
    }
}
