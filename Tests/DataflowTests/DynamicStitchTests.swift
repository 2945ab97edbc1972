import Dataflow
import OperationCoverage
import Testing

@Suite("DynamicStitch", .exercises(.dynamicStitch))
struct DynamicStitchTests {
    @Test("slices go where the indices say, the later over the earlier; the gradient takes them from there")
    func values() throws {
        let g = Graph()
        let a = g.constant([Float(1), 2])
        let b = g.constant([[10.0, 20], [30, 40]])
        let out = dynamicStitch(
            [g.constant(Int32(4)), g.constant([Int32(0), 1])], [a, b])
        #expect(out.shape == [5, 2])
        let later = dynamicStitch([g.constant([Int32(1), 0]), g.constant(Int32(1))], [b, a])
        let weights = g.constant(Tensor((1...10).map { Float($0) }, sized: [5, 2]))
        let gradients = g.gradients(of: [out], by: [a, b], upstream: [weights]).compactMap { $0 }
        let results = try Session(g).run([out, later] + gradients)
        #expect(results[0] == Tensor([[10.0, 20], [30, 40], [0, 0], [0, 0], [1, 2]]))
        #expect(results[1] == Tensor([[30.0, 40], [1, 2]]))
        #expect(results[2] == Tensor([Float(9), 10]))
        #expect(results[3] == Tensor([[1.0, 2], [3, 4]]))
    }

    @Test("indices that are fed give the shape when the graph runs")
    func dynamic() throws {
        let g = Graph()
        let indices = g.placeholder(.int32, [2])
        let out = dynamicStitch([indices], [g.constant([Int64(7), 8])])
        #expect(out.shape == [nil])
        let session = try Session(g)
        #expect(try session.run(out, feeds: [indices: Tensor([Int32(2), 0])]) == Tensor([Int64(8), 0, 7]))
        #expect(try session.run(out, feeds: [indices: Tensor([Int32(0), 1])]) == Tensor([Int64(7), 8]))
        let error = #expect(throws: GraphError.self) {
            try session.run(out, feeds: [indices: Tensor([Int32(-1), 1])])
        }
        #expect(error?.description.contains("DynamicStitch 'DynamicStitch': indices 0[0] = -1") == true)
    }

    @Test("data that does not begin with the shape of its indices is told")
    func mismatch() throws {
        let g = Graph()
        _ = dynamicStitch([g.constant([Int32(0), 1])], [g.constant([Float(1), 2, 3])])
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("must begin with that of its indices, [2]") == true)
    }
}
