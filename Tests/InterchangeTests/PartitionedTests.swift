import Dataflow
import Foundation
import Interchange
import Testing

/// Checkpoints of partitioned Variables, their slots and averages: `Tests/conformance/make_partitioned.py` makes them.
@Suite("Partitioned Variables in TensorFlow's checkpoints")
struct PartitionedTests {
    private let temporary = try! TemporaryFolder()

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Checkpoints/Partitioned").path
    static let cases = try! FileManager.default.contentsOfDirectory(atPath: folder).sorted()

    /// What TensorFlow computed.
    private struct Run: Decodable {
        struct Value: Decodable {
            let shape: [Int]
            let data: [Double]
            var tensor: Tensor { .numbers(data, dtype: .float32, sized: Shape(shape)) }
        }
        let losses: [Double]
        let variables: [String: Value]
    }

    private func path(_ name: String, _ file: String) -> String { "\(Self.folder)/\(name)/\(file)" }

    private func expected(_ name: String) throws -> Run {
        try JSONDecoder().decode(Run.self, from: Data(contents(path(name, "run.json"))))
    }

    private func checkpoint(_ name: String) throws -> TensorFlowCheckpoint {
        try TensorFlowCheckpoint(path(name, "model"))
    }

    @Test("parts, their slots and averages have TensorFlow's values, and training goes on as there", arguments: cases)
    func restore(name: String) throws {
        let run = try expected(name)
        let variables = run.variables.keys.sorted()
        let graph = try GraphFile(path(name, "graph.pb"), needed: variables + ["loss:0", "train"], initial: ["init"])
        try graph.execute("init")
        #expect(try graph.restore(checkpoint(name)).variables.isEmpty)
        for (node, value) in zip(variables, try graph.run(variables)) {
            #expect(value == run.variables[node]?.tensor, "\(node)")
        }
        let feeds = ["x": try Npy.read(path(name, "x.npy")), "y": try Npy.read(path(name, "y.npy"))]
        for expected in run.losses {
            let loss = try graph.run(["train", "loss:0"], feeds: feeds)[1].doubles[0]
            #expect(abs(loss - expected) <= 1e-5 * max(1, expected))
        }
    }

    @Test("one part of the graph is restored without the others")
    func alone() throws {
        let name = "adam-plain-ref-minmax1-flat"
        let wanted = "w/part_1/Adam_1"
        let graph = try GraphFile(path(name, "graph.pb"), needed: [wanted])
        let unmatched = try graph.restore(checkpoint(name))
        #expect(unmatched.variables.isEmpty && unmatched.tensors.contains("w"))
        #expect(try graph.run([wanted])[0] == expected(name).variables[wanted]?.tensor)
    }

    @Test("what a graph of other partitions cannot be given is told with both shapes")
    func mismatch() throws {
        let g = Graph()
        for part in 0..<2 {
            g.variable(Tensor.zeros(.float32, sized: [7, 3]), name: "w/part_\(part)")
            g.variable(Tensor.zeros(.float32, sized: [7, 3]), name: "w/part_\(part)/Adam")
        }
        let graph = try GraphFile(temporary.write(try GraphDefinition.encode(g), "graph.pb"))
        let error = #expect(throws: FormatError.self) { try graph.restore(checkpoint("adam-plain-ref-minmax1-flat")) }
        for text in ["'w/part_1' is float32[7, 3]", "'w' float32[7, 4]", "'w/part_0/Adam' is", "'w/Adam' float32["] {
            #expect(error?.description.contains(text) == true, "\(error!)")
        }
    }

    @Test("what is saved here has the names and slices that TensorFlow writes")
    func saves() throws {
        let name = "adadelta-ema-ref-fixed1-both-saver"
        let graph = try GraphFile(path(name, "graph.pb"), folder: temporary.path)
        try graph.restore(checkpoint(name))
        _ = try graph.run(
            ["save/control_dependency:0"], feeds: ["save/Const:0": Tensor(texts: ["own"], sized: [])])
        let data = "data-00000-of-00001"
        #expect(try contents(temporary.file("own.\(data)")) == contents(path(name, "model.\(data)")))
        let other = try GraphFile(path(name, "graph.pb"))
        let unmatched = try other.restore(TensorFlowCheckpoint(temporary.file("own")))
        #expect(unmatched.variables.isEmpty && unmatched.tensors.isEmpty)
        for (node, value) in try expected(name).variables { #expect(try other.run([node])[0] == value.tensor) }
    }
}
