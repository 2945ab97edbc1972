import Dataflow
import Testing

@Suite("Feeds")
struct FeedsTests {
    @Test("nodes and Variables are fed tensors, numbers, and arrays, in the key's dtype")
    func values() throws {
        let g = Graph()
        let (x, n) = (g.placeholder(.float32, [nil, 2]), g.placeholder(.int32, []))
        let (flag, words) = (g.placeholder(.bool, []), g.placeholder(.string, [nil]))
        let w = g.variable([10.0, 20])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let rows = [[0, 1], [2, 3]]
        let feeds: Feeds = [x: rows, n: 2, flag: true, words: ["a", "b"]]
        let values = try session.run([x * w, n, flag, words], feeds: feeds)
        #expect(values[0] == Tensor([[0.0, 20], [20, 60]]) && values[1] == Tensor(2) && values[2] == Tensor(true))
        #expect(try values[3].texts == ["a", "b"])
        // Doubles are rounded, whole numbers are exact, a Variable's key feeds its value.
        #expect(try session.run(x * w, feeds: [x: [[0.1, 1]], w: [1, 2]]) == Tensor([[0.1, 2]]))
        #expect(try session.run(n, feeds: [n: Tensor([3.0])[0]]) == Tensor(3))
        #expect(try session.run(w) == Tensor([10.0, 20]))
        #expect(try session.plan(for: [x * w], feeds: feeds).steps.isEmpty == false)
    }

    @Test("what does not fit is thrown by the run, with the node and the user's line")
    func mistakes() throws {
        let g = Graph()
        let x = g.placeholder(.float32, name: "x"); let line: UInt = #line
        let n = g.placeholder(.int32, name: "n")
        let session = try Session(g)
        func error(_ feeds: Feeds) -> GraphError? {
            #expect(throws: GraphError.self) { try session.run([x, n], feeds: feeds) }
        }
        let ragged = error([x: [[1.0], [1, 2]], n: 0])
        #expect(ragged?.node == "Placeholder 'x'" && ragged?.location?.line == line)
        #expect(error([x: "text", n: 0])?.message.contains("a text is no float32") == true)
        #expect(error([x: 1, n: 0.5])?.message.contains("0.5 is no int32") == true)
        #expect(error([x: 16_777_217, n: 0])?.message.contains("16777217") == true)
        #expect(error([x: 1, n: 1 << 40])?.message.contains("int32") == true)
        let other = Graph().placeholder()
        #expect(error([x: 1, n: 1, other: 2])?.message.contains("another graph") == true)
    }

    @Test("feeds are collected, merged and described")
    func collecting() throws {
        let g = Graph()
        let (x, y) = (g.placeholder(name: "x"), g.placeholder(name: "y"))
        var feeds: Feeds = [:]
        #expect(feeds.isEmpty && "\(feeds)" == "[:]")
        feeds[x] = 1
        feeds[y] = [1.0, 2]
        #expect("\(feeds)" == "[x:0: float32[], y:0: float32[2]]")
        let merged = feeds.merging([y: 5])
        let session = try Session(g)
        #expect(try session.run(x + y, feeds: merged) == Tensor(6.0))
        #expect(try session.run(x + y, feeds: feeds) == Tensor([2.0, 3]))
        #expect(try session.run(x + y, feeds: [y: 5, x: 2]) == Tensor(7.0))
        feeds[y] = nil
        #expect(feeds.count == 1 && feeds.nodes == [x] && feeds[y] == nil && feeds[x] == Tensor(1.0))
        #expect(throws: GraphError.self) { try session.run(x + y, feeds: feeds) }
        let collected = [x: Tensor(1.0), y: Tensor(2.0)]
        #expect(try session.run(x + y, feeds: Feeds(collected)) == Tensor(3.0))
    }
}
