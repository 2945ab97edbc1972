import Dataflow
import Testing

/// Gradients that cannot be given are nodes with the mistake; nil stands for what does not depend alone.
@Suite("Gradients that cannot be given")
struct MissingGradientTests {
    private func refused(
        _ gradient: Node??, _ says: String, _ at: Testing.SourceLocation = #_sourceLocation
    ) -> GraphError? {
        guard let node = gradient ?? nil else {
            Issue.record("there is no node", sourceLocation: at)
            return nil
        }
        let error = #expect(throws: GraphError.self, sourceLocation: at) { try Session(node.graph).run(node) }
        #expect(error?.message.contains(says) == true, "\(error?.description ?? "")", sourceLocation: at)
        return error
    }

    @Test("an operation on the way that has no gradient, whose node and line are told")
    func operation() {
        let g = Graph()
        let x = g.placeholder(.float32, [4])
        let distinct = unique(x).values
        let y = sum(distinct * 2) + sum(x)
        let found = g.gradients(of: y, by: [x, g.placeholder(.float32, [4])])
        let error = refused(found[0], "UniqueWithCounts has no gradient; its gradient is asked for at ")
        #expect(error?.node == "UniqueWithCounts '\(distinct.vertex.name)'")
        #expect(error?.location == distinct.vertex.location)
        #expect(found[1] == nil, "what y does not depend on")
    }

    @Test("only those that depend on it are refused, also through what is built over it")
    func others() {
        let g = Graph()
        let (x, z) = (g.placeholder(.float32, [4]), g.placeholder(.float32, []))
        let found = g.gradients(of: sum(unique(tanh(x)).values) * z, by: [x, z])
        _ = refused(found[0], "has no gradient")
        #expect(found[1]?.vertex.error == nil && found[1] != nil)
        _ = refused(found[0].map { sum($0 * 2) }, "has no gradient")
    }

    @Test("in bodies of loops and branches, and in the derivatives of these")
    func bodies() {
        for order in 1...2 {
            let g = Graph()
            let x = g.placeholder(.float32, [4])
            var inner: Node?
            let looped = whileLoop(
                [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
                do: { state in
                    let values = order == 1 ? unique(state[1]).values : state[1] * softsign(state[1])
                    inner = values
                    return [state[0] + 1, reshape(values, [4])]
                })[1]
            let first = g.gradients(of: sum(looped), by: [x])
            guard order == 1 else {
                #expect(first[0]?.vertex.error == nil)
                #expect(g.gradients(of: sum(first[0] ?? x), by: [x])[0]?.vertex.error == nil)
                continue
            }
            let error = refused(first[0], "UniqueWithCounts has no gradient")
            #expect(error?.location == inner?.vertex.location)
            let chosen = cond(greater(sum(x), g.constant(Float(0))), then: { [unique(x).values] }, else: { [x * 2] })
            _ = refused(g.gradients(of: sum(chosen[0]), by: [x])[0], "UniqueWithCounts has no gradient")
        }
    }

    @Test("a loop of TensorFlow 1, also where its variables start from what does not depend on x")
    func frames() {
        for startsFromX in [true, false] {
            let g = Graph()
            let x = g.placeholder(.float32, [])
            let frame: Attributes = ["frame_name": .string("loop")]
            let constant: Attributes = ["frame_name": .string("loop"), "is_constant": .bool(true)]
            let start = g.add(Enter.self, [startsFromX ? x : g.constant(Float(1))], frame).node
            let factor = g.add(Enter.self, [x], constant).node
            let limit = g.add(Enter.self, [g.constant(Float(100))], constant).node
            let merge = g.add(Merge.self, [start], isLoopHead: true, location: .here())
            let goesOn = g.add(LoopCond.self, [less(merge.output(0), limit)]).node
            let sides = g.add(Switch.self, [merge.output(0), goesOn])
            let next = g.add(NextIteration.self, [sides.output(1) * factor]).node
            #expect(throws: Never.self) { try g.closeLoop(merge, from: next) }
            let y = g.add(Exit.self, [sides.output(0)]).node
            let error = refused(g.gradients(of: y, by: [x])[0], "a loop is differentiated as a whole")
            #expect(error?.node == "Exit '\(y.vertex.name)'" && error?.location == y.vertex.location)
        }
    }

    @Test("questions that are wrong")
    func questions() {
        func placeholder() -> Node { Graph().placeholder(.float32, [2]) }
        let x = placeholder()
        _ = refused(x.graph.gradients(of: cast(x, to: .int32), by: [x])[0], "only floating types have one")
        let y = placeholder()
        _ = refused(y.graph.gradients(of: [y * 2], by: [y], upstream: [])[0], "0 upstream gradients")
        let z = placeholder()
        _ = refused(z.graph.gradients(of: z * z, by: [placeholder()])[0], "another graph")
    }

    @Test("nil where TensorFlow gives None: integers, roundings, what is written to Variables, random numbers")
    func none() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [3])
        let v = g.variable(Tensor([Float(0), 0, 0]), name: "v")
        let without: [Node] = [
            cast(cast(x, to: .int32), to: .float32), floor(x), ceil(x), round(x), sign(x) * 0,
            stopGradient(x), v.assign(x), v.assignAdd(x), v.assignSub(x),
            g.add(ScatterAdd.self, [v.reference, g.constant([Int32(0), 1, 2]), x]).node,
            g.randomUniform(shape: shape(x)), cast(argMax(x, axis: 0), to: .float32),
            cast(unique(cast(x, to: .int32)).values, to: .float32), cast(less(x, x), to: .float32),
        ]
        for node in without {
            let gradient = g.gradients(of: sum(node), by: [x])[0]
            #expect(gradient?.vertex.error == nil, "\(node)")
            if node.vertex.operation.name != "Mul" { #expect(gradient == nil, "\(node)") }
        }
        try g.validate()
    }
}

extension Dataflow.SourceLocation {
    fileprivate static func here(file: StaticString = #fileID, line: UInt = #line) -> Self {
        Self(file: file, line: line)
    }
}
