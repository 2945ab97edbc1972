import Cluster
import Foundation
import Testing
import TributaryCommand

/// Checkpoints and divergence as a user meets them: the built program, its exit status and what it prints.
@Suite("Checkpoints of the program", .serialized)
final class CheckpointProgramTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID())")
    private let job: String
    private let checkpoints: String

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        job = folder.appending(path: "job.yaml").path
        checkpoints = folder.appending(path: "out").path
        let rows = (0..<200).map { "\(Double($0 % 7) / 7),\(Double($0 % 11) / 11),\($0 % 7 < 3 ? "yes" : "no")" }
        func write(_ rows: [String], _ name: String) throws {
            try Data((["a,b,label"] + rows).joined(separator: "\n").utf8).write(to: folder.appending(path: name))
        }
        try write(rows, "train.csv")
        try write(Array(rows.prefix(40)), "test.csv")
        // In the batch 10: numbers with which nothing can be computed.
        try write(
            Array(rows[..<170]) + Array(repeating: "3e38,-3e38,yes", count: 4) + Array(rows[174...]), "broken.csv")
        try Data(
            """
            job: test
            model: { kind: mlp, hidden: [8] }
            data: { format: csv, path: train.csv, labels: label, scale: none, test_path: test.csv }
            train: { optimizer: gradient_descent, learning_rate: 0.1, batch: 16, epochs: 4, shuffle: false }
            cluster: { servers: 1, workers: 2, threads_per_node: 1 }
            checkpoint: { directory: out, every_steps: 10, keep: 5 }
            """.utf8
        ).write(to: URL(filePath: job))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func run(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), folder.appending(path: "stderr"))
        try Data().write(to: errors)
        process.executableURL = URL(filePath: TestProgram.path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: data, as: UTF8.self),
            try String(contentsOf: errors, encoding: .utf8)
        )
    }

    private func json(_ output: String) throws -> [String: Any] {
        let line = try #require(output.split(separator: "\n").last)
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private func damage(_ name: String, _ change: (inout Data) -> Void) throws {
        let url = URL(filePath: "\(checkpoints)/\(name)")
        var data = try Data(contentsOf: url)
        change(&data)
        try data.write(to: url)
    }

    @Test("a job that diverges ends with status 65 and says where", arguments: ["train", "launch"])
    func diverged(command: String) throws {
        let losses = folder.appending(path: "l.csv").path
        let (status, output, errors) = try run(
            command, job, "--json", "--losses", losses, "--set", "data.path=\(folder.path)/broken.csv", "--set",
            "checkpoint.every_steps=4", "--set", "cluster.workers=1")
        #expect(status == 65, "\(errors)")
        let report = try json(output)
        #expect(report["status"] as? String == "failed" && report["diverged"] as? Bool == true)
        #expect(
            (report["reason"] as? String)?.contains("the last good checkpoint is \(checkpoints)/checkpoint-") == true)
        #expect(errors.contains("training has diverged at step 10") && errors.contains("on worker"))
        #expect(!errors.contains("EncodingError"))
        let kept = try Manifest.all(in: checkpoints)
        let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints)
        #expect(names.count == kept.count * 3, "\(names)")
        // What it kept can be used.
        #expect(try run("evaluate", job, "--checkpoint", checkpoints).status == 0)
    }

    @Test("what goes on diverged has null for its loss in every JSON and CSV")
    func ignored() throws {
        let losses = folder.appending(path: "l.csv").path
        let (status, output, errors) = try run(
            "train", job, "--json", "--losses", losses, "--set", "data.path=\(folder.path)/broken.csv", "--set",
            "train.on_nan=ignore")
        #expect(status == 0, "\(errors)")
        let report = try json(output)
        #expect(report["loss"] is NSNull && report["train_loss"] is NSNull && report["checkpoint"] is String)
        #expect(try String(contentsOfFile: losses, encoding: .utf8).hasSuffix(",null\n"))
        let evaluated = try run("evaluate", job, "--checkpoint", checkpoints, "--json")
        #expect(try evaluated.status == 0 && json(evaluated.output)["loss"] is NSNull)
        #expect(evaluated.errors.contains("is NaN"))
        let predicted = try run("predict", job, "--checkpoint", checkpoints)
        #expect(predicted.status == 0 && predicted.errors.contains("predictions are not finite"), "\(predicted.errors)")
    }

    @Test("a damaged checkpoint is named by every command that reads it", arguments: ["bit", "cut", "manifest"])
    func damaged(how: String) throws {
        #expect(try run("train", job, "--set", "cluster.workers=1").status == 0)
        let newest = try #require(try Manifest.newest(in: checkpoints))
        let before = try Manifest.all(in: checkpoints).dropLast().last?.step ?? -1
        switch how {
        case "bit": try damage(newest.files[0].name) { $0[$0.count - 9] ^= 4 }
        case "cut": try damage(newest.files[0].name) { $0 = $0.dropLast(30) }
        default: try damage("checkpoint-\(newest.step).json") { $0 = $0.prefix($0.count / 2) }
        }
        for command in ["evaluate", "predict"] {
            let (status, _, errors) = try run(command, job, "--checkpoint", checkpoints)
            #expect(status == 0)
            #expect(
                errors.contains("checkpoint-\(newest.step).json") && errors.contains("of step \(before)"), "\(errors)")
        }
        let resumed = try run("launch", job, "--resume", "--json")
        #expect(try resumed.status == 0 && json(resumed.output)["steps"] as? Int == newest.step, "\(resumed.errors)")
        #expect(resumed.errors.contains("going on from step \(before)") && resumed.errors.contains("damaged-1"))
    }

    @Test(
        "nothing usable: 65 to evaluate, 77 to go on, and only --resume=fresh starts anew",
        arguments: ["train", "launch"])
    func refused(command: String) throws {
        #expect(try run("train", job, "--set", "train.steps=5").status == 0)
        try damage("checkpoint-5.json") { $0 = Data() }
        let names = try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted()
        let evaluated = try run("evaluate", job, "--checkpoint", checkpoints)
        #expect(
            evaluated.status == 65 && evaluated.errors.contains("checkpoint-5.json: it is empty"), "\(evaluated.errors)"
        )
        let resumed = try run(command, job, "--resume")
        #expect(resumed.status == 77 && resumed.errors.contains("--resume=fresh"), "\(resumed.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted() == names)
        let fresh = try run(command, job, "--resume=fresh", "--set", "train.steps=5")
        #expect(fresh.status == 0 && fresh.errors.contains("starts anew"), "\(fresh.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoints + "/damaged-1").sorted() == names)
        #expect(try Manifest.newest(in: checkpoints)?.step == 5)
        let wrong = try run("train", job, "--resume=old")
        #expect(wrong.status == 64 && wrong.errors.contains("--resume=fresh"), "\(wrong.errors)")
    }

    @Test("steps count on when there are fewer examples")
    func fewer() throws {
        #expect(try run("train", job).status == 0)
        let step = try #require(try Manifest.newest(in: checkpoints)?.step)
        let (status, output, errors) = try run(
            "train", job, "--resume", "--json", "--set", "data.limit=60", "--set", "train.epochs=8")
        #expect(status == 0, "\(errors)")
        #expect(errors.contains("the number of training examples is") && errors.contains("steps count on from \(step)"))
        let steps = try #require(try json(output)["steps"] as? Int)
        #expect(steps > step)
        #expect(try Manifest.newest(in: checkpoints)?.step == steps)
        let same = try run("train", job, "--resume", "--json", "--set", "data.limit=60", "--set", "train.epochs=1")
        #expect(try same.status == 0 && json(same.output)["steps"] as? Int == steps, "\(same.errors)")
        #expect(same.errors.contains("nothing is left to train"), "\(same.errors)")
    }

    @Test("--resume=fresh is a flag of its own to the parser")
    func arguments() throws {
        let arguments = ["train", "job.yaml", "--resume=fresh", "--resume", "--", "--resume=x"]
        #expect(
            try TributaryCommand.arguments(arguments)
                == ["train", "job.yaml", "--resume-fresh", "--resume", "--", "--resume=x"])
        #expect(throws: (any Error).self) { try TributaryCommand.arguments(["train", "--resume=no"]) }
    }
}
