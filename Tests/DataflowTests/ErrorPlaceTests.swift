import Dataflow
import Testing

/// Errors of runs name the node, and the line of the program that made it.
@Suite("Where errors of runs come from")
struct ErrorPlaceTests {
    /// Runs `fetch` in both executors, with and without a limit of time, and expects an error of the node `failing`.
    private func check(
        _ fetch: Node, _ failing: Node? = nil, says: String, feeds: Feeds = [:], initialize: Bool = true,
        _ at: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let vertex = (failing ?? fetch).vertex
        for options in [
            SessionOptions(), SessionOptions(timeout: .seconds(1000)), SessionOptions(plan: .reference),
        ] {
            let session = try Session(fetch.graph, options: options)
            if initialize, !fetch.graph.variables.isEmpty {
                try session.execute(fetch.graph.globalVariablesInitializer())
            }
            let error = #expect(throws: GraphError.self, sourceLocation: at) { try session.run(fetch, feeds: feeds) }
            guard let error else { continue }
            #expect(error.message.contains(says), "\(error)", sourceLocation: at)
            #expect(error.node == "\(vertex.operation.name) '\(vertex.name)'", sourceLocation: at)
            #expect(error.location == vertex.location, "\(error)", sourceLocation: at)
            #expect(error.location?.file.hasSuffix("ErrorPlaceTests.swift") == true, "\(error)", sourceLocation: at)
        }
    }

    @Test("kernels that find a number out of range")
    func kernels() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2, 3], name: "x")
        let bad = g.placeholder(.int32, [2], name: "bad")
        let zero = g.placeholder(.int32, [2], name: "zero")
        let table = g.variable(Tensor(repeating: Float(1), sized: [2, 3]), name: "table")
        let feeds: Feeds = [
            x: Tensor(repeating: Float(1), sized: [2, 3]), bad: Tensor([Int32(1), 7]), zero: Tensor([Int32(1), 0]),
        ]
        try check(gather(x, bad), says: "is not in [0, 2)", feeds: feeds)
        try check(gather(table, bad), says: "is not in [0, 2)", feeds: feeds)
        try check(sparseSoftmaxCrossEntropy(labels: bad, logits: x), says: "7", feeds: feeds)
        try check(g.add(Div.self, [bad, zero], location: .here()).node, says: "divided by zero", feeds: feeds)
        try check(floorMod(bad, zero), says: "divided by zero", feeds: feeds)
        try check(floorDiv(bad, zero), says: "divided by zero", feeds: feeds)
        try check(pow(bad, zero - 1), says: "negative power", feeds: feeds)
        try check(unsortedSegmentSum(x, bad, count: 2), says: "is not in [0, 2)", feeds: feeds)
        try check(gatherNd(x, expandDims(bad, axis: 1)), says: "7", feeds: feeds)
        let update = g.add(ScatterAdd.self, [table.reference, bad, x], location: .here()).node
        try check(update, says: "is not in [0, 2)", feeds: feeds)
        // In the middle of others, which are fused.
        let middle = gather(x, bad)
        try check(sum(relu(middle * 2 + 1)) * 3, middle, says: "is not in [0, 2)", feeds: feeds)
        // Where only the run tells the shapes.
        let some = booleanMask(g, x)
        let late = gather(some, bad)
        try check(sum(late), late, says: "is not in [0, 2)", feeds: feeds)
    }

    private func booleanMask(_ g: Graph, _ x: Node) -> Node {
        gather(x, reshape(g.add(Where.self, [greater(reduceRows(x), g.constant(Float(0)))]).node, [-1]))
    }

    private func reduceRows(_ x: Node) -> Node { sum(x, axes: [1]) }

    @Test("kernels within functions, branches and loops")
    func functions() throws {
        let g = Graph()
        let (x, bad) = (g.placeholder(.float32, [2]), g.placeholder(.int32, []))
        let feeds: Feeds = [x: Tensor([Float(1), 2]), bad: Tensor(Int32(7))]
        var inner: Node?
        let looped = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
            do: { state in
                let picked = gather(state[1], bad)
                inner = picked
                return [state[0] + 1, state[1] + picked]
            })[1]
        try check(looped, inner, says: "is not in [0, 2)", feeds: feeds)
        var nested: Node?
        let chosen = cond(
            greater(sum(x), g.constant(Float(0))),
            then: {
                whileLoop(
                    [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
                    do: { state in
                        let picked = gather(state[1], bad)
                        nested = picked
                        return [state[0] + 1, state[1] + picked]
                    })
            }, else: { [g.constant(Int32(0)), x] })[1]
        try check(chosen, nested, says: "is not in [0, 2)", feeds: feeds)
        // TensorFlow 1's control flow.
        let side = g.add(Switch.self, [x, greater(sum(x), g.constant(Float(0)))]).output(1)
        let taken = gather(side, bad)
        let merged = g.add(Merge.self, [g.add(Switch.self, [x, less(sum(x), g.constant(Float(0)))]).output(1), taken])
        try check(merged.output(0), taken, says: "is not in [0, 2)", feeds: feeds)
    }

    @Test("feeds that are missing or wrong, which say what was expected")
    func feeds() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 3], name: "x")
        let y = relu(x) * 2
        try check(y, x, says: "was not fed; give run(…, feeds:) a float32[?, 3]")
        try check(y, x, says: "must be float32[?, 3], got string[1, 3]", feeds: [x: Tensor([["a", "b", "c"]])])
        try check(y, x, says: "must have a shape that fits [?, 3], got [1, 2]", feeds: [x: Tensor([[Float(1), 2]])])
    }

    @Test("Variables that are not initialised, in the graph, in functions, and where their value is asked for")
    func uninitialised() throws {
        let g = Graph()
        let w = g.variable(Tensor([Float(1), 2]), name: "w")
        let looped = whileLoop(
            [g.constant(Int32(0)), w.node * 0], while: { less($0[0], g.constant(Int32(3))) },
            do: { [$0[0] + 1, $0[1] + w] })[1]
        for fetch in [w.node, w * 2, looped, w.assignAdd(w)] {
            try check(fetch, w.reference, says: "is not initialised", initialize: false)
        }
        let session = try Session(g)
        let error = #expect(throws: GraphError.self) { try session.value(of: w) }
        #expect(error?.location == w.reference.vertex.location && error?.node?.contains("'w'") == true)
        let wrong = #expect(throws: GraphError.self) { try session.assign(Tensor([Float(1)]), to: w) }
        #expect(wrong?.location == w.reference.vertex.location && wrong?.node?.contains("'w'") == true)
    }

    @Test("a name that the message has is not said twice")
    func description() {
        let error = GraphError("the Variable 'w' is missing", node: "VariableV2 'w'")
        #expect("\(error)" == "the Variable 'w' is missing")
        #expect("\(GraphError("it is missing", node: "VariableV2 'w'"))" == "VariableV2 'w': it is missing")
        #expect("\(GraphError("it is missing", node: "gradients"))" == "gradients: it is missing")
    }
}

extension Dataflow.SourceLocation {
    fileprivate static func here(file: StaticString = #fileID, line: UInt = #line) -> Self {
        Self(file: file, line: line)
    }
}
