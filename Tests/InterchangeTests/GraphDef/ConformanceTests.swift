import Dataflow
import Foundation
import Interchange
import Testing

/// Graphs that TensorFlow wrote and trained: the same steps here end at its numbers.
@Suite("TensorFlow's training graphs")
struct ConformanceTests {
    /// What a graph's `run.json` asks for; names of nodes to files of numbers.
    struct Run: Decodable {
        let `init`: String
        let train: String
        let steps: Int
        let rtol: Double
        let feeds: [String: String]
        let fetches: [String: String]
        let first: [String: String]
    }

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Graphs")

    @Test("the graph trains to TensorFlow's numbers", arguments: ["xor", "mlp_adam"])
    func trains(name: String) throws {
        let folder = Self.folder.appendingPathComponent(name)
        let run = try JSONDecoder().decode(Run.self, from: Data(contentsOf: folder.appendingPathComponent("run.json")))
        let graph = try GraphDefinition.decode([UInt8](Data(contentsOf: folder.appendingPathComponent("graph.pb"))))
        let tensors = { (names: [String: String]) in
            try names.map { (try graph.node(named: $0), try Npy.read(folder.appendingPathComponent($1).path)) }
        }
        let feeds = Dictionary(uniqueKeysWithValues: try tensors(run.feeds))
        let session = try Session(graph)
        try session.execute(graph.node(named: run.`init`))
        let check = { (expected: [(Node, Tensor)], when: String) in
            #expect(!expected.isEmpty)
            for ((node, tensor), got) in zip(expected, try session.run(expected.map(\.0), feeds: feeds)) {
                #expect(got.dtype == tensor.dtype && got.shape == tensor.shape, "\(node.name), \(when): \(got)")
                let errors = zip(got.doubles, tensor.doubles).map { abs($0 - $1) / max(1, abs($1)) }
                #expect(errors.allSatisfy { $0 <= run.rtol }, "\(node.name), \(when): relative errors \(errors)")
            }
        }
        try check(tensors(run.first), "before the first step")
        let train = try graph.node(named: run.train)
        for _ in 0..<run.steps { try session.execute(train, feeds: feeds) }
        try check(tensors(run.fetches), "after \(run.steps) steps")
    }
}
