import Dataflow
import Testing

/// Operations whose outputs have as many elements as their inputs' values say.
@Suite("Shapes that depend on values")
struct DynamicShapeTests {
    @Test("a boolean mask and its gradient, whatever the mask")
    func mask() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2])
        let chosen = booleanMask(x, g.placeholder(.bool, [nil], name: "mask"))
        let y = sum(chosen * chosen)
        let slope = try #require(g.gradients(of: y, by: [x])[0])
        let session = try Session(g)
        let mask = try g.node(named: "mask")
        let value = Tensor([[1.0, 2], [3, 4], [5, 6]])
        for (bits, rows, expected) in [
            ([true, false, true], [[1, 2], [5, 6]], [2, 4, 0, 0, 10, 12]),
            ([false, false, false], [], [0, 0, 0, 0, 0, 0]), ([false, true, false], [[3, 4]], [0, 0, 6, 8, 0, 0]),
        ] as [([Bool], [[Double]], [Double])] {
            let results = try session.run([chosen, slope], feeds: [x: value, mask: Tensor(bits)])
            #expect(results[0].shape == [rows.count, 2])
            #expect(try results.map { try $0.doubles } == [rows.flatMap { $0 }, expected])
        }
    }

    @Test("values that depend on each other's shapes run on: unique rows, gathered and summed by segment")
    func chain() throws {
        let g = Graph()
        let ids = g.placeholder(.int32, [nil])
        let table = g.constant(Tensor((0..<10).map { Float($0) }, sized: [5, 2]))
        let (values, indices, counts) = unique(ids)
        let rows = gather(gather(table, values), indices)
        let results = try Session(g).run(
            [values, counts, rows, matmul(rows, rows, transposeB: true)], feeds: [ids: Tensor([Int32(4), 1, 4])])
        #expect(results[0] == Tensor([Int32(4), 1]))
        #expect(results[1] == Tensor([Int32(2), 1]))
        #expect(results[2] == Tensor([[8.0, 9], [2, 3], [8, 9]]))
        #expect(results[3].shape == [3, 3])
    }

    @Test("each NaN is distinct, the two zeros are not")
    func uniqueFloats() throws {
        let g = Graph()
        let result = unique(g.constant([Float.nan, 0, -0.0, .nan])).indices
        #expect(try Session(g).run(result) == Tensor([Int32(0), 1, 1, 2]))
    }

    @Test("an int64 beyond what float64 holds stays what it is")
    func large() throws {
        let g = Graph()
        let big: Int64 = 1 << 53
        let x = g.constant([big + 1, big, big + 1])
        let sets = g.add(
            DenseToDenseSetOperation.self, [reshape(x, [1, 3]), reshape(g.constant([big]), [1, 1])],
            ["set_operation": .string("a-b")])
        let results = try Session(g).run([unique(x).values, sets.output(1)])
        #expect(results == [Tensor([big + 1, big]), Tensor([big + 1])])
    }

    @Test("partitions beyond their number are told with the index")
    func partitions() throws {
        let g = Graph()
        let which = g.placeholder(.int32, [3])
        let parts = dynamicPartition(g.constant([Float(1), 2, 3]), which, count: 2)
        let session = try Session(g)
        #expect(
            try session.run(parts, feeds: [which: Tensor([Int32(1), 0, 1])]) == [
                Tensor([Float(2)]), Tensor([Float(1), 3]),
            ])
        let error = #expect(throws: GraphError.self) {
            try session.run(parts, feeds: [which: Tensor([Int32(1), 2, 0])])
        }
        #expect(error?.description.contains("partitions[1] = 2 is not in [0, 2)") == true)
    }

    @Test("segments that do not ascend are told with the index")
    func segments() throws {
        let g = Graph()
        let ids = g.placeholder(.int32, [3])
        let sums = segmentSum(g.constant([Float(1), 2, 4]), ids)
        let session = try Session(g)
        #expect(try session.run(sums, feeds: [ids: Tensor([Int32(0), 0, 2])]) == Tensor([Float(3), 0, 4]))
        for wrong in [[0, 2, 1], [-1, 0, 1]] as [[Int32]] {
            let error = #expect(throws: GraphError.self) { try session.run(sums, feeds: [ids: Tensor(wrong)]) }
            #expect(error?.description.contains("ascending") == true)
        }
    }
}
