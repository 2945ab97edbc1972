import Dataflow
import OperationCoverage
import Testing

/// Operations over Variables, which have no vectors of their own.
@Suite("Updates of Variables", .exercises(.updates))
struct UpdateTests {
    @Test("AssignAdd and AssignSub change the memory and yield the new value")
    func addAndSubtract() throws {
        let g = Graph()
        let x = g.variable(Tensor([Float(1), 2]))
        let more = x.assignAdd(g.constant([Float(10), 20]))
        let less = x.assignSub(g.constant([Float(1), 1]))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(more) == Tensor([Float(11), 22]))
        #expect(try session.run(less) == Tensor([Float(10), 21]))
        #expect(try session.value(of: x) == Tensor([Float(10), 21]))
    }

    @Test("a Variable of TensorFlow's first versions is given a value and read")
    func firstVersion() throws {
        let g = Graph()
        let x = g.add(VariableV1.self, [], ["dtype": .type(.float32), "shape": .shape([2])], name: "x").node
        let assigned = g.add(Assign.self, [x, g.constant([Float(1), 2])]).node
        let session = try Session(g)
        #expect(throws: GraphError.self) { try session.run(identity(x)) }
        try session.execute(assigned)
        #expect(try session.run(identity(x)).doubles == [1, 2])
    }

    @Test("IsVariableInitialized tells before and after the initialiser")
    func isInitialized() throws {
        let g = Graph()
        let x = g.variable(1.0)
        let told = g.add(IsVariableInitialized.self, [x.reference]).node
        let session = try Session(g)
        #expect(try session.run(told) == Tensor(false))
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(told) == Tensor(true))
    }

    @Test("StopGradient passes the value and no gradient")
    func stop() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [])
        let y = x * stopGradient(x)
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        #expect(try Session(g).run([y, gradient], feeds: [x: Tensor(Float(3))]).map { try $0.doubles } == [[9], [3]])
    }

    @Test("Adagrad by dual averaging is TensorFlow's", arguments: [false, true], [false, true])
    func adagradDA(overRows: Bool, overHandles: Bool) throws {
        // Numbers of TensorFlow 2.21, dense and for the rows 2, 0 and 2 again.
        let expected: [[Double]] =
            overRows
            ? [
                [-0.11460090115119563, -0.00918245852439355, 0.25, 0.5, 0.004970178926441347, 0.011373815154927311],
                [0.52, 0.2, 0.2, -0.3, -0.2, -0.25], [0.1004, 0.29, 0.3, 0.4, 1, 0.7625],
            ]
            : [
                [-0.13326917497180257, 0.05775577557755774, -0.012633381795729585, 0, 0.014985203054453791, 0],
                [0.6, -0.5, 0.22, 0, -0.3, 0.15], [0.11, 0.36, 0.3004, 0.49, 0.99, 0.6025],
            ]
        let g = Graph()
        let start = try [
            Tensor([1.0, -2, 0.25, 0.5, 3, -0.5], dtype: .float64),
            Tensor([0.5, -0.1, 0.2, -0.3, 0.4, 0.1], dtype: .float64),
            Tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], dtype: .float64),
        ].map { try $0.reshaped([3, 2]) }
        let spec: Attributes = ["dtype": .type(.float64), "shape": .shape([3, 2])]
        let state = start.indices.map { i in
            overHandles
                ? g.add(VarHandleOp.self, [], spec, name: "v\(i)").node
                : g.add(VariableV2.self, [], spec, name: "v\(i)").node
        }
        let assigns = zip(state, start).map { memory, value in
            g.add(overHandles ? AssignVariableOp.self : Assign.self, [memory, g.constant(value)]).node
        }
        let gradient = g.constant([[0.1, -0.4], [0.02, 0.3], [-0.7, 0.05]], dtype: .float64)
        let numbers = [0.1, 0.05, 0.02].map { g.constant($0, dtype: .float64) } + [g.constant(Tensor(Int64(3)))]
        let rows = overRows ? [g.constant([Int32(2), 0, 2])] : []
        let operation: any Operation.Type =
            switch (overRows, overHandles) {
            case (false, false): ApplyAdagradDA.self
            case (false, true): ResourceApplyAdagradDA.self
            case (true, false): SparseApplyAdagradDA.self
            case (true, true): ResourceSparseApplyAdagradDA.self
            }
        let step = g.add(operation, state + [gradient] + rows + numbers).node
        let session = try Session(g)
        for assign in assigns { try session.execute(assign) }
        try session.execute(step)
        for (memory, expected) in zip(state, expected) {
            let value =
                overHandles ? g.add(ReadVariableOp.self, [memory], ["dtype": .type(.float64)]).node : identity(memory)
            #expect(zip(try session.run(value).doubles, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }

    @Test("rows of every width are updated as the whole Variable is, in order where one is named twice")
    func rows() throws {
        for width in [1, 3, 100, 1500] {
            let g = Graph()
            let count = 90
            let w = g.variable(Tensor.zeros(.float64, sized: [count, width]), name: "w")
            let slot = g.variable(Tensor.zeros(.float64, sized: [count, width]), name: "slot")
            let whole = g.variable(Tensor.zeros(.float64, sized: [count, width]), name: "whole")
            let wholeSlot = g.variable(Tensor.zeros(.float64, sized: [count, width]), name: "whole_slot")
            let order = (0..<count).map { Int32(($0 * 37) % count) }
            let gradient = try Tensor((0..<count * width).map { Double($0 % 17) - 8.5 }).reshaped([count, width])
            let rate = g.constant(0.1, dtype: .float64)
            let momentum = g.constant(0.9, dtype: .float64)
            // Each row twice, in two rounds; of the whole Variable two steps.
            let twice = concat([g.constant(order), g.constant(order)], axis: 0)
            let picked = gather(g.constant(gradient), twice)
            let rows = g.add(SparseApplyMomentum.self, [w.reference, slot.reference, rate, picked, twice, momentum])
            let step = g.add(
                ApplyMomentum.self, [whole.reference, wholeSlot.reference, rate, g.constant(gradient), momentum])
            let session = try Session(g, options: SessionOptions(threads: 2))
            try session.execute(g.globalVariablesInitializer())
            try session.execute(rows.node)
            for _ in 0..<2 { try session.execute(step.node) }
            #expect(try session.value(of: w) == session.value(of: whole), "\(width)")
            #expect(try session.value(of: slot) == session.value(of: wholeSlot), "\(width)")
            // One row many times is the sum for plain addition.
            let same = g.constant([Int32](repeating: 5, count: 200))
            let ones = g.constant(Tensor.zeros(.float64, sized: [200, width])) + 1
            let plain = g.add(
                SparseApplyProximalGradientDescent.self,
                [
                    w.reference, g.constant(-1.0, dtype: .float64), g.constant(0.0, dtype: .float64),
                    g.constant(0.0, dtype: .float64), ones, same,
                ])
            let before = try session.value(of: w).doubles
            try session.execute(plain.node)
            let after = try session.value(of: w).doubles
            #expect(abs(after[5 * width] - before[5 * width] - 200) < 1e-9)
            #expect(after[4 * width] == before[4 * width])
        }
    }
}
