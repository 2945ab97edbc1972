import Dataflow
import Testing

@Suite("Comparisons and logic as operators")
struct ComparisonTests {
    private let g = Graph()

    private func value(_ node: Node) throws -> [Double] { try Session(g).run(node).doubles }

    /// One statement for each, as a program has them: the type checker sees one expression at a time.
    private func check(_ node: Node, _ expected: [Double], _ dtype: DType? = nil, line: Int = #line) throws {
        #expect(dtype == nil || node.dtype == dtype, "line \(line)")
        #expect(try value(node) == expected, "line \(line)")
    }

    @Test("each compares element by element, with nodes and numbers on both sides")
    func comparisons() throws {
        let x = g.constant([Float(1), 2, 3])
        let y = g.constant([Float(3), 2, 1])
        let k = 2
        try check(x .< y, [1, 0, 0], .bool)
        try check(x .<= y, [1, 1, 0], .bool)
        try check(x .> y, [0, 0, 1], .bool)
        try check(x .>= y, [0, 1, 1], .bool)
        try check(x .== y, [0, 1, 0], .bool)
        try check(x .!= y, [1, 0, 1], .bool)
        try check(x .< 2, [1, 0, 0], .bool)
        try check(2 .< x, [0, 0, 1], .bool)
        try check(x .<= k, [1, 1, 0], .bool)
        try check(k .>= x, [1, 1, 0], .bool)
        try check(x .> 1.5, [0, 1, 1], .bool)
        try check(Float(1.5) .> x, [1, 0, 0], .bool)
        try check(x .== [1, 0, 3], [1, 0, 1], .bool)
        try check(x .!= k, [1, 0, 1], .bool)
    }

    @Test("each takes Variables, and a number of the program's on either side")
    func operands() throws {
        let x = g.constant([Float(1), 2, 3])
        let v = g.variable(Tensor(Float(2)))
        let k = 2
        try check(k .< x, [0, 0, 1], .bool)
        try check(k .<= x, [0, 1, 1], .bool)
        try check(k .> x, [1, 0, 0], .bool)
        try check(x .> k, [0, 0, 1], .bool)
        try check(x .>= k, [0, 1, 1], .bool)
        try check(x .== k, [0, 1, 0], .bool)
        try check(k .== x, [0, 1, 0], .bool)
        try check(k .!= x, [1, 0, 1], .bool)
        try check(2 .<= x, [0, 1, 1], .bool)
        try check(2 .>= x, [1, 1, 0], .bool)
        try check(2 .== x, [0, 1, 0], .bool)
        try check(2 .!= x, [1, 0, 1], .bool)
        let session = try Session(g)
        try session.execute(v.initializer)
        #expect(try session.run(v .< x).doubles == [0, 0, 1])
        #expect(try session.run(v .<= x).doubles == [0, 1, 1])
        #expect(try session.run(v .> x).doubles == [1, 0, 0])
        #expect(try session.run(v .>= x).doubles == [1, 1, 0])
        #expect(try session.run(v .== x).doubles == [0, 1, 0])
        #expect(try session.run(v .!= x).doubles == [1, 0, 1])
    }

    @Test("they bind less than arithmetic and more than logic")
    func precedence() throws {
        let x = g.constant([Float(1), 2, 3])
        #expect(try value(x + 1 .<= 2 * x .& x .!= 3) == [1, 1, 0])
        #expect(try value(x * 2 .> x + 1 .& x .< 3 .| x .== 1) == [1, 1, 0])
        #expect(try value(.!(x .== 2)) == [1, 0, 1])
        #expect(try value(.!(x .== 2) .& x .> 1) == [0, 0, 1])
    }

    @Test("whole loops and choices are written with them")
    func uses() throws {
        let n = g.constant(Int32(0))
        #expect(try value(whileLoop([n], while: { $0[0] .< 10 }, do: { [$0[0] + 3] })[0]) == [12])
        let x = g.constant([-1.0, 2])
        #expect(try value(select(x .> 0 .& x .< 3, x, 0)) == [0, 2])
        #expect(try value(mean(cast(x .>= 0, to: .float32))) == [0.5])
    }

    @Test("a dtype that cannot be compared is told at a line of the user's")
    func mistakes() throws {
        _ = g.constant([true]) .< 1
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.location?.file == #fileID)
    }
}
