import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf
import Testing

/// Models that TensorFlow wrote: `Tests/conformance/make_models.py` makes them.
@Suite("TensorFlow's models")
struct ModelTests {
    private let temporary = try! TemporaryFolder()

    static func path(_ name: String) -> String {
        Bundle.module.bundleURL.appendingPathComponent("Models/\(name)").path
    }

    struct Run: Decodable, Sendable {
        struct Numbers: Decodable, Sendable {
            let shape: [Int]
            let data: [Float]
            var tensor: Tensor { Tensor(data, sized: Shape(shape)) }
        }
        let path: String
        let signature: String?
        let tags: [String]?
        let checkpoint: String?
        let `init`: Bool?
        let feeds: [String: Numbers]
        let fetches: [String: Numbers]
    }

    static let runs = try! JSONDecoder().decode([Run].self, from: Data(contents(path("models.json"))))

    private func agrees(_ got: Tensor, _ wanted: Tensor) throws -> Bool {
        try got.shape == wanted.shape
            && zip(got.doubles, wanted.doubles).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) }
    }

    @Test("models compute what TensorFlow computes", arguments: runs.indices)
    func numbers(index: Int) throws {
        let run = Self.runs[index]
        let source = try GraphSource(Self.path(run.path), tags: run.tags)
        let signature = try run.signature.map { try source.signature($0) }
        var feeds: [String: Tensor] = [:]
        for (name, value) in run.feeds { feeds[signature?.fed(name) ?? name] = value.tensor }
        let names = run.fetches.keys.sorted()
        let nodes = names.map { signature?.fetched($0) ?? $0 }
        let first = run.`init` == true ? source.collection("init_op") : []
        let file = try GraphFile(source, needed: nodes, additions: first, feeds: feeds.mapValues(\.dtype))
        try file.load()
        for name in first { try file.executeAddition(name) }
        if let checkpoint = run.checkpoint {
            let unmatched = try file.restore(TensorFlowCheckpoint.open(Self.path(checkpoint)))
            #expect(unmatched.variables.isEmpty && unmatched.tensors.isEmpty, "\(unmatched)")
        }
        for (name, value) in zip(names, try file.run(nodes, feeds: feeds)) {
            let wanted = try #require(run.fetches[name]).tensor
            // A pipeline's Variables are random: only what kind of value they yield is known.
            let isRandom = run.`init` == true
            #expect(
                try isRandom ? value.shape == wanted.shape : agrees(value, wanted),
                "\(run.path) \(name): \(value), \(wanted)")
        }
    }

    @Test("signatures, collections, tags and savers are read")
    func descriptions() throws {
        let module = try GraphSource(Self.path("module"))
        #expect(module.kind == .savedModel && !module.isText)
        let signature = try module.signature(nil)
        #expect(signature.inputs.map(\.key) == ["x"] && signature.inputs.map(\.spec) == ["float32[?, 3]"])
        #expect(signature.outputs.map(\.key) == ["sum", "y"])
        let listing = GraphListing(module)
        #expect(listing.tags == ["serve"] && listing.functions.count == 5 && listing.variables.count == 3)
        #expect(listing.text.contains("signature serving_default") && listing.text.contains("SavedModel tagged serve"))

        let train = try GraphSource(Self.path("train.pbtxt"))
        #expect(train.kind == .metaGraph && train.isText)
        #expect(train.collection("train_op") == ["GradientDescent"])
        #expect(train.collection("trainable_variables") == ["w:0"])
        #expect(train.collection("nothing").isEmpty)
        #expect(GraphListing(train).collections?["losses"] == ["sparse_softmax_cross_entropy_loss/value:0"])
        let saver = GraphListing(try GraphSource(Self.path("renamed.meta"))).saver
        #expect(saver?["restore"] == "save/restore_all" && saver?["version"] == "V2")
        for (tags, text) in [(["gpu"], "has no graph with just the tags [gpu]; it has [train], [serve]")] {
            let error = #expect(throws: FormatError.self) { try GraphSource(Self.path("tagged"), tags: tags) }
            #expect(error?.description.contains(text) == true, "\(error!)")
        }
        let error = #expect(throws: FormatError.self) { try module.signature("other") }
        #expect(error?.description.contains("has no signature 'other'; it has serving_default") == true)
    }

    @Test("the constant that names an asset's file names it where it is now")
    func assets() throws {
        let source = try GraphSource(Self.path("assets"))
        let graph = try GraphFile(source, needed: ["asset_path"]).graph
        #expect(try graph.node(named: "asset_path").spec == TensorSpec(.string, []))
        let path = try GraphFile(source, needed: ["asset_path"]).run(["asset_path"])[0].texts[0]
        #expect(try String(decoding: contents(path), as: UTF8.self) == "a\nb\nc\n")
    }

    @Test("assets lie in the model's own folder", arguments: ["../../secret", "/etc/passwd", "a/../../b", ".."])
    func hostileAssets(name: String) throws {
        let temporary = try TemporaryFolder()
        let bytes = try contents(Self.path("assets") + "/saved_model.pb")
        var model = try TFSavedModel(serializedBytes: bytes)
        for i in model.metaGraphs.indices {
            model.metaGraphs[i].assetFileDef = [
                TFAssetFileDef.with {
                    $0.tensorInfo.name = "asset_path:0"
                    $0.filename = name
                }
            ]
        }
        let path = try temporary.write(try model.serializedBytes() as [UInt8], "saved_model.pb")
        let error = #expect(throws: FormatError.self) { try GraphSource(path) }
        #expect(error?.description.contains("outside of its folder") == true)
    }

    @Test("the same graph is read from every form of it")
    func forms() throws {
        let source = try GraphSource(Self.path("renamed.meta"))
        let definition = source.definition
        var meta = source.meta
        meta.graphDef = definition
        var saved = TFSavedModel()
        saved.savedModelSchemaVersion = 1
        saved.metaGraphs = [meta]
        let forms: [(GraphSource.Kind, any Message)] = [(.graph, definition), (.metaGraph, meta), (.savedModel, saved)]
        for (kind, message) in forms {
            // The name says nothing.
            let binary = try temporary.write(try message.serializedBytes() as [UInt8], "a.txt")
            let text = try temporary.write(Array(message.textFormatString().utf8), "b.pb")
            let gzip = try temporary.write(try deflated(message.serializedBytes()), "c")
            for (path, isText) in [(binary, false), (text, true), (gzip, false)] {
                let read = try GraphSource(path)
                #expect(read.kind == kind && read.isText == isText)
                #expect(read.definition == definition)
                #expect(read.signatures.count == source.signatures.count)
            }
        }
    }

    /// gzip, stored and not compressed.
    private func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        let file = try temporary.write(bytes, "plain")
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-kf", file]
        try process.run()
        process.waitUntilExit()
        return try contents(file + ".gz")
    }

    @Test("fields that are not known yet are passed over in text and bytes")
    func newer() throws {
        let text = """
            # A comment { with a brace
            node { name: "a" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } new_field { x: [1, 2] } }
            future: "{" future_too < node: 1 >
            versions { producer: 99999 }
            [some.extension] { x: 1 }
            """
        let source = try GraphSource(temporary.write(Array(text.utf8), "a"))
        #expect(source.kind == .graph && source.definition.node.count == 1)
        let meta = "new_thing { a: 1 }\nmeta_info_def { tags: 'x' }\ngraph_def { node { name: 'n' op: 'NoOp' } }\n"
        #expect(try GraphSource(temporary.write(Array(meta.utf8), "b")).kind == .metaGraph)
    }
}

