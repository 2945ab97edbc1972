import Dataflow
import Testing
import Training

@Suite("Optimizers")
struct OptimizerTests {
    @Test("two optimizers, each on a part of the Variables")
    func twoOptimizers() throws {
        let g = Graph()
        let wide = g.variable(Tensor([Float(1), 2]), name: "wide")
        let deep = g.variable(Tensor([Float(1), 2]), name: "deep")
        let loss = sum(square(wide)) + sum(square(deep))
        let step = g.group([
            GradientDescent(learningRate: 0.25).minimize(loss, variables: [wide]),
            Adam(learningRate: 0.1).minimize(loss, variables: [deep]),
        ])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try session.execute(step)
        // Descent halves; Adam's first step is the learning rate.
        expectClose(try session.value(of: wide), [0.5, 1])
        expectClose(try session.value(of: deep), [0.9, 1.9], 1e-5)
    }

    @Test("a learning rate that decays with the steps")
    func schedule() throws {
        let g = Graph()
        let w = g.variable(Float(0), name: "w")
        let globalStep = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let rate = LearningRate.exponentialDecay(initial: 1, steps: 2, rate: 0.5, staircase: true)
        // The gradient is 1: each step takes the learning rate away.
        let step = GradientDescent(learningRate: rate).minimize(w * 1, variables: [w], globalStep: globalStep)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        var seen: [Double] = []
        for _ in 0..<6 {
            try session.execute(step)
            seen.append(try session.value(of: w).doubles[0])
        }
        #expect(seen == [-1, -2, -2.5, -3, -3.25, -3.5])
        #expect(try session.value(of: globalStep).scalar(Int64.self) == 6)
    }

    @Test("gradients clipped by their common norm")
    func clipping() throws {
        let g = Graph()
        let a = g.variable(Tensor([Float(3), 0]), name: "a")
        let b = g.variable(Tensor([Float(4)]), name: "b")
        let descent = GradientDescent(learningRate: 1)
        // The gradients are a and b, their norm is 5.
        let loss = 0.5 * (sum(square(a)) + sum(square(b)))
        let gradients = descent.computeGradients(loss)
        let (clipped, norm) = clipByGlobalNorm(gradients.map(\.gradient), norm: 1)
        let step = descent.applyGradients(
            zip(clipped, gradients).map { VariableGradient(gradient: $0, variable: $1.variable) })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        expectClose(try session.run(#require(norm)), [5], 1e-5)
        try session.execute(step)
        expectClose(try session.value(of: a), [3 - 0.6, 0], 1e-5)
        expectClose(try session.value(of: b), [4 - 0.8], 1e-5)
    }
}
