import Dataflow
import OperationCoverage
import Testing

/// Lists of tensors: as values, and what is refused. TensorFlow's numbers are in ConformanceTests.
@Suite("Lists of tensors", .exercises(.tensorLists))
struct TensorListTests {
    @Test("a tree of elements is an array at every length, and older versions stay as they were", arguments: 1...6)
    func tree(seed: Int) throws {
        var state = UInt64(seed)
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % Swift.max(count, 1)
        }
        var versions: [(tree: ElementTree, array: [Float?])] = [(ElementTree(), [])]
        for step in 0..<400 {
            var (tree, array) = versions[random(versions.count)]
            let value = Float(step)
            switch random(5) {
            case 0 where !array.isEmpty:
                let index = random(array.count)
                tree.set(Tensor(value), at: index)
                array[index] = value
            case 1:
                let count = random(700)
                tree.resize(to: count)
                array = Array(array.prefix(count)) + [Float?](repeating: nil, count: Swift.max(count - array.count, 0))
            case 2 where !array.isEmpty:
                tree.resize(to: array.count - 1)
                array.removeLast()
            case 3: tree = ElementTree(array.map { $0.map { Tensor($0) } })
            default:
                tree.append(Tensor(value))
                array.append(value)
            }
            versions.append((tree, array))
        }
        for (tree, array) in versions {
            #expect(tree.count == array.count)
            #expect(try tree.all.map { try $0?.scalar(Float.self) } == array)
        }
        let lists = versions.suffix(40)
        for (a, x) in lists {
            for (b, y) in lists where x.count == y.count {
                let sum = try ElementTree.merge(a, b) { try Tensor($0.scalar(Float.self) + $1.scalar(Float.self)) }
                let expected = zip(x, y).map { p, q in p.flatMap { p in q.map { p + $0 } } ?? p ?? q }
                #expect(try sum.all.map { try $0?.scalar(Float.self) } == expected)
            }
        }
    }

    @Test("the first versions of scattering into a list and joining it")
    func firstVersions() throws {
        let g = Graph()
        let rows = g.constant([[1.0, 2], [3, 4], [5, 6]])
        let list = g.add(
            TensorListScatter.self, [rows, g.constant([Int32(2), 0, 1]), g.constant([Int32(2)])]
        ).node
        let joined = g.add(TensorListConcat.self, [list], ["element_dtype": .type(rows.dtype)])
        let values = try Session(g).run([joined.output(0), joined.output(1)])
        #expect(try values[0].doubles == [3, 4, 5, 6, 1, 2])
        #expect(try values[1].doubles == [2, 2, 2])
    }

    private func list(_ g: Graph, _ x: Node, shape: Node? = nil) -> Node {
        g.add(TensorListFromTensor.self, [x, shape ?? g.constant(Int32(-1))]).node
    }

    @Test("a long loop that sets an element each time, and its gradient")
    func long() throws {
        let g = Graph()
        let (x, n) = (g.placeholder(.float32, []), Int32(3000))
        let start = g.add(
            TensorListReserve.self, [g.constant(Tensor([Int32]())), g.constant(n)], ["element_dtype": .type(.float32)]
        ).node
        let made = whileLoop(
            [g.constant(Int32(0)), start], while: { less($0[0], g.constant(n)) },
            do: { values in
                let item = x * cast(values[0], to: .float32)
                return [values[0] + 1, g.add(TensorListSetItem.self, [values[1], values[0], item]).node]
            })[1]
        let all = g.add(
            TensorListStack.self, [made, g.constant(Tensor([Int32]()))], ["element_dtype": .type(.float32)]
        ).node
        let slope = try #require(g.gradients(of: mean(all), by: [x])[0])
        let got = try Session(g).run([all, slope], feeds: [x: Tensor(Float(2))])
        #expect(try got[0].array(of: Float.self) == (0..<Int(n)).map { Float($0) * 2 })
        #expect(try abs(got[1].doubles[0] - 1499.5) < 0.1)
    }

    @Test("what does not fit a list is refused, and says why")
    func refused() throws {
        func text(_ build: (Graph, Node) -> Node) throws -> String {
            let g = Graph()
            let x = g.placeholder(.float32, [nil, 2])
            let node = build(g, x)
            return #expect(throws: GraphError.self) {
                try g.validate()
                _ = try Session(g).run(node, feeds: [x: Tensor([Float(1), 2, 3, 4], sized: [2, 2])])
            }?.description ?? ""
        }
        let int32 = Attributes(["element_dtype": .type(.int32)]),
            float32 = Attributes(["element_dtype": .type(.float32)])
        let cases: [(String, (Graph, Node) -> Node)] = [
            (
                "index 2 is beyond the list of 2",
                { g, x in
                    g.add(TensorListGetItem.self, [list(g, x), g.constant(Int32(2)), g.constant(Int32(-1))], float32)
                        .node
                }
            ),
            (
                "index -1 is beyond the list of 2",
                { g, x in
                    g.add(TensorListSetItem.self, [list(g, x), g.constant(Int32(-1)), x], float32).node
                }
            ),
            (
                "holds float32, not int32",
                { g, x in
                    g.add(TensorListStack.self, [list(g, x), g.constant(Int32(-1))], int32).node
                }
            ),
            (
                "have the shape [2], one of the shape [2, 2] does not fit",
                { g, x in
                    g.add(TensorListPushBack.self, [list(g, x, shape: g.constant([Int32(2)])), x]).node
                }
            ),
            ("which element_shape [3] does not allow", { g, x in list(g, x, shape: g.constant([Int32(3)])) }),
            ("the only scalar that element_shape may be", { g, x in list(g, x, shape: g.constant(Int32(2))) }),
            ("at least −1", { g, x in list(g, x, shape: g.constant([Int32(-5)])) }),
            (
                "must have 3 elements, it has 2",
                { g, x in
                    g.add(
                        TensorListStack.self, [list(g, x), g.constant(Int32(-1))],
                        ["element_dtype": .type(.float32), "num_elements": .int(3)]
                    ).node
                }
            ),
            (
                "is full",
                { g, x in
                    let empty = g.add(EmptyTensorList.self, [g.constant(Int32(-1)), g.constant(Int32(0))], float32).node
                    return g.add(TensorListPushBack.self, [empty, x]).node
                }
            ),
            (
                "is empty",
                { g, x in
                    let empty = g.add(EmptyTensorList.self, [g.constant(Int32(-1)), g.constant(Int32(-1))], float32)
                        .node
                    return g.add(TensorListPopBack.self, [empty, g.constant(Int32(-1))], float32).output(1)
                }
            ),
            (
                "does not tell of what shape",
                { g, x in
                    let vacant = g.add(TensorListReserve.self, [g.constant(Int32(-1)), g.constant(Int32(2))], float32)
                        .node
                    return g.add(
                        TensorListGetItem.self, [vacant, g.constant(Int32(0)), g.constant(Int32(-1))], float32
                    ).node
                }
            ),
            (
                "is longer than lists may be",
                { g, x in
                    let vacant = g.add(TensorListReserve.self, [g.constant(Int32(-1)), g.constant(Int32.max)], float32)
                        .node
                    return g.add(TensorListLength.self, [vacant]).node
                }
            ),
            (
                "takes more memory",
                { g, x in
                    let vacant = g.add(
                        TensorListReserve.self, [g.constant([Int32.max, Int32.max]), g.constant(Int32(1 << 20))],
                        float32
                    ).node
                    return g.add(TensorListStack.self, [vacant, g.constant(Int32(-1))], float32).node
                }
            ),
            (
                "must add up to the 2 rows",
                { g, x in
                    let split = g.add(
                        TensorListSplit.self, [x, g.constant(Int32(-1)), g.constant([Int64(1), Int64.max])])
                    return g.add(TensorListLength.self, [split.node]).node
                }
            ),
            (
                "cannot be added",
                { g, x in
                    let two = list(g, x), one = g.add(TensorListResize.self, [two, g.constant(Int32(1))]).node
                    return g.add(TensorListLength.self, [g.add(AddN.self, [two, one]).node]).node
                }
            ),
        ]
        for (expected, build) in cases {
            let message = try text(build)
            #expect(message.contains(expected), "\(expected): \(message)")
        }
    }

    @Test("a handle that stands for nothing is refused, whatever its bytes are")
    func foreign() throws {
        let g = Graph()
        let handle = g.placeholder(.variant, [])
        let length = g.add(TensorListLength.self, [handle]).node
        let bytes = Tensor(dtype: .variant, sized: []) { $0.storeBytes(of: 1, as: UInt64.self) }
        let message = #expect(throws: GraphError.self) { _ = try Session(g).run(length, feeds: [handle: bytes]) }
        #expect(message?.description.contains("is that of no list") == true)
        // A list that a run yields may be fed to another.
        let x = g.placeholder(.float32, [3])
        let session = try Session(g)
        let made = try session.run(list(g, x), feeds: [x: Tensor([Float(1), 2, 3])])
        #expect(try session.run(length, feeds: [handle: made]).scalar(Int32.self) == 3)
    }
}
