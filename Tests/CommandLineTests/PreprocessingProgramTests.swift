import Foundation
import Testing

/// The built program on data that changes, moves or is gone after training.
@Suite("Checkpoints and the data they were trained on")
final class PreprocessingProgramTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("data-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    private func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }

    /// Runs the program in the folder.
    private func run(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: TestProgram.path)
        process.arguments = arguments.flatMap { $0.split(separator: " ").map(String.init) }
        process.currentDirectoryURL = folder
        let files = ["stdout", "stderr"].map { folder.appendingPathComponent($0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
        return (process.terminationStatus, texts[0], texts[1])
    }

    /// Two columns of different size; the label is yes where a > b / 100.
    private func table(_ rows: Int, from first: Int = 0, columns: [String] = ["a", "b", "label"]) -> String {
        var text = columns.joined(separator: ",") + "\n"
        for row in first..<(first + rows) {
            let (a, b) = (Double((row * 37) % 101) / 25 - 2, Double((row * 53) % 97) * 4 - 200)
            let cells = ["a": "\(a)", "b": "\(b)", "label": a > b / 100 ? "yes" : "no", "id": "\(row)"]
            text += columns.map { cells[$0]! }.joined(separator: ",") + "\n"
        }
        return text
    }

    private func trainTable(_ arguments: String = "") throws {
        try write(
            "job.yaml",
            """
            model: {kind: mlp, hidden: [8]}
            data: {format: csv, path: train.csv, test_path: test.csv, labels: label, scale: standardize}
            train: {learning_rate: 0.02, batch: 16, epochs: 8}
            cluster: {threads_per_node: 1}
            """)
        try write("train.csv", table(200))
        try write("test.csv", table(50, from: 500))
        let trained = try run("train job.yaml --checkpoint out " + arguments)
        #expect(trained.status == 0, "\(trained.errors)")
    }

    @Test("predict and evaluate need no training data and find columns by name", arguments: ["train", "launch"])
    func columns(command: String) throws {
        try trainTable()
        if command == "launch" {
            try remove("out")
            #expect(try run("launch job.yaml --checkpoint out").status == 0)
        }
        let before = try run("evaluate job.yaml --checkpoint out")
        #expect(before.output.contains("50 examples"), "\(before.errors)")
        try remove("train.csv")
        #expect(try run("evaluate job.yaml --checkpoint out").output == before.output)
        try write("swapped.csv", table(50, from: 500, columns: ["b", "label", "a"]))
        #expect(try run("evaluate job.yaml --checkpoint out --set data.test_path=swapped.csv").output == before.output)

        try write("new.csv", table(20, columns: ["a", "b"]))
        let wanted = try run("predict job.yaml --checkpoint out --input new.csv")
        #expect(wanted.status == 0 && wanted.output.hasPrefix("class,p(no),p(yes)\n"), "\(wanted.errors)")
        for columns in [["b", "a"], ["label", "a", "b"], ["b", "label", "a"]] {
            try write("other.csv", table(20, columns: columns))
            #expect(try run("predict job.yaml --checkpoint out --input other.csv").output == wanted.output)
        }
        try write("id.csv", table(20, columns: ["id", "a", "b"]))
        let id = try run("predict job.yaml --checkpoint out --input id.csv")
        #expect(
            id.status == 65 && id.output.isEmpty && id.errors.contains("unknown: id (leave them out"), "\(id.errors)")
        let ignoring = try run("predict job.yaml --checkpoint out --input id.csv --set data.ignore=[id]")
        #expect(ignoring.output == wanted.output, "\(ignoring.errors)")
        try write("foreign.csv", "height,weight\n1,2\n")
        let foreign = try run("predict job.yaml --checkpoint out --input foreign.csv")
        #expect(foreign.status == 65 && foreign.errors.contains("missing: a, b; unknown: height, weight"))
    }

    @Test("resume says what has changed, keeps what was fitted, and refuses what would be wrong")
    func resume() throws {
        try trainTable()
        func fitted() throws -> String {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("out").path)
            let newest = try #require(names.filter { $0.hasSuffix(".preprocessing") }.sorted().last)
            return try String(contentsOf: folder.appendingPathComponent("out/\(newest)"), encoding: .utf8)
        }
        let before = try fitted()
        // More rows, and their columns in another order: harmless.
        try write("train.csv", table(260, columns: ["label", "b", "a"]))
        for command in ["train", "launch"] {
            let more = try run("\(command) job.yaml --checkpoint out --resume --set train.epochs=30")
            #expect(more.status == 0, "\(more.errors)")
            if command == "train" {
                #expect(more.errors.contains("260 training examples, 200 when the checkpoint was written"))
            } else {
                #expect(!more.errors.contains("when the checkpoint was written"))
            }
            #expect(try fitted() == before)
        }
        func refusal(_ arguments: String = "") throws -> String {
            let result = try run("train job.yaml --checkpoint out --resume --set train.epochs=40 " + arguments)
            #expect(result.status == 65 || result.status == 78, "\(result.errors)")
            return result.errors
        }
        #expect(try refusal("--set data.labels=a --set data.task=regression").contains("data.task is regression"))
        #expect(try refusal("--set data.labels=b").contains("is b, but the checkpoint's model learnt label"))
        #expect(try refusal("--set data.ignore=[a]").contains("a is ignored now, was a number"))
        #expect(try refusal("--set model.hidden=[9]").contains("another model"))
        try write("train.csv", table(200, columns: ["a", "b", "id", "label"]))
        #expect(try refusal().contains("unknown: id"))
        try write("train.csv", table(200, columns: ["a", "label"]))
        #expect(try refusal().contains("missing: b"))
        try write("train.csv", table(200).replacing("yes", with: "maybe"))
        #expect(try refusal().contains("the label 'maybe' is not among"))
        try write("train.csv", table(200))
        let scaled = try run("train job.yaml --checkpoint out --resume --set train.epochs=40 --set data.scale=min_max")
        #expect(scaled.status == 0 && scaled.errors.contains("was trained with standardize, which is kept"))
        #expect(try fitted() == before)
    }

    @Test("a category keeps its meaning when the training file changes or is gone")
    func categories() throws {
        let worth = ["blue": 1.0, "green": 5.0, "red": 9.0]
        let rows = (0..<120).map { row -> String in
            let colour = worth.keys.sorted()[row % 3]
            return "\(colour),\(Double(row % 7) / 7),\(worth[colour]! + Double(row % 5) / 50)"
        }
        try write("train.csv", "colour,p,y\n" + rows.joined(separator: "\n") + "\n")
        try write(
            "job.yaml",
            """
            model: {kind: wide_and_deep, hidden: [8]}
            data: {format: csv, path: train.csv, labels: y, categorical: [colour], task: regression}
            train: {learning_rate: 0.03, batch: 16, epochs: 20}
            cluster: {threads_per_node: 1}
            """)
        #expect(try run("train job.yaml --checkpoint out").status == 0)
        try write("new.csv", "colour,p\nblue,0\ngreen,0\nred,0\n")
        let before = try run("predict job.yaml --checkpoint out --input new.csv")
        #expect(before.status == 0, "\(before.errors)")
        try write("train.csv", "colour,p,y\n" + rows.joined(separator: "\n").replacing("blue", with: "zebra") + "\n")
        #expect(try run("predict job.yaml --checkpoint out --input new.csv").output == before.output)
        let resumed = try run("train job.yaml --checkpoint out --resume --set train.epochs=25")
        #expect(resumed.status == 65 && resumed.errors.contains("categories that the checkpoint does not know: zebra"))
        let drawn = try run("evaluate job.yaml --checkpoint out")
        #expect(drawn.status == 0 && drawn.errors.contains("may have examples that were trained on"), "\(drawn.errors)")
        try remove("train.csv")
        #expect(try run("predict job.yaml --checkpoint out --input new.csv").output == before.output)
        let gone = try run("evaluate job.yaml --checkpoint out")
        #expect(
            gone.status == 65 && gone.errors.contains("for another file give --set data.test_path=FILE"),
            "\(gone.errors)")
        try write("test.csv", "y,colour,p\n1,blue,0\n9,red,0\n")
        let tested = try run("evaluate job.yaml --checkpoint out --set data.test_path=test.csv")
        #expect(tested.status == 0 && tested.output.hasPrefix("2 examples"), "\(tested.errors)")
    }

    @Test("ratings keep their users and items")
    func ratings() throws {
        let lines = (0..<200).map { "u\($0 % 10)\tm\($0 % 7)\t\(Double($0 % 10) / 3 + Double($0 % 7) / 4)\t9" }
        try write("u.data", lines.joined(separator: "\n") + "\n")
        try write(
            "job.yaml",
            """
            model: {kind: wide_and_deep, hidden: [8], embedding: 4}
            data: {format: ratings, path: u.data}
            train: {learning_rate: 0.03, batch: 16, epochs: 5}
            cluster: {threads_per_node: 1}
            """)
        #expect(try run("train job.yaml --checkpoint out").status == 0)
        try write("new.tsv", "u3\tm2\nu9\tm6\n")
        let before = try run("predict job.yaml --checkpoint out --input new.tsv")
        #expect(before.status == 0, "\(before.errors)")
        // A user who sorts before all others would move every index.
        try write("u.data", "aa\tm0\t1\t9\n" + lines.joined(separator: "\n") + "\n")
        #expect(try run("predict job.yaml --checkpoint out --input new.tsv").output == before.output)
        #expect(try run("train job.yaml --checkpoint out --resume --set train.epochs=6").errors.contains("know: aa"))
        try remove("u.data")
        #expect(try run("predict job.yaml --checkpoint out --input new.tsv").output == before.output)
    }

    @Test("a checkpoint of an older version is used with a warning; a damaged preprocessing is named")
    func older() throws {
        try trainTable()
        try write("new.csv", table(20, columns: ["a", "b"]))
        let before = try run("predict job.yaml --checkpoint out --input new.csv")
        let out = folder.appendingPathComponent("out")
        let names = try FileManager.default.contentsOfDirectory(atPath: out.path)
        let fitted = out.appendingPathComponent(try #require(names.first { $0.hasSuffix(".preprocessing") }))
        let manifest = out.appendingPathComponent(
            try #require(names.first { $0.hasSuffix(".json") }))
        let json = try Data(contentsOf: fitted)
        try Data(String(repeating: "x", count: json.count).utf8).write(to: fitted)
        let damaged = try run("predict job.yaml --checkpoint out --input new.csv")
        #expect(damaged.status == 65 && damaged.errors.contains(".preprocessing is wrong"))
        var fields = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: manifest)) as? [String: Any])
        // Format 1 had neither checksums nor preprocessing.
        fields["format"] = 1
        for key in ["preprocessing", "checksum", "order", "data"] { fields[key] = nil }
        try JSONSerialization.data(withJSONObject: fields).write(to: manifest)
        let older = try run("predict job.yaml --checkpoint out --input new.csv")
        #expect(older.status == 0 && older.output == before.output, "\(older.errors)")
        #expect(older.errors.contains("of an older version"))
    }

    @Test("an exported graph tells its preprocessing")
    func exported() throws {
        try trainTable()
        let exported = try run("graph export job.yaml --output g.pb")
        #expect(exported.output.contains(#""preprocessing":{"classNames":["no","yes"]"#), "\(exported.errors)")
    }
}
