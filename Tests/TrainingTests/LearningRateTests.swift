import Dataflow
import Testing
import Training

@Suite("Learning rates")
struct LearningRateTests {
    /// Every optimizer, made with a rate of any kind.
    static func optimizers(_ rate: some LearningRateConvertible) -> [any Optimizer] {
        [
            GradientDescent(learningRate: rate), Momentum(learningRate: rate), Adagrad(learningRate: rate),
            RMSProp(learningRate: rate), Adam(learningRate: rate), AdamW(learningRate: rate),
            Adadelta(learningRate: rate), Ftrl(learningRate: rate),
        ]
    }

    /// The value of [1, 2] after two steps toward 0.
    private func trained(
        _ dtype: DType, _ optimizer: (Graph) -> any Optimizer, feeds: (Graph) throws -> Feeds = { _ in [:] }
    ) throws -> [Double] {
        let g = Graph()
        let w = g.variable(.numbers([1, 2], dtype: dtype, sized: [2]), name: "w")
        let train = optimizer(g).minimize(sum(square(w)))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for _ in 0..<2 { try session.execute(train, feeds: try feeds(g)) }
        return try session.value(of: w).knownDoubles
    }

    @Test("a variable, a Float, a schedule and a node are the number that they are", arguments: 0..<8)
    func kinds(index: Int) throws {
        let (rate, single) = (0.25, Float(0.25))
        for dtype: DType in [.float32, .float64] {
            let expected = try trained(dtype) { _ in Self.optimizers(0.25)[index] }
            #expect(try trained(dtype) { _ in Self.optimizers(rate)[index] } == expected)
            #expect(try trained(dtype) { _ in Self.optimizers(single)[index] } == expected)
            #expect(try trained(dtype) { _ in Self.optimizers(LearningRate.constant(rate))[index] } == expected)
            for other: DType in [.float32, .float64, .bfloat16] {
                let number = Tensor.numbers([rate], dtype: other, sized: [])
                #expect(try trained(dtype) { Self.optimizers($0.constant(number))[index] } == expected)
                #expect(
                    try trained(dtype) { Self.optimizers($0.variable(number, trainable: false))[index] } == expected)
                let fed = try trained(dtype) {
                    Self.optimizers($0.placeholder(other, [], name: "rate"))[index]
                } feeds: {
                    [try $0.node(named: "rate"): number]
                }
                #expect(fed == expected)
            }
        }
    }

    @Test("a whole number, and a schedule by its short name")
    func literals() throws {
        let step = 1
        #expect(GradientDescent(learningRate: 1).learningRate == GradientDescent(learningRate: step).learningRate)
        let g = Graph()
        let globalStep = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let w = g.variable(Tensor([8.0]), name: "w")
        let optimizer = GradientDescent(
            learningRate: .exponentialDecay(initial: 0.25, steps: 1, rate: 0.5, staircase: true))
        let train = optimizer.minimize(sum(square(w)), globalStep: globalStep)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for _ in 0..<2 { try session.execute(train) }
        // 8 · (1 − 2 · 0.25) · (1 − 2 · 0.125)
        #expect(try session.value(of: w).knownDoubles == [3])
        var adam = AdamW()
        adam.learningRate = 0.5
        #expect(adam.learningRate == 0.5)
    }

    @Test("a node that is no number is told at the user's line")
    func wrongNodes() throws {
        for node in [{ (g: Graph) in g.constant([0.1, 0.2]) }, { $0.constant(true) }, { _ in Graph().constant(0.1) }] {
            let g = Graph()
            let w = g.variable(Tensor([1.0]), name: "w")
            let line: UInt = #line + 1
            _ = Adam(learningRate: node(g)).minimize(sum(square(w)))
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.location?.line == line, "\(error?.description ?? "")")
        }
    }

    @Test("no gradients and no nodes are mistakes that a run tells, not traps")
    func nothing() throws {
        let g = Graph()
        let line: UInt = #line + 1
        let train = Adam().applyGradients([])
        let session = try Session(g)
        for run in [train, g.group([train])] {
            let error = #expect(throws: GraphError.self) { try session.execute(run) }
            #expect(error?.description.contains("at least one gradient") == true, "\(error?.description ?? "")")
            #expect(error?.location?.line == line)
        }
        let h = Graph()
        _ = h.constant(Float(1)) * globalNorm([])
        let error = #expect(throws: GraphError.self) { try h.validate() }
        #expect(error?.description.contains("no norm of no nodes") == true)
        #expect(clipByGlobalNorm([Node](), norm: 1).norm == nil)
    }
}
