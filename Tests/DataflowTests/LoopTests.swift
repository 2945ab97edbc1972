import Dataflow
import OperationCoverage
import Testing

/// Loops built by `whileLoop`, with their gradients.
@Suite("Loops", .exercises(.loops))
struct LoopTests {
    /// x to the power of n, by multiplying n times.
    private func power(_ x: Node, _ n: Node) -> Node {
        let g = x.graph
        return whileLoop(
            [g.constant(Int32(0)), onesLike(x)], while: { less($0[0], n) }, do: { [$0[0] + 1, $0[1] * x] })[1]
    }

    @Test("a power and its derivative, for any number of iterations", arguments: [0, 1, 2, 5])
    func powers(n: Int) throws {
        let g = Graph()
        let (x, count) = (g.placeholder(.float64, [2]), g.placeholder(.int32, []))
        let y = power(x, count)
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        for values in [[1.5, -2], [0.25, 3]] {
            let got = try session.run([y, gradient], feeds: [x: Tensor(values), count: Tensor(Int32(n))])
            for (i, v) in values.enumerated() {
                let below = (0..<Swift.max(n - 1, 0)).reduce(1.0) { product, _ in product * v }
                #expect(try abs(got[0].doubles[i] - (n == 0 ? 1 : below * v)) < 1e-12)
                #expect(try abs(got[1].doubles[i] - Double(n) * below) < 1e-12)
            }
        }
    }

