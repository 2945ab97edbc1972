import Dataflow
import OperationCoverage
import Testing

/// TensorFlow 1's control flow, built by hand; graphs that TensorFlow wrote are in InterchangeTests.
@Suite("Control flow", .exercises(.controlFlow))
struct ControlFlowTests {
    /// x · 2ⁿ by a loop; with `by` Enter or RefEnter the factor comes in as a constant of the loop.
    private func powers(_ g: Graph, _ x: Node, times n: Int32, factor: Node, entry: any Operation.Type) -> Node {
        func enter(_ node: Node, constant: Bool = false, _ operation: any Operation.Type = Enter.self) -> Node {
            g.add(operation, [node], ["frame_name": .string("loop"), "is_constant": .bool(constant)]).node
        }
        let count = g.add(Merge.self, [enter(g.constant(Int32(0)))], ["N": .int(2)], isLoopHead: true)
        let value = g.add(Merge.self, [enter(x)], ["N": .int(2)], isLoopHead: true)
        let goesOn = g.add(LoopCond.self, [less(count.output(0), enter(g.constant(n), constant: true))]).node
        let countSwitch = g.add(Switch.self, [count.output(0), goesOn])
        let valueSwitch = g.add(Switch.self, [value.output(0), goesOn])
        let one = g.controlDependencies([identity(countSwitch.output(1))]) { g.constant(Int32(1)) }
        let nextCount = g.add(NextIteration.self, [countSwitch.output(1) + one]).node
        let product = valueSwitch.output(1) * identity(enter(factor, constant: true, entry))
        let nextValue = g.add(NextIteration.self, [product]).node
        try! g.closeLoop(count, from: nextCount)
        try! g.closeLoop(value, from: nextValue)
        return g.add(Exit.self, [valueSwitch.output(0)]).node
    }

    @Test("a loop runs as often as its condition says, never too", arguments: [0, 1, 5, 3000] as [Int32])
    func loop(times: Int32) throws {
        let g = Graph()
        let x = g.placeholder(.float64, [2])
        let result = powers(
            g, x, times: times, factor: g.constant(times > 100 ? 1.001 : 2.0, dtype: .float64),
            entry: Enter.self)
        let got = try Session(g).run([result, result + 1], feeds: [x: Tensor([1.0, 3], dtype: .float64)])
        var expected = 1.0
        for _ in 0..<times { expected *= times > 100 ? 1.001 : 2 }
        #expect(try got[0].doubles == [expected, expected * 3] || abs(got[0].doubles[0] - expected) < 1e-9)
        #expect(try abs(got[1].doubles[1] - expected * 3 - 1) < 1e-9)
    }

