import Dataflow
import OperationCoverage
import Testing

/// A tour of the engine: read this first.
@Suite("A tour of the engine", .exercises(.tour))
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
        let state = g.variable(0, name: "counter")
        let update = state.assign(state + 1)
        let session = try Session(g)
        #expect(throws: GraphError.self) { try session.run(state) }
        try session.execute(g.globalVariablesInitializer())
        for i in 1...3 { #expect(try session.run(update) == Tensor(i, dtype: .int32)) }
        #expect(try session.run(state) == Tensor(3))
    }

    @Test("placeholders are fed, and several nodes fetched at once")
    func feeds() throws {
        let g = Graph()
        let a = g.placeholder(.float32)
        let b = g.placeholder(.float32)
        let results = try Session(g).run([a * b, a + 2 * b], feeds: [a: [7, 1], b: 2])
        #expect(results == [Tensor([14.0, 2]), Tensor([11.0, 5])])
    }

    @Test("parts of a node are taken as in numpy")
    func subscripts() throws {
        let g = Graph()
        let x = g.constant([[1, 2, 3], [4, 5, 6]])
        let results = try Session(g).run([x[0], x[..., -1], x[1, 1...], sum(x, axis: 1)])
        #expect(results == [Tensor([1, 2, 3]), Tensor([3, 6]), Tensor([5, 6]), Tensor([6, 15])])
    }

    @Test("gradients are nodes, and have gradients")
    func gradients() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let y = pow(x, 3)
        let first = try #require(g.gradients(of: y, by: [x])[0])
        let second = try #require(g.gradients(of: first, by: [x])[0])
        let results = try Session(g).run([y, first, second], feeds: [x: 2])
        #expect(try results.map { try $0.doubles[0] } == [8, 12, 12])
    }

    @Test("a small network learns XOR")
    func xor() throws {
        let g = Graph(seed: 3)
        let x = g.placeholder(.float32, [nil, 2])
        let label = g.placeholder(.float32, [nil, 1])
        let w1 = g.variable(g.randomNormal(shape: [2, 10]))
        let b1 = g.variable(0.1, shape: [10])
        let w2 = g.variable(g.randomNormal(shape: [10, 1]))
        let b2 = g.variable(0.1, shape: [1])
        let out = matmul(relu(matmul(x, w1) + b1), w2) + b2
        let loss = mean(square(label - out))
        let slopes = g.gradients(of: loss, by: g.trainableVariables)
        let train = g.group(zip(g.trainableVariables, slopes).map { $0.assignSub(0.1 * $1!) })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let cases: Feeds = [x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]]]
        for _ in 0..<2000 { try session.execute(train, feeds: cases) }
        #expect(try session.run(loss, feeds: cases).scalar(Float.self) < 1e-3)
        #expect(try session.run(out, feeds: cases).isClose(to: [[0], [1], [1], [0]], absolute: 0.1))
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
