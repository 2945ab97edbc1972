import Dataflow
import Foundation
import Interchange
import Testing

/// Loops and branches that TensorFlow wrote, differentiated here: against TensorFlow's own gradients of them.
@Suite("Gradients of TensorFlow's functions")
struct ImportedGradientTests {
    /// A graph of `Graphs`, with what is fed and the values that TensorFlow computed by name.
    private struct Case {
        let graph: Graph
        let x: Node
        let feeds: Feeds
        let folder: URL

        init(_ name: String) throws {
            folder = Bundle.module.bundleURL.appendingPathComponent("Graphs/\(name)")
            graph = try GraphDefinition.decode([UInt8](Data(contentsOf: folder.appendingPathComponent("graph.pb"))))
            x = try graph.node(named: "x:0")
            feeds = [x: try Npy.read(folder.appendingPathComponent("feed_x_0.npy").path)]
        }

        func expected(_ name: String) throws -> Tensor {
            let file = "expected_\(name.replacing("/", with: "_").replacing(":", with: "_")).npy"
            return try Npy.read(folder.appendingPathComponent(file).path)
        }
    }

    private func expectClose(_ got: Tensor, _ expected: Tensor, _ tolerance: Double, _ what: String) throws {
        #expect(got.shape == expected.shape)
        for (a, b) in try zip(got.doubles, expected.doubles) {
            #expect(abs(a - b) <= tolerance * Swift.max(1, abs(b)), "\(what): \(a), expected \(b)")
        }
    }

    @Test("a loop that TensorFlow wrote runs once, whoever asks for its gradient")
    func once() throws {
        let made = try Case("function_while_gradient")
        let g = made.graph
        let y = try g.node(named: "while/Identity_3:0")
        let session = try Session(g)
        _ = try session.run(y, feeds: made.feeds)
        let count = g.vertices.count { $0.operation.name == "StatelessWhile" }
        let own = try #require(g.gradients(of: y, by: [made.x])[0])
        // TensorFlow's loop back is in the file; ours is one more, and no loop forward came with it.
        #expect(g.vertices.count { $0.operation.name == "StatelessWhile" } == count + 1)
        let profile = Profile()
        let got = try session.run([y, own], feeds: made.feeds, profile: profile)
        #expect(profile.events.count { $0.operation == "StatelessWhile" } == 2)
        try expectClose(got[0], try made.expected("while/Identity_3:0"), 1e-5, "value")
        try expectClose(got[1], try made.expected("gradients/while_grad/Identity_4:0"), 1e-5, "gradient")
        // What it became can be written and read again.
        let again = try GraphDefinition.decode(GraphDefinition.encode(g))
        let repeated = try Session(again).run(
            [again.node(named: y.name), again.node(named: own.name)],
            feeds: [again.node(named: "x:0"): made.feeds[made.x]!])
        #expect(repeated == got)
    }

    @Test(
        "second derivatives: of TensorFlow's gradient and of ours",
        arguments: [
            ("second_while", "gradients_1/AddN_1:0"), ("second_while_nested", "gradients_1/AddN_1:0"),
            ("second_cond_in_while", "gradients_1/AddN:0"),
        ])
    func second(name: String, second: String) throws {
        let (y, first) = ("while/Identity_3:0", "gradients/AddN:0")
        let made = try Case(name)
        let g = made.graph
        let theirs = try g.node(named: first)
        let ours = try #require(g.gradients(of: try g.node(named: y), by: [made.x])[0])
        func total(_ slope: Node) -> Node {
            switch name {
            case "second_while": sum(slope * g.constant(Tensor([1.0, 2, -1], dtype: .float64)))
            case "second_while_nested": sum(slope * slope)
            default: sum(slope)
            }
        }
        let nodes = [ours] + (try [theirs, ours].map { try #require(g.gradients(of: total($0), by: [made.x])[0]) })
        let got = try Session(g).run(nodes, feeds: made.feeds)
        try expectClose(got[0], try made.expected(first), 1e-10, "\(name), our first derivative")
        try expectClose(got[1], try made.expected(second), 1e-10, "\(name), ours of TensorFlow's gradient")
        try expectClose(got[2], try made.expected(second), 1e-10, "\(name), ours of ours")
    }
}
