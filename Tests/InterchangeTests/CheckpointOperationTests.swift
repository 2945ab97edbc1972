import Dataflow
import Foundation
import Interchange
import OperationCoverage
import Testing

/// What the operations of `tf.train.Saver` in a graph do, on the graph and checkpoints that TensorFlow wrote
/// (`Tests/conformance/make_checkpoints.py`).
@Suite("Checkpoints that graphs save and restore", .exercises(.checkpoints))
struct CheckpointOperationTests {
    private let temporary = try! TemporaryFolder()

    private static func path(_ name: String) -> String {
        Bundle.module.bundleURL.appendingPathComponent("Checkpoints/\(name)").path
    }

    private func saver() throws -> GraphFile { try GraphFile(Self.path("graph.pb"), folder: temporary.path) }

    private func text(_ text: String) -> Tensor { Tensor(texts: [text], sized: []) }

    @Test("the Saver's operations restore TensorFlow's checkpoint and write the same bytes")
    func saves() throws {
        let graph = try saver()
        try graph.execute("save/restore_all", feeds: ["save/Const:0": text(Self.path("variables"))])
        let saved = try graph.run(["save/control_dependency:0"], feeds: ["save/Const:0": text("own/model-7")])
        #expect(try saved[0].texts == ["own/model-7"])
        let (own, theirs) = (
            try TensorFlowCheckpoint(temporary.file("own/model-7")), try TensorFlowCheckpoint(Self.path("variables"))
        )
        #expect(own.names == theirs.names)
        for name in own.names { #expect(try own.tensor(named: name) == theirs.tensor(named: name), "\(name)") }
        let data = ".data-00000-of-00001"
        #expect(try contents(temporary.file("own/model-7\(data)")) == contents(Self.path("variables\(data)")))
        // Without a feed the graph's own default counts.
        try graph.execute("save/control_dependency")
        #expect(try temporary.names == ["model.data-00000-of-00001", "model.index", "own"])
    }

    @Test(
        "a tensor that is missing, a folder that is missing and a checkpoint of the first format are told by their paths"
    )
    func mistakes() throws {
        let graph = try saver()
        func problem(_ name: String, _ prefix: String) -> String {
            let error = #expect(throws: GraphError.self) {
                try graph.execute(name, feeds: ["save/Const:0": text(prefix)])
            }
            return error?.description ?? ""
        }
        let missing = problem("save/restore_all", Self.path("many"))
        #expect(missing.contains("save/RestoreV2") && missing.contains("many.index") && missing.contains("'brain'"))
        try graph.execute("save/restore_all", feeds: ["save/Const:0": text(Self.path("variables"))])
        let folder = problem("save/control_dependency", "no/such/folder/model")
        #expect(folder.contains("no/such/folder/model") && folder.contains("No such file"))
        #expect(try temporary.names.isEmpty)
        _ = try temporary.write([1, 2, 3], "old")
        #expect(problem("save/restore_all", "old").contains("format V1"))
    }

    @Test("a session without a store says what it lacks")
    func noStore() throws {
        let g = Graph()
        let vertex = g.add(
            SaveV2.self, [g.texts("a"), g.texts(["x"]), g.texts([""]), g.constant(Float(1))])
        let error = #expect(throws: GraphError.self) { try Session(g).execute(vertex.node) }
        #expect(error?.description.contains("CheckpointStore") == true)
    }

    @Test(
        "a graph that comes from somebody else writes, moves and removes nothing outside of its folder",
        arguments: ["../outside", "/tmp/tributary-outside", "own/../../outside", "link/x"])
    func outside(prefix: String) throws {
        let around = try TemporaryFolder()
        let inner = around.file("inner")
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(inner)/link", withDestinationPath: "..")
        let g = Graph()
        let tensor = g.constant(Float(1))
        let save = g.add(SaveV2.self, [g.texts(prefix), g.texts(["x"]), g.texts([""]), tensor])
        let part = g.add(SaveV2.self, [g.texts("part"), g.texts(["x"]), g.texts([""]), tensor])
        let merge = g.add(MergeV2Checkpoints.self, [g.texts(["part"]), g.texts(prefix)])
        let steal = g.add(MergeV2Checkpoints.self, [g.texts(["../mine"]), g.texts("taken")])
        let store = TensorFlowCheckpointStore(folder: inner, writable: .under([inner]))
        try TensorFlowCheckpointStore().write(
            [CheckpointPart(CheckpointKey("x"), Tensor(Float(1)))], to: around.file("mine"))
        let session = try Session(g, options: SessionOptions(checkpoints: store))
        try session.execute(part.node)
        for vertex in [save, merge, steal] {
            let error = #expect(throws: GraphError.self) { try session.execute(vertex.node) }
            #expect(error?.description.contains("the graph would write") == true, "\(error!)")
        }
        #expect(try around.names == ["inner", "mine.data-00000-of-00001", "mine.index"])
        #expect(!FileManager.default.fileExists(atPath: "/tmp/tributary-outside.index"))
    }

