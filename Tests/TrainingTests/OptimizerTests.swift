import Dataflow
import Testing
import Training

/// A rule, what it should make of a quadratic in three steps, and what it is called.
struct OptimizerRow: Sendable, CustomTestStringConvertible {
    let title: String
    let rule: any Optimizer
    /// The formula of the paper (as TensorFlow has it) in Double: the next w for a gradient, with state of its own.
    let formula: @Sendable () -> (_ w: Double, _ g: Double) -> Double
    /// Rates and steps that reach the minimum of the convergence problems.
    let fast: any Optimizer
    let steps: Int
    /// The names of the slots of a Variable "w".
    let slots: [String]

    var testDescription: String { title }

    static let all: [OptimizerRow] = [
        OptimizerRow(
            title: "gradient descent", rule: GradientDescent(learningRate: 0.1), formula: { { w, g in w - 0.1 * g } },
            fast: GradientDescent(learningRate: 0.01), steps: 3000, slots: []),
        OptimizerRow(
            title: "momentum", rule: Momentum(learningRate: 0.1, momentum: 0.9),
            formula: {
                var a = 0.0
                return { w, g in
                    a = 0.9 * a + g
                    return w - 0.1 * a
                }
            }, fast: Momentum(learningRate: 0.002), steps: 3000, slots: ["w/Momentum"]),
        OptimizerRow(
            title: "Nesterov", rule: Momentum(learningRate: 0.1, momentum: 0.9, nesterov: true),
            formula: {
                var a = 0.0
                return { w, g in
                    a = 0.9 * a + g
                    return w - 0.1 * g - 0.1 * 0.9 * a
                }
            }, fast: Momentum(learningRate: 0.002, nesterov: true), steps: 3000, slots: ["w/Momentum"]),
        OptimizerRow(
            title: "Adagrad", rule: Adagrad(learningRate: 0.1),
            formula: {
                var a = 0.1
                return { w, g in
                    a += g * g
                    return w - 0.1 * g / a.squareRoot()
                }
            }, fast: Adagrad(learningRate: 0.5), steps: 3000, slots: ["w/Adagrad"]),
        OptimizerRow(
            title: "RMSProp", rule: RMSProp(learningRate: 0.1, decay: 0.9, momentum: 0.5, epsilon: 1e-3),
            formula: {
                var (s, m) = (1.0, 0.0)
                return { w, g in
                    s = 0.9 * s + 0.1 * g * g
                    m = 0.5 * m + 0.1 * g / (s + 1e-3).squareRoot()
                    return w - m
                }
            },
            fast: RMSProp(
                learningRate: .exponentialDecay(initial: 0.02, steps: 500, rate: 0.3), epsilon: 1e-8), steps: 4000,
            slots: ["w/RMSProp", "w/RMSProp_1"]),
        OptimizerRow(
            title: "Adam", rule: Adam(learningRate: 0.1),
            formula: {
                var (m, v, t) = (0.0, 0.0, 0.0)
                return { w, g in
                    t += 1
                    m = 0.9 * m + 0.1 * g
                    v = 0.999 * v + 0.001 * g * g
                    let unbiased1 = 1 - (0..<Int(t)).reduce(1.0) { p, _ in p * 0.9 }
                    let unbiased2 = 1 - (0..<Int(t)).reduce(1.0) { p, _ in p * 0.999 }
                    return w - 0.1 * unbiased2.squareRoot() / unbiased1 * m / (v.squareRoot() + 1e-8)
                }
            }, fast: Adam(learningRate: 0.02), steps: 3000, slots: ["w/Adam", "w/Adam_1"]),
        OptimizerRow(
            title: "AdamW", rule: AdamW(learningRate: 0.1, weightDecay: 0.05),
            formula: {
                var (m, v, p1, p2) = (0.0, 0.0, 1.0, 1.0)
                return { w, g in
                    (p1, p2) = (p1 * 0.9, p2 * 0.999)
                    m = 0.9 * m + 0.1 * g
                    v = 0.999 * v + 0.001 * g * g
                    let rate = 0.1 * (1 - p2).squareRoot() / (1 - p1)
                    return w - 0.1 * 0.05 * w - rate * m / (v.squareRoot() + 1e-8)
                }
            }, fast: AdamW(learningRate: 0.02, weightDecay: 1e-4), steps: 3000, slots: ["w/AdamW", "w/AdamW_1"]),
        OptimizerRow(
            title: "centered RMSProp",
            rule: RMSProp(learningRate: 0.1, decay: 0.9, momentum: 0.5, epsilon: 1e-3, centered: true),
            formula: {
                var (s, a, m) = (1.0, 0.0, 0.0)
                return { w, g in
                    a = 0.9 * a + 0.1 * g
                    s = 0.9 * s + 0.1 * g * g
                    m = 0.5 * m + 0.1 * g / (s - a * a + 1e-3).squareRoot()
                    return w - m
                }
            },
            fast: RMSProp(
                learningRate: .exponentialDecay(initial: 0.02, steps: 500, rate: 0.3), epsilon: 1e-4, centered: true),
            steps: 4000, slots: ["w/RMSProp", "w/RMSProp_1", "w/RMSProp_2"]),
        OptimizerRow(
            title: "Adadelta", rule: Adadelta(learningRate: 0.5, decay: 0.9, epsilon: 1e-4),
            formula: {
                var (a, u) = (0.0, 0.0)
                return { w, g in
                    a = 0.9 * a + 0.1 * g * g
                    let d = g * ((u + 1e-4) / (a + 1e-4)).squareRoot()
                    u = 0.9 * u + 0.1 * d * d
                    return w - 0.5 * d
                }
            },
            fast: Adadelta(learningRate: .exponentialDecay(initial: 1, steps: 500, rate: 0.3), epsilon: 1e-4),
            steps: 4000, slots: ["w/Adadelta", "w/Adadelta_1"]),
        OptimizerRow(
            title: "FTRL", rule: Ftrl(learningRate: 0.1, l1: 0.01, l2: 0.02),
            formula: {
                var (n, z) = (0.1, 0.0)
                return { w, g in
                    let next = n + g * g
                    z += g - (next.squareRoot() - n.squareRoot()) / 0.1 * w
                    n = next
                    if z.magnitude <= 0.01 { return 0 }
                    return ((z > 0 ? 0.01 : -0.01) - z) / (n.squareRoot() / 0.1 + 2 * 0.02)
                }
            }, fast: Ftrl(learningRate: 0.5), steps: 3000, slots: ["w/Ftrl", "w/Ftrl_1"]),
    ]
}

