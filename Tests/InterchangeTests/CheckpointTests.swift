import Dataflow
import Foundation
import Interchange
import Testing

/// Checkpoints that TensorFlow's Saver wrote: `Tests/conformance/make_checkpoints.py` makes them.
@Suite("TensorFlow's checkpoints")
struct CheckpointTests {
    private let temporary = try! TemporaryFolder()

    private static func path(_ name: String) -> String {
        Bundle.module.bundleURL.appendingPathComponent("Checkpoints/\(name)").path
    }

    private struct Numbers: Decodable {
        let dtype: DTypeName
        let shape: [Int]
        let data: [Double]

        struct DTypeName: Decodable {
            let dtype: DType
            init(from decoder: any Decoder) throws {
                let name = try decoder.singleValueContainer().decode(String.self)
                dtype = try #require(DType(rawValue: name))
            }
        }

        var tensor: Tensor { .numbers(data, dtype: dtype.dtype, sized: Shape(shape)) }
    }

    private static func numbers(_ name: String) throws -> [String: Numbers] {
        try JSONDecoder().decode([String: Numbers].self, from: Data(contents(path("\(name).json"))))
    }

    @Test("every tensor is TensorFlow's", arguments: ["variables", "sharded", "many"])
    func tensors(name: String) throws {
        let checkpoint = try TensorFlowCheckpoint(Self.path(name))
        let expected = try Self.numbers(name)
        #expect(checkpoint.names == expected.keys.sorted())
        for (name, numbers) in expected {
            let tensor = try checkpoint.tensor(named: name)
            #expect(tensor == numbers.tensor, "\(name)")
            #expect(try checkpoint.spec(named: name) == TensorSpec(tensor.dtype, tensor.shape))
        }
    }

    @Test("all dtypes and both partitioned Variables are among them")
    func complete() throws {
        let checkpoint = try TensorFlowCheckpoint(Self.path("variables"))
        let dtypes = Set(try checkpoint.names.map { try checkpoint.spec(named: $0).dtype })
        #expect(dtypes == Set(DType.all))
        #expect(try checkpoint.spec(named: "table").shape == [70, 2])
        #expect(try checkpoint.spec(named: "columns").shape == [2, 6, 2])
    }

    @Test("a graph computes with the Variables of a checkpoint, partitioned ones and handles too")
    func restore() throws {
        let expected = try Self.numbers("graph")
        let fetches = expected.keys.sorted()
        let graph = try GraphFile(Self.path("graph.pb"), needed: fetches)
        let unmatched = try graph.restore(TensorFlowCheckpoint(Self.path("variables")))
        for (name, value) in zip(fetches, try graph.run(fetches)) {
            #expect(value == expected[name]?.tensor, "\(name)")
        }
        #expect(unmatched.variables.isEmpty)
        #expect(unmatched.tensors.contains("step") && !unmatched.tensors.contains("table"))
        let other = try graph.restore(TensorFlowCheckpoint(Self.path("sharded")))
        #expect(other.tensors == ["on_0", "on_1"])
        #expect(other.variables == ["handle", "table/part_0", "table/part_1", "table/part_2", "weights"])
    }

    @Test("Variables of other dtypes and shapes than the checkpoint's are all told, and none is changed")
    func mismatch() throws {
        let g = Graph()
        g.variable(Tensor([Float(1), 2]), name: "weights")
        g.variable(Tensor(Float(1)), name: "step")
        g.variable(Tensor([Float(7)]), name: "handle")
        let file = try temporary.write(try GraphDefinition.encode(g), "graph.pb")
        let graph = try GraphFile(file)
        let error = #expect(throws: FormatError.self) {
            try graph.restore(TensorFlowCheckpoint(Self.path("variables")))
        }
        for text in ["'weights' is float32[2]", "float32[2, 3]", "'step' is float32[]", "int64[]", "'handle'"] {
            #expect(error?.description.contains(text) == true, "\(error!)")
        }
    }

    @Test("an index cut anywhere, or with any bit turned, is refused, and data files are checked")
    func damaged() throws {
        let names = ["variables.index", "variables.data-00000-of-00001"]
        let files = try names.map { try contents(Self.path($0)) }
        func read(_ index: [UInt8], _ data: [UInt8]) throws {
            _ = try temporary.write(index, names[0])
            _ = try temporary.write(data, names[1])
            let checkpoint = try TensorFlowCheckpoint(temporary.file("variables"))
            for name in checkpoint.names { _ = try checkpoint.tensor(named: name) }
        }
        try read(files[0], files[1])
        for length in 0..<files[0].count {
            #expect(throws: FormatError.self, "cut at \(length)") { try read(Array(files[0][..<length]), files[1]) }
        }
        for at in files[0].indices {
            var index = files[0]
            index[at] ^= 1 << UInt8(at % 8)
            // The footer says no more than where the index is; bytes that fill it up are free.
            do { try read(index, files[1]) } catch is FormatError { continue }
            #expect(at >= index.count - 48)
        }
        for at in files[1].indices {
            var data = files[1]
            data[at] ^= 0x10
            let error = #expect(throws: FormatError.self) { try read(files[0], data) }
            #expect(error?.what.contains("checksum") == true)
        }
        let short = #expect(throws: FormatError.self) { try read(files[0], Array(files[1].dropLast())) }
        #expect(short?.what.contains("truncated") == true)
        try FileManager.default.removeItem(atPath: temporary.file(names[1]))
        let missing = #expect(throws: FormatError.self) { try TensorFlowCheckpoint(temporary.file("variables")) }
        #expect(missing?.path.hasSuffix(names[1]) == true && missing?.systemCode != nil)
    }
}
