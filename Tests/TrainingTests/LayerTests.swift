import Dataflow
import Testing
import Training

@Suite("Layers")
struct LayerTests {
    @Test("a dense layer is activation(x · kernel + bias)", arguments: [Activation.linear, .relu])
    func values(activation: Activation) throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2])
        let y = dense(
            x, units: 3, activation: activation, initializer: .constant(2), biasInitializer: .constant(0.5),
            name: "layer")
        #expect(y.shape == [nil, 3])
        #expect(g.trainableVariables.map(\.name) == ["layer/kernel", "layer/bias"])
        #expect(g.variables.map(\.shape) == [[2, 3], [3]])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let result = try session.run(y, feeds: [x: Tensor([[1.0, 2], [-3, 1]])])
        let low: Float = activation == .relu ? 0 : -3.5
        #expect(try result == Tensor([[Float(6.5), 6.5, 6.5], [low, low, low]]))
    }

    @Test("two layers of one name get names of their own")
    func names() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, 4])
        _ = dense(dense(x, units: 3), units: 2, useBias: false)
        try g.validate()
        #expect(g.variables.map(\.name) == ["dense/kernel", "dense/bias", "dense_1/kernel"])
        #expect(g.variables.allSatisfy { $0.dtype == .float64 })
    }

    @Test("an input that is no matrix of known width is told with its shape")
    func wrongInput() throws {
        for shape: Shape in [[nil, nil], [3], .unknown] {
            let g = Graph()
            _ = dense(g.placeholder(.float32, shape), units: 2)
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.description.contains("known number of columns") == true)
        }
        let g = Graph()
        _ = dense(g.placeholder(.float32, [nil, 2]), units: 0)
        #expect(throws: GraphError.self) { try g.validate() }
    }

    @Test("penalties reach the loss and its gradient")
    func regularization() throws {
        let g = Graph()
        let x = g.constant([[1.0, 1]], dtype: .float64)
        let y = dense(x, units: 1, initializer: .constant(-2), l1: 0.5, l2: 0.25)
        let total = regularized(sum(y))
        let gradient = try #require(g.gradients(of: total, by: [g.variables[0]])[0])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run([total, gradient]).map { try $0.doubles }
        // −4 + 0.5·(2 + 2) + 0.25·½·(4 + 4); 1 − 0.5 + 0.25·(−2)
        #expect(values == [[-1], [0, 0]])
    }

    @Test("every activation by its name", arguments: Activation.allCases)
    func activations(activation: Activation) throws {
        let g = Graph()
        let y = Activation(rawValue: activation.rawValue)?(g.constant([[-1.0, 0, 2]], dtype: .float64))
        let value = try Session(g).run(try #require(y))
        #expect(value.shape == [1, 3])
        #expect(try value.doubles[2] > value.doubles[0])
    }

    @Test("dropout keeps the mean, and lets all pass when not training", arguments: [true, false])
    func dropoutMean(known: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float32, known ? [200, 200] : [nil, 200])
        let training = g.placeholder(.bool, [])
        let y = dropout(x, rate: 0.3, training: training)
        let session = try Session(g)
        let ones = Tensor(repeating: Float(1), sized: [200, 200])
        let dropped = try session.run(y, feeds: [x: ones, training: Tensor(true)]).doubles
        #expect(Swift.abs(dropped.reduce(0, +) / 40_000 - 1) < 0.02)
        #expect(Swift.abs(Double(dropped.count { $0 == 0 }) / 40_000 - 0.3) < 0.015)
        #expect(dropped.allSatisfy { $0 == 0 || Swift.abs($0 - 1 / 0.7) < 1e-6 })
        #expect(try session.run(y, feeds: [x: ones, training: Tensor(false)]) == ones)
        let again = try session.run(y, feeds: [x: ones, training: Tensor(true)]).doubles
        #expect(again != dropped)
    }

    @Test("the gradient passes where the element did")
    func dropoutGradient() throws {
        let g = Graph()
        let x = g.constant(Tensor(repeating: Float(1), sized: [100]))
        let y = dropout(x, rate: 0.5)
        let gradient = try #require(g.gradients(of: sum(y), by: [x])[0])
        let values = try Session(g).run([y, gradient])
        #expect(values[0] == values[1])
    }

    @Test("a rate beyond 0..<1 is a mistake of the graph", arguments: [-0.1, 1, .nan])
    func wrongRate(rate: Double) {
        let g = Graph()
        _ = dropout(g.constant([1.0], dtype: .float64), rate: rate)
        #expect(throws: GraphError.self) { try g.validate() }
    }
}
