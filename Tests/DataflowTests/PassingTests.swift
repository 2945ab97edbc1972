import Dataflow
import OperationCoverage
import Testing

/// Operations that pass their input on, or refuse to.
@Suite("Passing values on", .exercises(.passing))
struct PassingTests {
    @Test("a placeholder with a default takes it unless it is fed, in another shape if that is allowed")
    func defaults() throws {
        let g = Graph()
        let x = g.placeholder(default: g.constant([Float(1), 2]), [nil])
        let y = sum(x * x)
        let slope = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        #expect(try session.run([y, slope]).map { try $0.doubles } == [[5], [2, 4]])
        #expect(try session.run([y, slope], feeds: [x: Tensor([Float(3)])]).map { try $0.doubles } == [[9], [6]])
        let error = #expect(throws: GraphError.self) { try session.run(y, feeds: [x: Tensor([[1.0]])]) }
        #expect(error?.description.contains("[?]") == true, "\(error?.description ?? "")")
    }

    @Test("a default that the shape does not allow is told with both")
    func wrongDefault() {
        let g = Graph()
        _ = g.placeholder(default: g.constant([Float(1), 2]), [3])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("must have the shape [3], got [2]") == true)
    }

    @Test("PlaceholderV2 is fed, or missed by name")
    func placeholder() throws {
        let g = Graph()
        let x = g.add(PlaceholderV2.self, [], ["dtype": .type(.float32), "shape": .shape([2])], name: "x").node
        let session = try Session(g)
        #expect(try session.run(x + 1, feeds: [x: Tensor([Float(1), 2])]) == Tensor([Float(2), 3]))
        let error = #expect(throws: GraphError.self) { try session.run(x + 1) }
        #expect(error?.description.contains("the placeholder 'x' was not fed") == true)
    }

    @Test("EnsureShape lets through what fits, and tells both shapes of what does not")
    func ensuredShape() throws {
        let g = Graph()
        let x = g.placeholder(.float32, .unknown)
        let y = ensureShape(x, [nil, 2])
        #expect(y.shape == [nil, 2])
        let slope = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        let feeds: Feeds = [x: Tensor([[1.0, 2]])]
        #expect(try session.run([y, slope], feeds: feeds) == [Tensor([[1.0, 2]]), Tensor([[1.0, 1]])])
        let error = #expect(throws: GraphError.self) { try session.run(y, feeds: [x: Tensor([Float(1), 2])]) }
        #expect(error?.description.contains("must have the shape [?, 2], got [2]") == true)
    }

    @Test("CheckNumerics throws its message, the place and the value", arguments: [DType.float32, .float64, .bfloat16])
    func checks(dtype: DType) throws {
        let g = Graph()
        let x = g.placeholder(dtype, [3])
        let y = checkNumerics(x, message: "the loss")
        let session = try Session(g)
        let good = Tensor.numbers([1, -2, 0], dtype: dtype, sized: [3])
        #expect(try session.run(y, feeds: [x: good]) == good)
        for bad in [Double.infinity, .nan, -.infinity] {
            let value = Tensor.numbers([1, bad, 0], dtype: dtype, sized: [3])
            let error = #expect(throws: GraphError.self) { try session.run(y, feeds: [x: value]) }
            #expect(error?.description.contains("the loss: element 1 is \(bad)") == true)
        }
    }

    @Test("PreventGradient refuses to be differentiated, in its own words")
    func prevented() throws {
        let g = Graph()
        let x = g.constant(Float(3))
        let y = g.add(PreventGradient.self, [x], ["message": .string("use the fused loss")]).node
        #expect(try Session(g).run(y) == Tensor(Float(3)))
        _ = g.gradients(of: y, by: [x])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("use the fused loss") == true)
    }

    @Test("IdentityN takes tensors of several dtypes, and tells one that is not of the dtype its list says")
    func several() throws {
        let g = Graph()
        let (x, n) = (g.constant([Float(1), 2]), g.constant(Int32(3)))
        let vertex = g.add(IdentityN.self, [x, n])
        #expect(vertex.outputs == [TensorSpec(.float32, [2]), TensorSpec(.int32, [])])
        #expect(
            try Session(g).run([vertex.output(1), vertex.output(0)]) == [Tensor(Int32(3)), Tensor([Float(1), 2])])
        g.add(IdentityN.self, [x, n], ["T": .types([.float32, .int64])])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("input 1 'input' must be int64, got int32") == true)
    }
}