@Suite("Optimizers")
struct OptimizerTests {
    /// Places where the problems' minima are, found from a common start.
    static let problems: [(name: String, start: [Double], minimum: [Double])] = [
        ("parabola", [-1, 3, 0.5], [0, 1, 2]),
        ("valley", [-0.5, 1], [1, 1]),
    ]

    func loss(_ problem: String, _ w: Variable) -> Node {
        let g = w.graph
        if problem == "parabola" { return sum(square(w - g.constant([0.0, 1, 2], dtype: .float64))) }
        // Rosenbrock's function, its valley ten times less steep so that plain descent gets through in a test's time.
        let x = sum(w * g.constant([1.0, 0], dtype: .float64))
        let y = sum(w * g.constant([0.0, 1], dtype: .float64))
        return square(1 - x) + 10 * square(y - x * x)
    }

    @Test("three steps are those of the formula", arguments: OptimizerRow.all, [DType.float32, .float64])
    func formula(row: OptimizerRow, dtype: DType) throws {
        let g = Graph()
        let start = [1.0, -2.0, 0.25]
        let w = g.variable(.numbers(start, dtype: dtype, sized: [3]), name: "w")
        let train = row.rule.minimize(sum(square(w)))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        var expected = start
        let next = start.map { _ in row.formula() }
        for _ in 0..<3 {
            try session.execute(train)
            for i in expected.indices { expected[i] = next[i](expected[i], 2 * expected[i]) }
            let actual = try session.value(of: w).doubles
            for (a, e) in zip(actual, expected) {
                #expect(Swift.abs(a - e) <= (dtype == .float64 ? 1e-12 : 2e-6), "\(actual) instead of \(expected)")
            }
        }
    }

