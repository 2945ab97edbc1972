import Foundation
import Testing

/// Tables as users have them, by the built program.
@Suite("Tables, as a user has them")
final class TableProgramTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "tables-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    private func write(_ text: String, _ name: String, _ encoding: String.Encoding = .utf8) throws {
        try #require(text.data(using: encoding)).write(to: folder.appending(path: name))
    }

    private func run(_ arguments: String...) throws -> (status: Int32, output: String, log: String) {
        let process = Process()
        let errors = folder.appending(path: "stderr")
        try Data().write(to: errors)
        let output = Pipe()
        process.executableURL = URL(filePath: TestProgram.path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let told = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: told, as: UTF8.self),
            try String(contentsOf: errors, encoding: .utf8)
        )
    }

    private func job(_ data: String, model: String = "{kind: mlp, hidden: [4]}") throws {
        try write(
            """
            model: \(model)
            data: {\(data)}
            train: {batch: 8, epochs: 2, learning_rate: 0.02}
            cluster: {workers: 1, threads_per_node: 1}
            """, "job.yaml")
    }

    private static func rows(_ row: (Int) -> String) -> String { (0..<40).map { row($0) + "\n" }.joined() }

    @Test("numbers as names are a header; class names with commas and line ends are quoted in predictions")
    func names() throws {
        try write(
            "2019,2020,kind of it\n"
                + Self.rows { "\($0).5,-\($0),\($0 % 2 == 0 ? "\"two\nlines, \"\"yes\"\"\"" : "no")" }, "a.csv")
        try job("format: csv, path: a.csv, test_fraction: 0")
        let trained = try run("train", "job.yaml", "--checkpoint", "out")
        #expect(trained.status == 0 && trained.log.contains("the first line is taken for names"), "\(trained.log)")
        #expect(trained.output.contains("80 samples"), "\(trained.output)")
        try write("2020,2019\n1,2\n", "new.csv")
        let predicted = try run("predict", "job.yaml", "--checkpoint", "out", "--input", "new.csv")
        #expect(predicted.output.hasPrefix("class,p(no),\"p(two\nlines, \"\"yes\"\")\"\n"), "\(predicted)")
        #expect(predicted.output.split(separator: "\n").count == 3)
    }

    @Test("gaps of numbers and categories are filled, told once, and predicted by what was fitted")
    func gaps() throws {
        try write(
            "label,I1,I2,C1,C2\n"
                + Self.rows {
                    "\($0 % 2),\($0 % 4 == 0 ? "" : "\($0)"),\($0 % 5 == 0 ? "NA" : "1.5"),a\($0 % 3),\($0 % 3 == 0 ? "" : "b")"
                },
            "a.csv")
        try job(
            "format: csv, path: a.csv, labels: label, categorical: [C1, C2], test_fraction: 0",
            model: "{kind: wide_and_deep, embedding: 2, hidden: [4]}")
        let trained = try run("train", "job.yaml", "--checkpoint", "out")
        let lines = trained.log.split(separator: "\n").filter { $0.contains("missing") }
        #expect(trained.status == 0 && lines.count == 2, "\(trained.log)")
        #expect(
            lines.first?.hasSuffix("the column's mean in the training part stands for 18 missing numbers: I1 10, I2 8")
                == true)
        #expect(lines.last?.hasSuffix("14 missing cells count as a category of their own: C2 14") == true)
        try FileManager.default.removeItem(at: folder.appending(path: "a.csv"))
        // 1…39 without the multiples of 4: their mean.
        let mean = Double((0..<40).filter { $0 % 4 != 0 }.reduce(0, +)) / 30
        try write("I1,I2,C1,C2\n,1.5,a0,b\n\(mean),1.5,a0,b\n", "new.csv")
        let predicted = try run("predict", "job.yaml", "--checkpoint", "out", "--input", "new.csv")
        let rows = predicted.output.split(separator: "\n")
        #expect(predicted.status == 0 && rows.count == 3 && rows[1] == rows[2], "\(predicted)")
        try write("I1,I2,C1,C2\nx,1.5,a0,b\n1,y,a0,b\n", "new.csv")
        let wrong = try run("predict", "job.yaml", "--checkpoint", "out", "--input", "new.csv")
        #expect(
            wrong.status == 65 && wrong.log.contains("has 2 cells in error\n  line 2, column 1: 'x' is no number\n"))
    }

    @Test("UTF-16 is read; all faults of a file are told at once, with status 65")
    func encodings() throws {
        try write(
            "\u{FEFF}größe, x, kind\r\n" + Self.rows { "\($0), 1, \($0 % 2 == 0 ? "ü" : "é")" }, "a.csv",
            .utf16LittleEndian)
        try job("format: csv, path: a.csv, labels: kind")
        #expect(try run("train", "job.yaml").status == 0)
        try write("a,b,kind\n" + Self.rows { "\($0),\($0 < 15 ? "x" : "1"),\($0 % 2)" }, "a.csv")
        let wrong = try run("train", "job.yaml")
        #expect(
            wrong.status == 65
                && wrong.log.contains("a.csv: has 15 cells in error\n  line 2, column 2: 'x' is no number\n"))
        #expect(wrong.log.contains("\n  … and 5 more"))
    }

    @Test(
        "a key without effect is refused with line and reason, before anything is read",
        arguments: [
            (
                "format: npz, path: none.npz,\n  labels: y",
                "line 3: data.labels belongs to data.format csv; this is npz"
            ),
            (
                "format: idx, path: none,\n  test_path: x",
                "line 3: data.test_path belongs to data.format csv, npz, ratings"
            ),
            (
                "format: csv, path: none.csv}\ntrain: {\n momentum: 0.5",
                "line 4: train.momentum belongs to train.optimizer"
            ),
        ])
    func keys(data: String, message: String) throws {
        try write("model: {kind: mlp}\ndata: {\(data)}\n", "job.yaml")
        let refused = try run("train", "job.yaml")
        #expect(refused.status == 78 && refused.log.contains(message), "\(refused.log)")
    }

    @Test("evaluate and predict take a configuration whose checkpoint keys need a directory")
    func directory() throws {
        try write("a,b,kind\n" + Self.rows { "\($0),1,\($0 % 2)" }, "a.csv")
        try write(
            "model: {kind: mlp, hidden: [2]}\ndata: {format: csv, path: a.csv}\ncheckpoint: {every_steps: 3, keep: 2}\n",
            "job.yaml")
        #expect(try run("train", "job.yaml").status == 78)
        #expect(try run("train", "job.yaml", "--checkpoint", "out").status == 0)
        #expect(try run("evaluate", "job.yaml", "--checkpoint", "out").status == 0)
    }
}