    @Test("shards are merged, parts of tensors too, texts come back, and the shards' folder is gone")
    func merges() throws {
        let g = Graph()
        let whole = (0..<12).map { Float($0) }
        let rows = Tensor(whole, sized: [4, 3])
        let prefixes = (0..<2).map { shard in
            g.add(ShardedFilename.self, [g.texts("ckpt_temp/part"), g.constant(Int32(shard)), g.constant(Int32(2))])
                .node
        }
        let first = try g.add(
            SaveV2.self,
            [
                prefixes[0], g.texts(["table", "words"]), g.texts(["4 3 0,1:-", ""]), g.constant(rows.rows(0..<1)),
                g.texts(["", "é", String(repeating: "x", count: 300)]),
            ])
        let second = try g.add(
            SaveV2.self,
            [prefixes[1], g.texts(["table"]), g.texts(["4 3 1,3:-"]), g.constant(rows.rows(1..<4))])
        let merge = g.controlDependencies([first.node, second.node]) {
            g.add(MergeV2Checkpoints.self, [g.add(Pack.self, prefixes).node, g.texts("ckpt")])
        }
        let restored = g.add(
            RestoreV2.self,
            [
                g.texts("ckpt"), g.texts(["words", "table", "table", "table"]),
                g.texts(["", "", "4 3 2,2:0,2", "4 3 1,3:-"]),
            ],
            ["dtypes": .types([.string, .float32, .float32, .float32])])
        let session = try Session(
            g, options: SessionOptions(checkpoints: TensorFlowCheckpointStore(folder: temporary.path)))
        try session.execute(merge.node)
        #expect(
            try temporary.names
                == ["ckpt.data-00000-of-00002", "ckpt.data-00001-of-00002", "ckpt.index"])
        let values = try session.run(restored.outputs.indices.map(restored.output))
        #expect(try values[0].texts == ["", "é", String(repeating: "x", count: 300)])
        #expect(values[1] == rows)
        #expect(values[2] == Tensor([Float(6), 7, 9, 10], sized: [2, 2]))
        #expect(values[3] == Tensor(Array(whole[3...]), sized: [3, 3]))
    }

    @Test(
        "places of parts that are none are refused",
        arguments: ["4", "4 x", "4 0,5", "4 5,0", "4 -1,2", "4 0,1:-", "4 0;1"])
    func places(text: String) { #expect(throws: GraphError.self) { try CheckpointSlice(text) } }

    @Test("the first format's operations can be read, and say what to do when they run")
    func firstFormat() throws {
        let g = Graph()
        let save = g.add(Save.self, [g.texts("a"), g.texts(["x"]), g.constant(Float(1))])
        let restore = g.add(Restore.self, [g.texts("a"), g.texts("x")], ["dt": .type(.float32)])
        let slices = g.add(
            SaveSlices.self, [g.texts("a"), g.texts(["x"]), g.texts([""]), g.constant(Float(1))])
        let slice = g.add(RestoreSlice.self, [g.texts("a"), g.texts("x"), g.texts("")], ["dt": .type(.float32)])
        for vertex in [save, restore, slices, slice] {
            let error = #expect(throws: GraphError.self) { try Session(g).execute(vertex.node) }
            #expect(error?.description.contains("SaverDef.V2") == true)
        }
    }
}

extension Graph {
    fileprivate func texts(_ text: String) -> Node { constant(Tensor(texts: [text], sized: [])) }
    fileprivate func texts(_ texts: [String]) -> Node { constant(Tensor(texts: texts, sized: [texts.count])) }
}
