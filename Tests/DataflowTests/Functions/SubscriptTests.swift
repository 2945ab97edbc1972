import Dataflow
import Testing

@Suite("Subscripts of nodes")
struct SubscriptTests {
    private let g = Graph()

    /// 0, 1, 2, … in the shape.
    private func counted(_ shape: [Int]) -> Node {
        reshape(g.constant((0..<shape.reduce(1, *)).map { Float($0) }), shape)
    }

    private func check(_ node: Node, _ shape: Shape, _ expected: [Double], _ what: String) throws {
        #expect(node.shape == shape, "\(what)")
        let value = try Session(g).run(node)
        #expect(value.shape == shape, "\(what)")
        #expect(try Session(g).run(node).doubles == expected, "\(what)")
    }

    @Test("numpy's forms mean what they mean there")
    func forms() throws {
        let x = counted([3, 4])
        let row = [0.0, 1, 2, 3]
        let all = (0..<12).map(Double.init)
        try check(x[0], [4], row, "x[0]")
        try check(x[-1], [4], [8, 9, 10, 11], "x[-1]")
        try check(x[1, 2], [], [6], "x[1, 2]")
        try check(x[1..<3], [2, 4], [4, 5, 6, 7, 8, 9, 10, 11], "x[1:3]")
        try check(x[0...1, 1], [2], [1, 5], "x[0:2, 1]")
        try check(x[1...], [2, 4], [4, 5, 6, 7, 8, 9, 10, 11], "x[1:]")
        try check(x[..<1], [1, 4], row, "x[:1]")
        try check(x[...0], [1, 4], row, "x[:1]")
        try check(x[..., 0], [3], [0, 4, 8], "x[..., 0]")
        try check(x[..., -1], [3], [3, 7, 11], "x[..., -1]")
        try check(x[0, ...], [4], row, "x[0, ...]")
        try check(x[...], [3, 4], all, "x[...]")
        try check(x[..., 1..<3], [3, 2], [1, 2, 5, 6, 9, 10], "x[..., 1:3]")
        try check(x[.newAxis], [1, 3, 4], all, "x[None]")
        try check(x[..., .newAxis], [3, 4, 1], all, "x[..., None]")
        try check(x[0, .newAxis], [1, 4], row, "x[0, None]")
        try check(x[.newAxis, ..., 0], [1, 3], [0, 4, 8], "x[None, ..., 0]")
        try check(x[0, 1..<3], [2], [1, 2], "x[0, 1:3]")
        try check(x[1..<100], [2, 4], [4, 5, 6, 7, 8, 9, 10, 11], "x[1:100]")
        try check(x[3..<3], [0, 4], [], "x[3:3]")
        try check(x[.range(step: 2)], [2, 4], [0, 1, 2, 3, 8, 9, 10, 11], "x[::2]")
        try check(x[0, .range(step: -1)], [4], [3, 2, 1, 0], "x[0, ::-1]")
        try check(x[0, .range(from: 1, to: -1)], [2], [1, 2], "x[0, 1:-1]")
        let cube = counted([2, 3, 2])
        try check(cube[0, ..., 1], [3], [1, 3, 5], "x[0, ..., 1]")
        try check(cube[0, 1, ...], [2], [2, 3], "x[0, 1, ...]")
        try check(cube[1, 0..<2, 0], [2], [6, 8], "x[1, 0:2, 0]")
    }

    @Test("an index that the program computes, Variables, and results of functions are taken too")
    func others() throws {
        let v = g.variable([[1.0, 2], [3, 4]])
        let i = 1
        let session = try Session(g)
        try session.execute(v.initializer)
        #expect(try session.run(v[i]).doubles == [3, 4])
        #expect(try session.run(v[0, i]).doubles == [2])
        #expect(try session.run(shape(v)[0]).doubles == [2])
        #expect(try session.run((v * 2)[i..<2]).doubles == [6, 8])
    }

    @Test("a node picks slices: by index, or where it is true")
    func nodes() throws {
        let x = counted([3, 2])
        try check(x[g.constant([Int32(2), 0])], [2, 2], [4, 5, 0, 1], "x[[2, 0]]")
        try check(x[argMax(x[..., 0])], [2], [4, 5], "x[i]")
        let picked = try Session(g).run(x[x[..., 0] .> 1])
        #expect(picked.shape == [2, 2])
        let v = g.variable(Tensor([Float(1), 2, 3]))
        let session = try Session(g)
        try session.execute(v.initializer)
        #expect(try session.run(v[v .!= 2]).doubles == [1, 3])
    }

    @Test("gradients go back to where they came from")
    func gradients() throws {
        let x = counted([2, 3])
        let y = sum(square(x[1, 0..<2])) + x[0, 2]
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        #expect(try Session(g).run(gradient).doubles == [0, 0, 1, 6, 8, 0])
    }

    @Test("dimensions that only a run knows")
    func open() throws {
        let x = g.placeholder(.float32, [nil, 2])
        #expect(x[0].shape == [2])
        #expect(x[..., 0].shape == [nil])
        let session = try Session(g)
        #expect(try session.run(x[-1], feeds: [x: Tensor([[Float(1), 2], [3, 4]])]).doubles == [3, 4])
        #expect(throws: GraphError.self) { try session.run(x[2], feeds: [x: Tensor([[Float(1), 2], [3, 4]])]) }
    }

    @Test("an index out of range, too many, and a step of 0 are told at their line")
    func mistakes() throws {
        let builds: [(String, (Node) -> Node)] = [
            ("beyond", { $0[2] }), ("beyond", { $0[0, -3] }), ("too many", { $0[0, 0, 0] }),
            ("0", { $0[.range(step: 0)] }), ("ellipsis", { $0[.ellipsis, .ellipsis] }),
        ]
        for (text, build) in builds {
            let graph = Graph()
            _ = build(graph.constant([[Float(1), 2], [3, 4]]))
            let error = #expect(throws: GraphError.self) { try graph.validate() }
            #expect(error?.message.contains(text) == true, "\(error?.description ?? "")")
            #expect(error?.location?.file == #fileID)
        }
        let x = g.constant([Float(1)])
        let line: UInt = #line + 1
        _ = x[5]
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.location == SourceLocation(file: #fileID, line: line))
    }
}