@Suite("Files that are no graph")
struct ForeignFileTests {
    private let temporary = try! TemporaryFolder()

    private func told(_ bytes: [UInt8], _ name: String = "file") throws -> String {
        let path = try temporary.write(bytes, name)
        let error = #expect(throws: FormatError.self) { try GraphSource(path) }
        return error?.what ?? ""
    }

    @Test("each is named, with what to do")
    func names() throws {
        #expect(try told([]) == "is empty")
        #expect(
            try told([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] + [UInt8](repeating: 0, count: 99)).contains(
                "HDF5"))
        #expect(
            try told(Array("PK\u{3}\u{4}....metadata.json....config.json....".utf8)).contains("Keras model (.keras)"))
        #expect(try told(Array("PK\u{3}\u{4}archive/data.pkl".utf8)).contains("PyTorch"))
        #expect(try told([28, 0, 0, 0] + Array("TFL3".utf8) + [0, 0]).contains("TensorFlow Lite"))
        #expect(try told([0x08, 0x07, 0x12, 0x02, 0x70, 0x74, 0x3A, 0x02, 0x0A, 0x00]).contains("ONNX"))
        #expect(try told([0x93] + Array("NUMPY".utf8)).contains("--feed"))
        #expect(try told([0x80, 0x02, 0x7D]).contains("pickle"))
        #expect(try told(Array(" {\"a\": 1}".utf8)).contains("JSON"))
        #expect(try told(Array("model_checkpoint_path: \"a\"".utf8)).contains(".meta"))
        #expect(try told(Array("Each node of the graph: see `versions`.".utf8)).contains("is no graph of TensorFlow"))
        #expect(try told(Array("hello".utf8)).contains("is no graph of TensorFlow"))
        #expect(try told(contents(ModelTests.path("version1.ckpt"))).contains("format V1"))
        #expect(try told(contents(ModelTests.path("renamed.index")), "m.index").contains("--checkpoint"))
        #expect(try told([1, 2, 3], "m.data-00000-of-00001").contains("data file of a checkpoint"))
    }

    @Test("folders and prefixes say what to give")
    func folders() throws {
        let prefix = ModelTests.path("renamed")
        let error = #expect(throws: FormatError.self) { try GraphSource(prefix) }
        #expect(error?.what.contains("its graph is in \(prefix).meta") == true, "\(error!)")
        let folder = #expect(throws: FormatError.self) { try GraphSource(temporary.path) }
        #expect(folder?.what.contains("no SavedModel") == true)
    }

    @Test("what is no checkpoint is named too; a folder means its newest checkpoint")
    func checkpoints() throws {
        func told(_ path: String) -> String {
            let error = #expect(throws: FormatError.self) { try TensorFlowCheckpoint.open(path) }
            return error?.what ?? ""
        }
        #expect(told(ModelTests.path("version1.ckpt")).contains("format V1"))
        #expect(told(ModelTests.path("renamed.meta")).contains("the checkpoint beside it is"))
        #expect(told(ModelTests.path("loops.pbtxt")).contains("GraphDef"))
        #expect(told(ModelTests.path("simple/saved_model.pb")).contains("give its folder"))
        #expect(told(ModelTests.path("rename")).contains("there is renamed"))
        #expect(told(temporary.path).contains("without a checkpoint"))
        let prefix = ModelTests.path("renamed")
        _ = try temporary.write(Array("model_checkpoint_path: \"\(prefix)\"\n".utf8), "checkpoint")
        let names = try TensorFlowCheckpoint(prefix).names
        for path in [prefix, prefix + ".index", prefix + ".data-00000-of-00001", temporary.path] {
            #expect(try TensorFlowCheckpoint.open(path).names == names)
        }
        #expect(try TensorFlowCheckpoint.open(ModelTests.path("simple")).names == ["b", "net/w"])
    }

    @Test("graphs cut anywhere, or with any byte turned, are read or refused in all their forms")
    func damaged() throws {
        for name in ["loops.pbtxt", "renamed.meta", "simple/saved_model.pb"] {
            let whole = try contents(ModelTests.path(name))
            func read(_ bytes: [UInt8]) throws {
                let path = try temporary.write(bytes, "damaged")
                do {
                    let source = try GraphSource(path)
                    _ = GraphListing(source).text
                    _ = source.initializers
                } catch is FormatError {}
            }
            for length in stride(from: 0, to: whole.count, by: 97) { try read(Array(whole[..<length])) }
            for at in stride(from: 0, to: whole.count, by: 89) {
                var bytes = whole
                bytes[at] ^= UInt8(1 << (at % 8))
                try read(bytes)
            }
        }
        // A field that claims 2 GB, and messages in messages in messages.
        #expect(throws: FormatError.self) {
            try GraphSource(temporary.write([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x0A, 0x01, 0x61], "claim"))
        }
        let deep = "node { attr { value " + String(repeating: "{ x ", count: 100_000)
        #expect(throws: FormatError.self) { try GraphSource(temporary.write(Array(deep.utf8), "deep")) }
        let lists = "node { x: " + String(repeating: "[", count: 100_000)
        #expect(throws: FormatError.self) { try GraphSource(temporary.write(Array(lists.utf8), "lists")) }
    }
}
