import Dataflow
import Testing

/// A tour of the engine: read this first.
@Suite("A tour of the engine")
struct TourTests {
    @Test("a matrix product on the CPU")
    func product() throws {
        let g = Graph()
        let product = g.device("/cpu:0") { matmul(g.constant([[3.0, 3]]), g.constant([[2.0], [2]])) }
        #expect(try Session(g).run(product) == Tensor([[12.0]]))
    }

    @Test("a Variable counts up, and cannot be read before it is initialised")
    func counter() throws {
        let g = Graph()
        let state = g.variable(0.0, name: "counter")
        let update = state.assign(state + 1)
        let session = try Session(g)
        #expect(throws: GraphError.self) { try session.run(state) }
        try session.execute(g.globalVariablesInitializer())
        for i in 1...3 { #expect(try session.run(update).scalar(Float.self) == Float(i)) }
        #expect(try session.run(state).scalar(Float.self) == 3)
    }

    @Test("placeholders are fed, and several nodes fetched at once")
    func feeds() throws {
        let g = Graph()
        let a = g.placeholder(.float32)
        let b = g.placeholder(.float32)
        let results = try Session(g).run([mul(a, b), a + b], feeds: [a: Tensor([Float(7)]), b: Tensor([Float(2)])])
        #expect(try results.map { try $0.doubles } == [[14], [9]])
    }

    @Test("gradients are nodes, and have gradients")
    func gradients() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let y = x * x * x
        let first = try #require(g.gradients(of: y, by: [x])[0])
        let second = try #require(g.gradients(of: first, by: [x])[0])
        let results = try Session(g).run([y, first, second], feeds: [x: Tensor(2.0, dtype: .float64)])
        #expect(try results.map { try $0.doubles[0] } == [8, 12, 12])
    }

    @Test("a small network learns XOR")
    func xor() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2])
        let label = g.placeholder(.float32, [nil, 1])
        let w1 = g.variable(Tensor((0..<20).map { Float(($0 * 7 % 11)) / 6 - 0.8 }, sized: [2, 10]))
        let b1 = g.variable(Tensor(repeating: Float(0.1), sized: [1, 10]))
        let w2 = g.variable(Tensor((0..<10).map { Float(($0 * 5 % 7)) / 4 - 0.7 }, sized: [10, 1]))
        let b2 = g.variable(Tensor(repeating: Float(0.1), sized: [1, 1]))
        let out = matmul(relu(matmul(x, w1) + b1), w2) + b2
        let loss = mean(sum(square(label - out), axes: [1]))
        let weights = [w1, b1, w2, b2]
        let gradients = g.gradients(of: loss, by: weights)
        let rate = g.constant(Float(0.05))
        let train = g.group(
            zip(weights, gradients).map { weight, gradient in
                g.add(ApplyGradientDescent.self, [weight.reference, rate, gradient!]).node
            })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let feeds: Feeds = [
            x: Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), label: Tensor([[0.0], [1], [1], [0]]),
        ]
        for _ in 0..<2000 { try session.execute(train, feeds: feeds) }
        #expect(try session.run(loss, feeds: feeds).scalar(Float.self) < 1e-3)
    }

    @Test("a wrong shape is told with both shapes and the line, once, at the session")
    func errors() throws {
        let g = Graph()
        let a = g.constant([[1.0, 2]])
        let line: UInt = #line + 1
        let wrong = matmul(a, a)
        _ = relu(wrong) + 1
        let error = #expect(throws: GraphError.self) { try Session(g) }
        #expect(error?.description.contains("a is [1, 2], b is [1, 2]") == true)
        #expect(error?.location?.line == line)
    }
}
