import Dataflow
import Testing

@Suite("Literals and Swift values as tensors")
struct LiteralTests {
    @Test("a literal takes TensorFlow's dtype, to any rank")
    func literals() throws {
        func expect(_ tensor: Tensor, _ dtype: DType, _ shape: Shape, _ values: [Double]) throws {
            #expect(tensor.dtype == dtype && tensor.shape == shape && (try tensor.doubles) == values, "\(tensor)")
        }
        try expect(Tensor(1), .int32, [], [1])
        try expect(Tensor(-0.5), .float32, [], [-0.5])
        try expect(Tensor(true), .bool, [], [1])
        try expect(Tensor([1, 2, 3]), .int32, [3], [1, 2, 3])
        try expect(Tensor([1, 2.5]), .float32, [2], [1, 2.5])
        try expect(Tensor([[1, 2], [3, -4]]), .int32, [2, 2], [1, 2, 3, -4])
        try expect(Tensor([[[0.5], [1]]]), .float32, [1, 2, 1], [0.5, 1])
        try expect(Tensor([0, .infinity, -.infinity]), .float32, [3], [0, .infinity, -.infinity])
        try expect(Tensor([]), .float32, [0], [])
        try expect(Tensor([1, 2], dtype: .float64), .float64, [2], [1, 2])
        try expect(Tensor([1.0, 2], dtype: .uint8), .uint8, [2], [1, 2])
        try expect(Tensor([true, false], dtype: .float32), .float32, [2], [1, 0])
        // As TensorFlow has it: what int32 cannot hold.
        try expect(Tensor([3_000_000_000, 1]), .int64, [2], [3e9, 1])
        #expect(try Tensor([["a", "b"]]).texts == ["a", "b"])
        #expect(Tensor([["a", "b"]]).shape == [1, 2])
    }

    @Test("what the program computes keeps its type")
    func typed() throws {
        let (float, double, int, byte) = (Float(0.5), 0.25, 7, UInt8(3))
        #expect(Tensor(float).dtype == .float32 && Tensor(double).dtype == .float64)
        #expect(Tensor(int).dtype == .int64 && Tensor(byte).dtype == .uint8)
        #expect(try Tensor(int).scalar(Int.self) == 7)
        #expect(Tensor([int, 2]).dtype == .int64)
        #expect(Tensor([float, 1]) == Tensor([0.5, 1]))
        let cube = [[[Float(1), 2]], [[3, 4]]]
        #expect(try Tensor(cube) == Tensor([1.0, 2, 3, 4], shape: [2, 1, 2]))
        #expect(try Tensor([[int, 1], [2, 3]], dtype: .float32) == Tensor([[7.0, 1], [2, 3]]))
        #expect(try Tensor([[String]]()).shape == [0, 0])
        let name = "x"
        #expect(try Tensor(name).texts == ["x"] && Tensor([name]).shape == [1])
        #expect(try Tensor([Tensor([1, 2]), Tensor([3, 4])]) == Tensor([[1, 2], [3, 4]]))
        #expect(try Tensor([0.1, 0.2], dtype: .float32) == Tensor([Float(0.1), 0.2]))
    }