    @Test("a recurrent loop agrees with the unrolled graph, value and gradients")
    func recurrent() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [4, nil, 3])
        let w = g.placeholder(.float64, [3, 2])
        let u = g.placeholder(.float64, [2, 2])
        let b = g.variable(Tensor([0.1, -0.2], dtype: .float64))
        func cell(_ t: Node, _ h: Node) -> Node { tanh(matmul(gather(x, t), w) + matmul(h, u) + b) }
        let start = matmul(gather(x, g.constant(Int32(0))), w) * 0
        let looped = whileLoop(
            [g.constant(Int32(0)), start], while: { less($0[0], g.constant(Int32(4))) },
            do: { [$0[0] + 1, cell($0[0], $0[1])] })[1]
        var unrolled = start
        for t in 0..<4 { unrolled = cell(g.constant(Int32(t)), unrolled) }
        let targets: [any Operand] = [x, w, u, b]
        let (mine, theirs) = (
            g.gradients(of: square(looped), by: targets), g.gradients(of: square(unrolled), by: targets)
        )
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        func numbers(_ count: Int, _ step: Double) -> [Double] {
            (0..<count).map { Double(($0 * 37 + 11) % 23) / 23 - step / 4 }
        }
        let feeds: Feeds = [
            x: Tensor(numbers(4 * 5 * 3, 0.7), sized: [4, 5, 3]), w: Tensor(numbers(6, 1.3), sized: [3, 2]),
            u: Tensor(numbers(4, 2.1), sized: [2, 2]),
        ]
        let nodes: [Node] = [looped, unrolled] + (mine + theirs).compactMap { $0 }
        try #require(nodes.count == 10)
        let all = try session.run(nodes, feeds: feeds)
        try expectClose(all[0], all[1])
        for i in 0..<4 { try expectClose(all[2 + i], all[6 + i]) }
    }

    private func expectClose(_ a: Tensor, _ b: Tensor, _ tolerance: Double = 1e-10) throws {
        #expect(a.shape == b.shape)
        for (p, q) in try zip(a.doubles, b.doubles) { #expect(abs(p - q) <= tolerance * Swift.max(1, abs(q))) }
    }

    /// d(sum of `y`)/d`x` against central differences, at a vector `at`.
    static func checkGradient(_ y: Node, by x: Node, at: [Double], feeds: Feeds = [:]) throws {
        let gradient = try #require(y.graph.gradients(of: y, by: [x])[0])
        let session = try Session(y.graph)
        let got = try session.run(gradient, feeds: feeds.merging([x: Tensor(at)])).doubles
        for i in at.indices {
            func value(_ h: Double) throws -> Double {
                var moved = at
                moved[i] += h
                return try session.run(y, feeds: feeds.merging([x: Tensor(moved)])).doubles.reduce(0, +)
            }
            let wanted = try (value(1e-5) - value(-1e-5)) / 2e-5
            #expect(abs(got[i] - wanted) < 1e-6 * Swift.max(1, abs(wanted)), "\(i): \(got[i]), \(wanted)")
        }
    }

    @Test("a loop in a loop")
    func nested() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let y = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
            do: { outer in
                let inner = whileLoop(
                    [g.constant(Int32(0)), outer[1]], while: { lessEqual($0[0], outer[0]) },
                    do: { [$0[0] + 1, sin($0[1]) * x + outer[1]] })
                return [outer[0] + 1, inner[1]]
            })[1]
        try LoopTests.checkGradient(y, by: x, at: [0.3, -0.8])
    }

    @Test("a branch in a loop, and a loop in a branch")
    func withBranches() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let y = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(4))) },
            do: { values in
                let isOdd = equal(floorMod(values[0], g.constant(Int32(2))), g.constant(Int32(1)))
                return [values[0] + 1, cond(isOdd, then: { [sin(values[1])] }, else: { [values[1] * x] })[0]]
            })[1]
        try LoopTests.checkGradient(y, by: x, at: [0.7, 1.1])
        let flag = g.placeholder(.bool, [])
        let z = cond(flag, then: { [power(x, g.constant(Int32(3)))] }, else: { [x * 5] })[0]
        for choice in [true, false] {
            try LoopTests.checkGradient(z, by: x, at: [0.7, 1.1], feeds: [flag: Tensor(choice)])
        }
    }

    @Test("what only the condition uses is captured, and has no gradient")
    func conditionCapture() throws {
        let g = Graph()
        let (x, limit) = (g.placeholder(.float64, []), g.placeholder(.float64, []))
        let y = whileLoop([x], while: { less($0[0], limit) }, do: { [$0[0] * 2] })[0]
        let gradients = g.gradients(of: y, by: [x, limit]).map { $0 ?? g.constant(0.0, dtype: .float64) }
        let got = try Session(g).run(
            [y] + gradients, feeds: [x: Tensor(1.5, dtype: .float64), limit: Tensor(20.0, dtype: .float64)])
        #expect(try got.map { try $0.doubles } == [[24], [16], [0]])
    }

    @Test("maximumIterations ends a loop that would not")
    func maximum() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let y = whileLoop([x], while: { _ in g.constant(true) }, do: { [$0[0] * 3] }, maximumIterations: 4)[0]
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        #expect(
            try Session(g).run([y, gradient], feeds: [x: Tensor(2.0, dtype: .float64)]).map { try $0.doubles } == [
                [162], [81],
            ])
    }

    @Test("a variable whose shape changes needs a shape invariant")
    func growing() throws {
        let wrong = Graph()
        let start = wrong.placeholder(.float64, [1])
        _ = whileLoop(
            [start], while: { less(size($0[0]), wrong.constant(Int32(8))) }, do: { [concat([$0[0], $0[0]], axis: 0)] })
        let text = #expect(throws: GraphError.self) { try wrong.validate() }?.description ?? ""
        #expect(text.contains("shapeInvariants") && text.contains("LoopTests.swift"), "\(text)")

        let g = Graph()
        let x = g.placeholder(.float64, [1])
        let y = whileLoop(
            [x], while: { less(size($0[0]), g.constant(Int32(8))) }, do: { [concat([$0[0], $0[0] * x], axis: 0)] },
            shapeInvariants: [[nil]])[0]
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        let got = try Session(g).run([y, gradient], feeds: [x: Tensor([2.0], dtype: .float64)])
        // (x + x²)(1 + x)(1 + x) in all: x(1 + x)³.
        #expect(try got[0].doubles == [2, 4, 4, 8, 4, 8, 8, 16])
        #expect(try abs(got[1].doubles[0] - (27 + 2 * 3 * 9)) < 1e-9)
    }

    @Test("random numbers are new in each iteration, and the gradient's are the loop's")
    func random() throws {
        func draw() throws -> [[Double]] {
            let g = Graph()
            let x = g.placeholder(.float64, [])
            let y = whileLoop(
                [g.constant(Int32(0)), x, g.constant(1.0, dtype: .float64)],
                while: { less($0[0], g.constant(Int32(3))) },
                do: { values in
                    let number = g.randomUniform(shape: [], min: 1, max: 2, dtype: .float64)
                    return [values[0] + 1, values[1] * number, number]
                })
            let gradient = try #require(g.gradients(of: y[1], by: [x])[0])
            let session = try Session(g)
            return try (0..<2).map { _ in
                try session.run([y[1], gradient, y[2]], feeds: [x: Tensor(1.0, dtype: .float64)]).map {
                    try $0.doubles[0]
                }
            }
        }
        let runs = try draw()
        // The product of the numbers is the value at 1, and the derivative.
        for run in runs { #expect(abs(run[0] - run[1]) < 1e-12 && run[0] != run[2] * run[2] * run[2]) }
        #expect(runs[0] != runs[1])
        #expect(try draw() == runs)
    }

    @Test("gradients asked for twice share one history")
    func twice() throws {
        let g = Graph()
        let (x, n) = (g.placeholder(.float64, []), g.constant(Int32(3)))
        let y = power(x, n)
        let first = try #require(g.gradients(of: y, by: [x])[0])
        let outputs = y.vertex.outputs.count
        let second = try #require(g.gradients(of: y * 2, by: [x])[0])
        #expect(y.vertex.outputs.count == outputs)
        #expect(
            try Session(g).run([first, second], feeds: [x: Tensor(2.0, dtype: .float64)]).map { try $0.doubles } == [
                [12], [24],
            ])
    }

    @Test("a session that ran a loop before its gradient was asked for goes on, and runs the loop once")
    func onceInAll() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let y = power(x, g.constant(Int32(3)))
        let session = try Session(g)
        #expect(try session.run(y, feeds: [x: Tensor(2.0, dtype: .float64)]).doubles == [8])
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        let profile = Profile()
        let got = try session.run([y, gradient], feeds: [x: Tensor(2.0, dtype: .float64)], profile: profile)
        #expect(try got.map { try $0.doubles } == [[8], [12]])
        // One loop forward and one back.
        #expect(profile.events.count { $0.operation == "StatelessWhile" } == 2)
        #expect(try session.run(y, feeds: [x: Tensor(3.0, dtype: .float64)]).doubles == [27])
    }

    @Test("mistakes are told with the user's file")
    func mistakes() throws {
        func text(_ build: (Graph, Node) -> Void) -> String {
            let g = Graph()
            build(g, g.placeholder(.float32, [2]))
            return #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
        }
        let cases: [(String, (Graph, Node) -> Void)] = [
            (
                "must yield 1 values",
                { _, x in _ = whileLoop([x], while: { less(sum($0[0]), sum(x)) }, do: { [$0[0], $0[0]] }) }
            ),
            ("bool scalar", { _, x in _ = whileLoop([x], while: { $0[0] }, do: { $0 }) }),
            (
                "use cast()",
                { _, x in _ = whileLoop([x], while: { less(sum($0[0]), sum(x)) }, do: { [cast($0[0], to: .int32)] }) }
            ),
            ("same dtypes", { g, x in _ = cond(g.constant(true), then: { [x] }, else: { [] }) }),
            ("bool scalar", { _, x in _ = cond(x, then: { [x] }, else: { [x] }) }),
            (
                "assign it outside",
                { g, x in
                    let v = g.variable(Tensor([Float(1), 2]))
                    _ = cond(g.constant(true), then: { [v.assignAdd(x)] }, else: { [x] })
                }
            ),
            (
                "outside of the body",
                { g, x in _ = cond(g.constant(true), then: { [g.variable(1.0).value] }, else: { [x] }) }
            ),
        ]
        for (wanted, build) in cases {
            let told = text(build)
            #expect(told.contains(wanted) && told.contains("LoopTests.swift"), "\(told)")
        }
    }
}