    @Test("every rule finds the minimum", arguments: OptimizerRow.all, [0, 1])
    func convergence(row: OptimizerRow, problem: Int) throws {
        let (name, start, minimum) = OptimizerTests.problems[problem]
        let g = Graph()
        let w = g.variable(Tensor(start), name: "w")
        let step = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let train = row.fast.minimize(loss(name, w), globalStep: step)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for _ in 0..<row.steps { try session.execute(train) }
        let found = try session.value(of: w).doubles
        for (a, b) in zip(found, minimum) { #expect(Swift.abs(a - b) < 0.02, "\(found)") }
        #expect(try session.value(of: step).scalar(Int64.self) == Int64(row.steps))
    }

    @Test("slots are named as TensorFlow names them, wherever minimize is called", arguments: OptimizerRow.all)
    func names(row: OptimizerRow) throws {
        let g = Graph()
        let w = g.variable(1.0, name: "w")
        g.scope("training") { _ = row.rule.minimize(square(w)) }
        try g.validate()
        let slots = g.variables.filter { $0.name.hasPrefix("w/") }
        #expect(slots.map(\.name) == row.slots)
        #expect(g.trainableVariables.map(\.name) == ["w"])
    }

    @Test("Variables that the loss does not reach are left alone; none reached is an error")
    func unreached() throws {
        let g = Graph()
        let w = g.variable(1.0, name: "w")
        let other = g.variable(5.0, name: "other")
        let train = GradientDescent(learningRate: 0.5).minimize(square(w))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try session.execute(train)
        #expect(try session.value(of: other).doubles == [5])
        #expect(try session.value(of: w).doubles == [0])

        let h = Graph()
        h.variable(1.0, name: "w")
        _ = Adam().minimize(h.constant(Float(1)))
        let error = #expect(throws: GraphError.self) { try Session(h) }
        #expect(error?.description.contains("depends on no Variable") == true)
    }

    @Test("gradients are scaled together when their norm is too large, and left alone when it is not")
    func clipping() throws {
        let g = Graph()
        let a = g.constant([3.0, 0], dtype: .float64)
        let b = g.constant([[4.0]], dtype: .float64)
        let (large, norm) = clipByGlobalNorm([a, b], norm: 1)
        let (small, _) = clipByGlobalNorm([a, b], norm: 10)
        let values = try Session(g).run([large[0], large[1], small[0], small[1], try #require(norm)]).map {
            try $0.doubles
        }
        let expected: [[Double]] = [[0.6, 0], [0.8], [3, 0], [4], [5]]
        for (v, e) in zip(values, expected) { #expect(zip(v, e).allSatisfy { Swift.abs($0 - $1) < 1e-12 }) }

        let w = g.variable(Tensor([30.0, 40], dtype: .float64), name: "w")
        let train = GradientDescent(learningRate: 1).minimize(0.5 * sum(square(w)), clipNorm: 5)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try session.execute(train)
        let moved = try session.value(of: w).doubles
        #expect(Swift.abs(moved[0] - 27) < 1e-9 && Swift.abs(moved[1] - 36) < 1e-9)
    }

    @Test("the rate decays with the global step", arguments: [false, true])
    func decay(staircase: Bool) throws {
        let g = Graph()
        let step = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let rate = LearningRate.exponentialDecay(initial: 0.5, steps: 2, rate: 0.25, staircase: staircase)
            .node(in: g, dtype: .float64, globalStep: step)
        let session = try Session(g)
        for i in 0..<5 {
            try session.assign(Tensor(Int64(i)), to: step)
            let periods = staircase ? Double(i / 2) : Double(i) / 2
            var expected = 0.5
            for _ in 0..<Int(periods * 2) { expected *= 0.5 }
            #expect(Swift.abs(try session.run(rate).scalar(Double.self) - expected) < 1e-12)
        }
        _ = LearningRate.exponentialDecay(initial: 1, steps: 1, rate: 1).node(in: g, dtype: .float32, globalStep: nil)
        #expect(throws: GraphError.self) { try g.validate() }
    }

    @Test("a rate goes to its end along a line, a power or half a cosine, and stays there")
    func decayToAnEnd() throws {
        let g = Graph()
        let step = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let schedules: [LearningRate] = [
            .polynomialDecay(initial: 1, steps: 4, end: 0.2), .polynomialDecay(initial: 1, steps: 4, power: 2),
            .cosineDecay(initial: 1, steps: 4, end: 0.2),
        ]
        let rates = schedules.map { $0.node(in: g, dtype: .float64, globalStep: step) }
        // After 0, 1, 2 and 4 of 4 steps, and after 9. The cosine of 45° is √½.
        let expected: [Int: [Double]] = [
            0: [1, 1, 1], 1: [0.8, 0.5625, 0.2 + 0.4 * (1 + 0.5.squareRoot())], 2: [0.6, 0.25, 0.6], 4: [0.2, 0, 0.2],
            9: [0.2, 0, 0.2],
        ]
        let session = try Session(g)
        for (passed, values) in expected {
            try session.assign(Tensor(Int64(passed)), to: step)
            for (rate, value) in zip(try session.run(rates), values) {
                #expect(try Swift.abs(rate.scalar(Double.self) - value) < 1e-12, "after \(passed) steps")
            }
        }
    }
}
