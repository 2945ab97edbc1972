import Dataflow
import Testing

@Suite("Descriptions")
struct DescriptionTests {
    @Test("every public type says what it is, not how Swift lays it out")
    func types() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2], name: "x")
        let w = g.variable([[1.0], [2]], name: "w")
        let y = matmul(x, w, name: "y")
        let session = try Session(g)
        let rows = IndexedSlices(values: g.constant([[1.0]]), indices: g.constant([0]), denseShape: g.constant([3, 1]))
        let rowsText = "\(rows)"
        let described: [(Any, String)] = [
            (g, "operations and 1 Variable"),
            (x, "x:0 float32[?, 2]"),
            (y.vertex, "MatMul 'y'"),
            (w, "w float32[2, 1]"),
            (x.spec, "float32[?, 2]"),
            (x.shape, "[?, 2]"),
            (DType.float32, "float32"),
            (Tensor(1), "int32[] 1"),
            (BFloat16(1.5), "1.5"),
            (session, "a session of a graph of"),
            (session.options, "threads"),
            (Feeds([x: Tensor([[1.0, 2]])]), "[x:0: float32[1, 2]]"),
            ([1, 2] as TensorLiteral, "[1, 2]"),
            (GraphError("it is wrong", node: "x"), "x: it is wrong"),
            (y.vertex.attributes, "transpose_a: false"),
            (AttributeValue.type(.int32), "int32"),
            (MatMul.signature, "->"),
        ]
        for (value, text) in described { #expect("\(value)".contains(text), "\(type(of: value)): \(value)") }
        #expect(rowsText.contains("rows"), "\(rowsText)")
    }
}