    @Test("a loop reads a Variable by reference, and a file of it reads back")
    func reference() throws {
        let g = Graph()
        let factor = g.variable(Tensor(3.0, dtype: .float64))
        let result = powers(
            g, g.constant([1.0], dtype: .float64), times: 4, factor: factor.reference, entry: RefEnter.self)
        let session = try Session(g)
        #expect(throws: GraphError.self) { try session.run(result) }
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(result).doubles == [81])
    }

    @Test("only the side that is taken runs, and its gradient arrives", arguments: [true, false])
    func sides(taken: Bool) throws {
        let g = Graph()
        let x = g.placeholder(.float64, [])
        let choice = g.placeholder(.bool, [])
        let counter = g.variable(Tensor(Int32(0)))
        let split = g.add(Switch.self, [x, choice])
        let bump = g.controlDependencies([identity(split.output(1))]) { counter.assignAdd(g.constant(Int32(1))) }
        let high = g.controlDependencies([bump]) { square(split.output(1)) }
        let merged = g.add(Merge.self, [exp(split.output(0)), high])
        let slope = try #require(g.gradients(of: merged.output(0), by: [x])[0])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run(
            [merged.output(0), merged.output(1), slope],
            feeds: [x: Tensor(3.0, dtype: .float64), choice: Tensor(taken)])
        #expect(try values[1].doubles == [taken ? 1 : 0])
        #expect(try abs(values[0].doubles[0] - (taken ? 9 : 20.085536923187668)) < 1e-9)
        #expect(try abs(values[2].doubles[0] - (taken ? 6 : 20.085536923187668)) < 1e-9)
        #expect(try session.value(of: counter).doubles == [taken ? 1 : 0])
        let error = #expect(throws: GraphError.self) {
            try session.run(high, feeds: [x: Tensor(3.0, dtype: .float64), choice: Tensor(false)])
        }
        #expect(error?.description.contains("not taken") == true)
    }

    @Test("references pass through RefSwitch, RefMerge, RefExit and RefNextIteration")
    func references() throws {
        let g = Graph()
        let v = g.variable(Tensor([1.0, 2], dtype: .float64))
        let choice = g.placeholder(.bool, [])
        let sides = g.add(RefSwitch.self, [v.reference, choice])
        let merged = g.add(RefMerge.self, [sides.output(0), sides.output(1)])
        let frame: Attributes = ["frame_name": .string("once")]
        let head = g.add(
            Merge.self, [g.add(RefEnter.self, [v.reference], frame).node], ["N": .int(2)], isLoopHead: true)
        // Once round: then the value comes from input 1 of the Merge.
        let goesOn = equal(head.output(1), g.constant(Int32(0)))
        let out = g.add(Switch.self, [head.output(0), g.add(LoopCond.self, [goesOn]).node])
        try g.closeLoop(head, from: g.add(RefNextIteration.self, [out.output(1)]).node)
        let left = g.add(RefExit.self, [out.output(0)]).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run(
            [merged.output(0), merged.output(1), identity(left)], feeds: [choice: Tensor(true)])
        #expect(try values.map { try $0.doubles } == [[1, 2], [1], [1, 2]])
    }

    @Test("arrays of tensors are split, sized, concatenated and closed")
    func tensorArrays() throws {
        let g = Graph()
        let array = g.add(TensorArrayV3.self, [g.constant(Int32(2))], ["dtype": .type(.float32)])
        let (handle, flow) = (array.output(0), array.output(1))
        let rows = g.constant([[1.0], [2], [3]])
        let filled = g.add(TensorArraySplitV3.self, [handle, rows, g.constant([Int64(1), 2]), flow]).node
        let size = g.add(TensorArraySizeV3.self, [handle, filled]).node
        let joined = g.add(TensorArrayConcatV3.self, [handle, filled], ["dtype": .type(.float32)])
        let closed = g.controlDependencies([joined.node]) { g.add(TensorArrayCloseV3.self, [handle]).node }
        let session = try Session(g)
        let values = try session.run([size, joined.output(0), joined.output(1), closed])
        #expect(values[0] == Tensor(Int32(2)) && values[1] == Tensor([[1.0], [2], [3]]))
        #expect(values[2] == Tensor([Int64(1), 2]))
        let beyond = g.add(
            TensorArrayReadV3.self, [handle, g.constant(Int32(5)), filled], ["dtype": .type(.float32)]
        ).node
        let error = #expect(throws: GraphError.self) { try session.run(beyond) }
        #expect(error?.description.contains("index 5 is not in [0, 2)") == true)
    }

    @Test("a stack gives back what was put on it last, and nothing once it is closed")
    func stacks() throws {
        let g = Graph()
        let stack = g.add(StackV2.self, [g.constant(Int32(-1))], ["elem_type": .type(.float32)]).node
        let first = g.add(StackPushV2.self, [stack, g.constant(Float(1))]).node
        let second = g.controlDependencies([first]) { g.add(StackPushV2.self, [stack, g.constant([Float(2)])]).node }
        let pop = { (after: Node) in
            g.controlDependencies([after]) {
                g.add(StackPopV2.self, [stack], ["elem_type": .type(.float32)]).node
            }
        }
        let last = pop(second)
        let before = pop(last)
        let session = try Session(g)
        #expect(try session.run([last, before]).map { try $0.doubles } == [[2], [1]])
        let closed = g.controlDependencies([second]) { g.add(StackCloseV2.self, [stack]).node }
        #expect(throws: GraphError.self) { try session.run(pop(closed)) }
    }

    @Test("a failed assertion throws its data")
    func assertion() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2])
        let text = g.constant(Tensor(texts: ["too large:"], sized: []))
        let check = g.add(Assert.self, [less(sum(x), g.constant(Float(5))), text, x]).node
        let y = g.controlDependencies([check]) { identity(x) }
        let session = try Session(g)
        #expect(try session.run(y, feeds: [x: Tensor([Float(1), 2])]).doubles == [1, 2])
        let error = #expect(throws: GraphError.self) { try session.run(y, feeds: [x: Tensor([Float(4), 2])]) }
        #expect(error?.description.contains("[too large:] [4 2]") == true, "\(error?.description ?? "")")
    }
}
