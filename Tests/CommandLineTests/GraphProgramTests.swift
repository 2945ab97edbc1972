import Dataflow
import Foundation
import Interchange
import Testing

/// `tributary graph` and `train` on TensorFlow's files, as `Tests/conformance/make_models.py` makes them.
@Suite("TensorFlow's files from the command line")
struct GraphProgramTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "graphs-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private static func model(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("InterchangeTests/Models/\(name)").path
    }

    /// Runs the program; its exit status, standard output and standard error.
    private func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (folder.appending(path: UUID().uuidString), folder.appending(path: UUID().uuidString))
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = URL(fileURLWithPath: TestProgram.path)
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try String(contentsOf: output, encoding: .utf8),
            try String(contentsOf: errors, encoding: .utf8)
        )
    }

    private var input: String {
        get throws {
            let path = folder.appending(path: "x.npy").path
            try Npy.write(Tensor((0..<12).map { Float($0) / 10 }, sized: [4, 3]), to: path)
            return path
        }
    }

    @Test("a SavedModel runs by its signature: keys are fed and fetched")
    func signature() throws {
        let out = folder.appending(path: "out").path
        let x = try input
        var result = try run([
            "graph", "run", Self.model("module"), "--signature", "serving_default", "--feed", "x=\(x)", "--out", out,
        ])
        #expect(result.status == 0, "\(result)")
        #expect(try Npy.read("\(out)/y.npy").shape == [4, 2])
        #expect(abs(try Npy.read("\(out)/sum.npy").doubles[0] - 6.6) < 1e-5)
        result = try run(["graph", "run", Self.model("simple"), "--feed", "input=\(x)"])
        #expect(
            result.output.contains("doubled float32[4, 6]") && result.output.contains("output float32"), "\(result)")
        result = try run(["graph", "run", Self.model("simple"), "--feed", "x:0=\(x)", "--fetch", "y:0"])
        #expect(result.output.hasPrefix("y:0 float32[4, 6]"), "\(result)")
        result = try run(["graph", "run", Self.model("module")])
        #expect(result.status == 64 && result.errors.contains("also needs x (float32[?, 3])"), "\(result)")
        result = try run(["graph", "run", Self.model("module"), "--signature", "nix"])
        #expect(result.status == 65 && result.errors.contains("it has serving_default"), "\(result)")
        result = try run(["graph", "run", Self.model("tagged"), "--tags", "train", "--feed", "in=\(x)"])
        #expect(result.status == 0, "\(result)")
    }

    @Test("a .meta runs with the checkpoint beside it, or from its own initialiser")
    func metaGraph() throws {
        let x = try input
        var result = try run([
            "graph", "run", Self.model("renamed.meta"), "--checkpoint", Self.model("renamed"), "--feed", "x=\(x)",
            "--fetch", "y",
        ])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        result = try run([
            "graph", "run", Self.model("train.meta"), "--feed", "features=\(x)", "--fetch", "probabilities",
        ])
        #expect(result.status == 0 && result.output.hasPrefix("probabilities float32[4, 3]"), "\(result)")
        result = try run(["graph", "run", Self.model("loops.pbtxt"), "--feed", "x=\(x)"])
        #expect(result.status == 64 && result.errors.contains("--fetch"), "\(result)")
        result = try run([
            "graph", "run", Self.model("renamed.meta"), "--checkpoint", Self.model("version1.ckpt"), "--fetch", "y",
        ])
        #expect(result.status == 65 && result.errors.contains("format V1"), "\(result)")
    }

    @Test("of a .meta the tables that a run needs are filled first")
    func tables() throws {
        var result = try run([
            "graph", "run", Self.model("tables.meta"), "--feed-text", "word=blue", "--fetch", "number",
        ])
        #expect(result.status == 0 && result.output.hasPrefix("number int64[] [7]"), "\(result)")
        result = try run(["graph", "run", Self.model("tables.meta"), "--feed-text", "word=blue", "--fetch", "lost"])
        #expect(result.status != 0 && result.errors.contains("lost.txt"), "\(result)")
    }

    @Test("graphs with operations that are not known are shown")
    func show() throws {
        let text = try run(["graph", "show", Self.model("pipeline.meta")])
        #expect(text.status == 0 && text.output.contains("IteratorGetNext("), "\(text)")
        #expect(text.output.contains("  (unknown)") && text.output.contains("collection train_op: GradientDescent"))
        struct Listing: Decodable {
            struct Node: Decodable {
                let name: String
                let unknown: Bool?
            }
            let kind: String
            let nodes: [Node]
            let unknown: [String: Int]
            let collections: [String: [String]]
        }
        let json = try run(["graph", "show", "--json", Self.model("pipeline.meta")])
        let listing = try JSONDecoder().decode(Listing.self, from: Data(json.output.utf8))
        #expect(listing.kind == "MetaGraphDef" && listing.unknown["IteratorGetNext"] == 1)
        #expect(listing.nodes.first { $0.name == "IteratorGetNext" }?.unknown == true)
        let module = try run(["graph", "show", Self.model("module")])
        #expect(module.output.contains("  input x: serving_default_x:0 float32[?, 3]"), "\(module)")
    }

    @Test(
        "a training graph's file says what the configuration leaves out",
        arguments: ["train.meta", "train.pbtxt", "pipeline.meta"])
    func train(file: String) throws {
        let data = folder.appending(path: "data.npz").path
        let x = Tensor((0..<120).map { Float($0 % 7) / 7 }, sized: [40, 3])
        try Npz.write([("x_train", x), ("y_train", Tensor((0..<40).map { Int64($0 % 3) }))], to: data)
        let job = folder.appending(path: "job.yaml")
        try Data(
            """
            model: { kind: graph, file: \(Self.model(file)) }
            data: { format: npz, path: \(data) }
            train: { batch: 8, epochs: 2 }
            """.utf8
        ).write(to: job)
        let result = try run(["train", job.path])
        #expect(result.status == 0, "\(result)")
        let notes = result.errors.split(separator: "\n").filter {
            $0.contains("taken from \(Self.model(file)): train ")
        }
        #expect(notes.count == 1 && notes[0].contains("features to "), "\(result)")
        // What is given wins.
        let other = try run(["train", job.path, "--set", "model.train=nix"])
        #expect(other.status == 78 && other.errors.contains("no node named 'nix'"), "\(other)")
        guard file == "train.pbtxt" else { return }
        let odd = try run(["train", job.path, "--set", "model.feeds={x: labels, y: labels}"])
        #expect(odd.status == 78 && odd.errors.contains("labels to one placeholder"), "\(odd)")
    }

    @Test("graph check reads any form of the graph")
    func check() throws {
        let x = try input
        let run = """
            {"feeds": {"x": "x.npy"}, "fetches": {"y": "y.npy"}}
            """
        for (name, file) in [("loops.pbtxt", "graph.pbtxt"), ("simple", ".")] {
            let out = folder.appending(path: "out-\(name)").path
            _ = try self.run(["graph", "run", Self.model(name), "--feed", "x:0=\(x)", "--fetch", "y", "--out", out])
            let place = folder.appending(path: "case-\(name)")
            if file == "." {
                try FileManager.default.copyItem(atPath: Self.model(name), toPath: place.path)
            } else {
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: Self.model(name), toPath: place.appending(path: file).path)
            }
            try Data(run.utf8).write(to: place.appending(path: "run.json"))
            try FileManager.default.copyItem(atPath: x, toPath: place.appending(path: "x.npy").path)
            try FileManager.default.copyItem(atPath: "\(out)/y.npy", toPath: place.appending(path: "y.npy").path)
            let result = try self.run(["graph", "check", place.path])
            #expect(result.status == 0, "\(result)")
        }
    }
}
