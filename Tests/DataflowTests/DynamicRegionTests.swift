import Dataflow
import Testing

/// Values whose shapes follow from fed values.
@Suite("The dynamic region")
struct DynamicRegionTests {
    @Test("a reshaped value outlives its place in the arena")
    func lifetime() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [4])
        let extents = g.placeholder(.int32, [2])
        let doubled = reshape(x * 2, extents)
        let sum = doubled + reshape((x + 1) * 3, extents)
        let feeds: Feeds = [x: Tensor([Float(1), 2, 3, 4]), extents: Tensor([Int32(2), 2])]
        #expect(try Session(g).run(sum, feeds: feeds) == Tensor([[8.0, 13], [18, 23]]))
    }

    @Test("a value of known shape keeps it when memory is shared with another")
    func views() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [1, 4])
        let flat = squeeze(x)
        let extents = g.placeholder(.int32, [1])
        let repeated = apply(flat, extents)
        let feeds: Feeds = [x: Tensor([[1.0, 2, 3, 4]]), extents: Tensor([Int32(2)])]
        let results = try Session(g).run([flat, repeated], feeds: feeds)
        #expect(results == [Tensor([Float(1), 2, 3, 4]), Tensor([Float(1), 2, 3, 4, 1, 2, 3, 4])])
    }

    private func apply(_ x: Node, _ multiples: Node) -> Node { x.graph.add(Tile.self, [x, multiples]).node }

    @Test("an index out of range is told with the bound and the operation")
    func indices() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [3, 2])
        let indices = g.placeholder(.int32, [2])
        let rows = gather(x, indices)
        let feeds: Feeds = [x: Tensor.zeros(.float32, sized: [3, 2]), indices: Tensor([Int32(0), 3])]
        let error = #expect(throws: GraphError.self) { try Session(g).run(rows, feeds: feeds) }
        #expect(error?.description.contains("GatherV2 'GatherV2': indices[1] = 3 is not in [0, 3)") == true)
    }
}
