import Dataflow
import Testing

/// Runs that a plan must not take for others, and graphs with surprises in them.
@Suite("Runs of a session")
struct SessionTests {
    private func error(_ body: () throws -> Void) -> String {
        #expect(throws: GraphError.self, performing: body)?.description ?? ""
    }

    @Test("a feed of another dtype is refused, also after a run with the right one")
    func feedDType() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let y = x * 2
        let session = try Session(g)
        #expect(try session.run(y, feeds: [x: Tensor([Float(1), 2])]).doubles == [2, 4])
        #expect(error { _ = try session.run(y, feeds: [x: Tensor([UInt8(1), 2])]) }.contains("must be float32"))
        #expect(
            error { _ = try session.run(y, feeds: [x: Tensor([1.0, 2], dtype: .float64)]) }.contains("must be float32"))
    }

    @Test("a fed output stands for itself, whatever the operation's other outputs are")
    func fedOutput() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2, 64])
        let parts = unstack(x)
        let known = unstack(g.constant([[1.0], [2]]))
        let session = try Session(g)
        let fed = Tensor(repeating: Float(7), sized: [64])
        let values = try session.run(
            [parts[0], parts[0] + parts[1]], feeds: [x: Tensor(repeating: Float(1), sized: [2, 64]), parts[1]: fed])
        #expect(try values[0].doubles.allSatisfy { $0 == 1 } && values[1].doubles.allSatisfy { $0 == 8 })
        #expect(try session.run(known[0] + known[1], feeds: [known[1]: Tensor([Float(10)])]).doubles == [11])
    }

    @Test("what a constant waits for is run")
    func controlsOfConstants() throws {
        let g = Graph()
        let count = g.variable(Tensor(Int32(0)))
        let one = g.controlDependencies([count.assignAdd(g.constant(Int32(1)))]) { g.constant(Float(1)) }
        let sum = one + g.constant(Float(2))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(sum).doubles == [3])
        #expect(try session.value(of: count).doubles == [1])
    }

    @Test("a Variable made under control dependencies is initialised without them")
    func initializers() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [], name: "x")
        let w = g.controlDependencies([x]) { g.variable(2.0, name: "w") }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.value(of: w).doubles == [2])
    }

    @Test("an Assign whose shape only the run tells initialises")
    func dynamicAssign() throws {
        let g = Graph()
        let shape = g.placeholder(.int32, [1])
        let v = g.variable(Tensor.zeros(.float32, sized: [3]))
        let assign = v.assign(reshape(g.randomUniform(shape: shape), [3]))
        let session = try Session(g)
        try session.execute(assign, feeds: [shape: Tensor([Int32(3)])])
        #expect(try session.value(of: v).elementCount == 3)
    }

    @Test("a tensor that no memory holds is an error")
    func hugeShape() throws {
        let g = Graph()
        let dims = g.placeholder(.int64, [2])
        let filled = apply(dims)
        for extents in [[Int64(1) << 40, 1 << 40], [1 << 31, 1 << 20]] {
            #expect(error { _ = try Session(g).run(filled, feeds: [dims: Tensor(extents)]) }.contains("more memory"))
        }
        func apply(_ dims: Node) -> Node { broadcast(g.constant(Float(1)), to: dims) }
    }

    @Test("a device of another process is not here, unless placement is soft")
    func otherJob() throws {
        let g = Graph()
        let here = g.device("/job:localhost/replica:0/task:0/device:CPU:0") { g.constant(Float(1)) + 1 }
        let there = g.device("/job:ps/task:1/device:CPU:0") { exp(g.placeholder(.float32, [], name: "x")) }
        let feeds: Feeds = [try g.node(named: "x"): Tensor(Float(0))]
        #expect(try Session(g).run(here).doubles == [2])
        #expect(
            error { _ = try Session(g).run(there, feeds: feeds) }.contains(
                "/job:localhost/replica:0/task:0/device:CPU:0"))
        #expect(try Session(g, options: SessionOptions(softPlacement: true)).run(there, feeds: feeds).doubles == [1])
    }

    @Test("gradients, also of gradients, through reductions whose axes only the run tells")
    func unknownRank() throws {
        let g = Graph()
        let x = g.placeholder(.float32, name: "x")
        let w = g.variable(3.0)
        let loss = mean(square(x * w))
        let first = try #require(g.gradients(of: loss, by: [w])[0])
        let second = try #require(g.gradients(of: first, by: [w])[0])
        let axes = g.placeholder(.int32, [nil])
        let z = g.placeholder(.float64, name: "z")
        let partial = sum(square(apply(z, axes)))
        let byZ = try #require(g.gradients(of: partial, by: [z])[0])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        // mean((x w)²) over [1, 2]: derivative 2 w mean(x²) = 15, then 2 mean(x²) = 5.
        let values = try session.run([first, second], feeds: [x: Tensor([[1.0, 2]])])
        #expect(try values.map { try $0.doubles } == [[15], [5]])
        // The rows' sums are 3 and 7, each element's derivative twice that.
        let got = try session.run(
            byZ, feeds: [z: Tensor([[1.0, 2], [3, 4]], dtype: .float64), axes: Tensor([Int32(-1)])])
        #expect(try got.doubles == [6, 6, 14, 14])
        func apply(_ z: Node, _ axes: Node) -> Node {
            g.add(Sum.self, [z, axes], ["keep_dims": .bool(false)]).node
        }
    }

    @Test("reductions of nothing", arguments: [[3, 0], [0, 3], [0, 0]])
    func emptyReductions(extents: [Int]) throws {
        let g = Graph()
        let x = g.placeholder(.float32, Shape(extents))
        let session = try Session(g)
        let values = try session.run(
            [sum(x, axes: [0]), max(x, axes: [0])], feeds: [x: Tensor.zeros(.float32, sized: Shape(extents))])
        #expect(try values[0].doubles == [Double](repeating: 0, count: extents[1]))
        #expect(try values[1].doubles == [Double](repeating: -.infinity, count: extents[1]))
    }

    @Test("integers: division by zero and negative powers are errors, means round toward zero")
    func integers() throws {
        let g = Graph()
        let x = g.placeholder(.int32, [2])
        let y = g.placeholder(.int32, [2])
        let session = try Session(g)
        let feeds: Feeds = [x: Tensor([Int32(7), -7]), y: Tensor([Int32(2), 0])]
        #expect(error { _ = try session.run(floorDiv(x, y), feeds: feeds) }.contains("divided by zero"))
        #expect(error { _ = try session.run(pow(y, x), feeds: feeds) }.contains("negative power"))
        #expect(try session.run(mean(x), feeds: [x: Tensor([Int32(-4), 1])]).doubles == [-1])
        #expect("\(try session.run(min(g.constant([Int64]()))))".contains("9223372036854775807"))
    }

    @Test("a number that an integer cannot hold is a mistake beside one")
    func integerScalars() throws {
        let g = Graph()
        _ = g.placeholder(.int32, [2], name: "n") * 0.5
        let text = error { try g.validate() }
        #expect(text.contains("0.5 is no int32"))
    }
}