    @Test("ragged rows, wrong sizes and inexact numbers are told with both sizes")
    func mistakes() throws {
        func message(_ make: () throws -> Tensor) -> String {
            do { return "\(try make())" } catch { return "\(error)" }
        }
        let (ragged, ints) = ([[Float(1), 2], [3]], [1, 300])
        #expect(message { try Tensor(ragged) }.contains("[2]") && message { try Tensor(ragged) }.contains("[1]"))
        #expect(
            message { try Tensor([1, 2, 3], shape: [2, 2]) } == "3 elements do not fill the shape [2, 2], which has 4")
        #expect(message { try Tensor([Float(1)], shape: [2]) } == "1 element does not fill the shape [2], which has 2")
        #expect(message { try Tensor([1, 2], shape: [nil, 2]) }.contains("must be fully known, got [?, 2]"))
        #expect(
            message { try Tensor([1, 2], shape: [-1, 2]) }.contains("at least 0")
                && message { try .zeros(.bool, [-3]) }.contains("[-3]"))
        #expect(message { try .zeros(.float32, [1 << 40, 1 << 40]) }.contains("memory"))
        #expect(message { try Tensor(ints, dtype: .uint8) } == "300 is no uint8, which cannot hold it exactly")
        #expect(message { try Tensor([0.5, 1], dtype: .int32, shape: [2]) }.contains("0.5 is no int32"))
        #expect(message { try Tensor(16_777_217 as Int, dtype: .float32) }.contains("16777217 is no float32"))
        #expect(message { try Tensor(1e300 as Double, dtype: .float32) }.contains("no float32"))
        #expect(message { try Tensor(ints, dtype: .string) }.contains("no text"))
        #expect(message { try Tensor(["a"] as [String], dtype: .int32) }.contains("a text is no int32"))
        #expect(try Tensor(0.5, shape: [2, 1]) == Tensor([[0.5], [0.5]]))
        #expect(try Tensor(repeating: 1, dtype: .float64, shape: [2]) == Tensor([1.0, 1], dtype: .float64))
        #expect(try Tensor(repeating: Float(1), shape: [2]) == Tensor([1.0, 1]))
    }

    @Test("constants and Variables take literals and values; a mistake is the graph's, at the user's line")
    func inGraphs() throws {
        let g = Graph()
        let half = 0.5
        #expect(g.constant([[3, 3]]).spec == TensorSpec(.int32, [1, 2]))
        #expect(g.constant([[[half]]]).spec == TensorSpec(.float64, [1, 1, 1]))
        #expect(g.constant(0.1, shape: [3]).spec == TensorSpec(.float32, [3]))
        #expect(g.constant("text").dtype == .string)
        #expect(
            g.variable(0).dtype == .int32 && g.variable(0.5).dtype == .float32 && g.variable(half).dtype == .float64)
        #expect(g.variable([[1, 2]], dtype: .float64).shape == [1, 2])
        #expect(g.variable(.zeros(.uint8, sized: [2])).dtype == .uint8)
        try g.validate()
        let ragged = [[half], [half, half]]
        let builds: [(Graph) -> UInt] = [
            { g in
                _ = g.constant([[1, 2], [3]]); return #line
            },
            { g in
                _ = g.constant(ragged); return #line
            },
            { g in
                _ = g.constant([1, "a"]); return #line
            },
            { g in
                _ = g.variable([0.5], dtype: .int32); return #line
            },
            { g in
                _ = g.variable(ragged); return #line
            },
            { g in
                _ = g.constant([1, 2, 3], shape: [2, 2]); return #line
            },
            { g in
                _ = g.placeholder(.float32, [-1, 2]); return #line
            },
        ]
        for build in builds {
            let g = Graph()
            let line = build(g)
            let error = #expect(throws: GraphError.self) { try Session(g) }
            #expect(error?.location?.line == line, "\(String(describing: error))")
        }
    }

    @Test("reading a tensor as what it is not throws")
    func reading() throws {
        let t = Tensor([[1, 2], [3, 4]])
        #expect(throws: GraphError.self) { try t.array(of: Float.self) }
        #expect(throws: GraphError.self) { try t.scalar(Int32.self) }
        #expect(throws: GraphError.self) { try t.texts }
        #expect(throws: GraphError.self) { try Tensor(0.5).integers }
        #expect(throws: GraphError.self) { try Tensor("a").doubles }
        #expect(throws: GraphError.self) { try t.rows(1..<3) }
        #expect(throws: GraphError.self) { try Tensor(1).rows(0..<0) }
        let error = #expect(throws: GraphError.self) { try t.reshaped([3]) }
        #expect(error?.message.contains("[2, 2]") == true && error?.message.contains("[3]") == true)
        #expect(throws: GraphError.self) { try Shape([nil, 2]).concrete }
        #expect(Shape([1, 2])[5] == nil && Shape([1, 2])[-3] == nil && Shape([1, 2])[-1] == 2)
    }

    @Test("an output that a vertex does not have is a mistake of what uses it")
    func outputs() throws {
        let g = Graph()
        let vertex = g.constant(1).vertex
        #expect(throws: GraphError.self) { try Session(g).run(vertex.output(1)) }
        _ = vertex.output(-1) + vertex.output(0)
        let error = #expect(throws: GraphError.self) { try Session(g) }
        #expect(error?.message.contains("output -1 of 'Const', which has 1") == true)
    }
}
