import Dataflow
import Testing
import Training

@Suite("Optimizers")
struct OptimizerTests {
    @Test("two optimizers, each on a part of the Variables")
    func twoOptimizers() throws {
        let g = Graph()
        let wide = g.variable([1.0, 2], name: "wide")
        let deep = g.variable([1.0, 2], name: "deep")
        let loss = sum(square(wide)) + sum(square(deep))
        let step = g.group([
            GradientDescent(learningRate: 0.25).minimize(loss, variables: [wide]),
            Adam(learningRate: 0.1).minimize(loss, variables: [deep]),
        ])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try session.execute(step)
        // Descent halves; Adam's first step is the learning rate.
        #expect(try session.value(of: wide).isClose(to: [0.5, 1]))
        #expect(try session.value(of: deep).isClose(to: [0.9, 1.9]))
    }

    @Test("a learning rate that decays with the steps")
    func schedule() throws {
        let g = Graph()
        let w = g.variable(0.0, name: "w")
        let globalStep = g.variable(0, dtype: .int64, name: "global_step", trainable: false)
        // The gradient is 1: each step takes the learning rate away.
        let step = GradientDescent(
            learningRate: .exponentialDecay(initial: 1, steps: 2, rate: 0.5, staircase: true)
        ).minimize(w * 1, globalStep: globalStep)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let seen = try (0..<6).map { _ in
            try session.execute(step)
            return try session.value(of: w).doubles[0]
        }
        #expect(seen == [-1, -2, -2.5, -3, -3.25, -3.5])
        #expect(try session.value(of: globalStep).integers == [6])
    }

    @Test("a learning rate from a variable, a schedule or a node of the graph")
    func rates() throws {
        for rate in [0.5, 0.25] {
            let g = Graph()
            let w = g.variable(1.0, name: "w")
            let fed = g.placeholder(.float32, [])
            let steps = [
                GradientDescent(learningRate: rate).minimize(square(w)),
                GradientDescent(learningRate: fed).minimize(square(w)),
            ]
            let session = try Session(g)
            for step in steps {
                try session.execute(g.globalVariablesInitializer())
                try session.execute(step, feeds: [fed: rate])
                #expect(try session.value(of: w).isClose(to: 1 - 2 * rate))
            }
        }
    }

    @Test("gradients clipped by their common norm")
    func clipping() throws {
        let g = Graph()
        let a = g.variable([3.0, 0], name: "a")
        let b = g.variable([4.0], name: "b")
        // The gradients are a and b, their norm is 5.
        let loss = (sum(square(a)) + sum(square(b))) / 2
        let step = GradientDescent(learningRate: 1).minimize(loss, clipNorm: 1)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try session.execute(step)
        #expect(try session.value(of: a).isClose(to: [3 - 0.6, 0]))
        #expect(try session.value(of: b).isClose(to: [4 - 0.8]))
    }
}
