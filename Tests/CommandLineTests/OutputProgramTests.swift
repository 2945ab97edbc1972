import Dataflow
import Foundation
import Interchange
import Testing

/// What the built program does where it cannot write its results, and with what is no regular file.
@Suite("Results that cannot be written")
struct OutputProgramTests {
    private static let folder = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)")
        .path

    /// A job, trained once, with 400 examples to predict for.
    private static let job: String = {
        try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let x = Tensor((0..<1200).map { Float($0 % 7) / 7 }, sized: [400, 3])
        try! Npz.write(
            [("x_train", x), ("y_train", Tensor((0..<400).map { Int64($0 % 3) }))], to: "\(folder)/data.npz")
        try! Npy.write(x, to: "\(folder)/x.npy")
        let yaml = """
            model: { kind: mlp, hidden: [4] }
            data: { format: npz, path: \(folder)/data.npz }
            train: { batch: 50, epochs: 1 }
            cluster: { workers: 1 }
            """
        try! Data(yaml.utf8).write(to: URL(filePath: "\(folder)/job.yaml"))
        let trained = try! shell("$PROGRAM train $JOB --checkpoint $FOLDER/trained")
        precondition(trained.status == 0, trained.errors)
        return "\(folder)/job.yaml"
    }()

    /// What a shell says of commands in which `$PROGRAM`, `$JOB` and `$FOLDER` stand for these.
    private static func shell(_ commands: String) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = ("\(folder)/\(UUID().uuidString)", "\(folder)/\(UUID().uuidString)")
        for file in [output, errors] { try Data().write(to: URL(filePath: file)) }
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", commands]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PROGRAM": TestProgram.path, "JOB": "\(folder)/job.yaml", "FOLDER": folder]
        ) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try String(contentsOfFile: output, encoding: .utf8),
            try String(contentsOfFile: errors, encoding: .utf8)
        )
    }

    private func run(_ commands: String) throws -> (status: Int32, output: String, errors: String) {
        _ = Self.job
        return try Self.shell(commands)
    }

    /// Commands that print something.
    static let commands = [
        "--help", "--version", "help predict", "train --help", "devices --no-measure", "devices --no-measure --json",
        "devices --operations", "train $JOB", "train $JOB --json", "launch $JOB --json",
        "evaluate $JOB --checkpoint $FOLDER/trained", "evaluate $JOB --checkpoint $FOLDER/trained --json",
        "predict $JOB --checkpoint $FOLDER/trained", "predict $JOB --checkpoint $FOLDER/trained --output -",
        "predict $JOB --checkpoint $FOLDER/trained --output /dev/stdout", "graph export $JOB --output -",
        "graph export $JOB --output $FOLDER/graph.pb",
    ]

    @Test("on a full disk a command says so and ends with 73", arguments: commands)
    func fullDisk(command: String) throws {
        let result = try run("$PROGRAM \(command) >/dev/full")
        #expect(result.status == 73, "\(result)")
        let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("tributary: ") }
        #expect(lines.count == 1 && lines[0].contains("No space left on device"), "\(result)")
    }

    @Test("where the reader has gone a command ends quietly, as SIGPIPE ends others", arguments: commands)
    func closedPipe(command: String) throws {
        let result = try run("{ sleep 0.3; $PROGRAM \(command); echo $? >$FOLDER/status; } 2>$FOLDER/words | true")
        let words = try String(contentsOfFile: "\(Self.folder)/words", encoding: .utf8)
        #expect(try String(contentsOfFile: "\(Self.folder)/status", encoding: .utf8) == "141\n", "\(words)")
        #expect(!words.contains("tributary: "), "\(words) \(result)")
    }

    @Test("a closed standard output is an error, and nothing that is opened takes its place")
    func closedOutput() throws {
        let result = try run("$PROGRAM predict $JOB --checkpoint $FOLDER/trained >&-")
        #expect(result.status == 73 && result.errors.contains("standard output: cannot be written"), "\(result)")
        let train = try run("$PROGRAM train $JOB --losses $FOLDER/closed.csv <&- >&- 2>&-")
        #expect(train.status == 73)
        let losses = try String(contentsOfFile: "\(Self.folder)/closed.csv", encoding: .utf8)
        #expect(losses.hasPrefix("step,loss\n0,") && losses.split(separator: "\n").count == 8, "\(losses)")
    }

    @Test(
        "messages that nobody can read end nothing",
        arguments: ["2>&-", "2>/dev/full", "2>&1 >$FOLDER/out | true", "3>$FOLDER/out 2>&1 >&3 | true"])
    func messages(where place: String) throws {
        for command in ["train $JOB --json", "launch $JOB --json", "evaluate $JOB --checkpoint $FOLDER/trained --json"]
        {
            let isPiped = place.contains("|")
            let line =
                isPiped ? "{ $PROGRAM \(command); echo $? >$FOLDER/status; } \(place)" : "$PROGRAM \(command) \(place)"
            let result = try run(line)
            let output = isPiped ? try String(contentsOfFile: "\(Self.folder)/out", encoding: .utf8) : result.output
            #expect(result.status == 0 && output.hasSuffix("}\n"), "\(command): \(result)")
            if isPiped { #expect(try String(contentsOfFile: "\(Self.folder)/status", encoding: .utf8) == "0\n") }
        }
    }

    @Test("a file that grows beyond `ulimit -f` is an error, and nothing half-written stays")
    func limitedSize() throws {
        let output = try run(
            "ulimit -f 1; $PROGRAM predict $JOB --checkpoint $FOLDER/trained --output $FOLDER/limited.csv")
        #expect(
            output.status == 73 && output.errors.contains("limited.csv: cannot be written: File too large"), "\(output)"
        )
        let printed = try run("ulimit -f 1; $PROGRAM predict $JOB --checkpoint $FOLDER/trained >$FOLDER/printed.csv")
        #expect(printed.status == 73 && printed.errors.contains("File too large"), "\(printed)")
        let graph = try run("ulimit -f 1; $PROGRAM graph export $JOB --output $FOLDER/limited.pb")
        #expect(graph.status == 73 && graph.errors.contains("File too large"), "\(graph)")
        let graphs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "InterchangeTests/Checkpoints").path
        let saved = try run(
            "{ (ulimit -f 0; exec $PROGRAM graph run \(graphs)/graph.pb --checkpoint \(graphs)/variables "
                + "--feed-text save/Const:0=$FOLDER/limited --fetch save/control_dependency:0); echo $?; } 2>&1 | cat")
        #expect(saved.output.contains("limited.data-00000-of-00001: cannot be written: File too large"), "\(saved)")
        #expect(saved.output.hasSuffix("\n73\n"), "\(saved)")
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        #expect(!names.contains { $0.contains("limited") }, "\(names)")
    }

    @Test("a job goes on where its losses cannot be written, and ends with 73")
    func losses() throws {
        let full = try run("$PROGRAM train $JOB --losses /dev/full --json")
        #expect(full.status == 73 && full.errors.contains("No space left"), "\(full)")
        let late = try run(
            "ulimit -f 8; $PROGRAM train $JOB --set train.epochs=60 --losses $FOLDER/late.csv --json")
        #expect(late.status == 73 && late.output.contains(#""losses_error":"#), "\(late)")
        #expect(late.output.contains(#""status":"finished""#) && late.errors.contains("losses are not complete"))
        let gone = try run("$PROGRAM train $JOB --losses $FOLDER/lost/losses.csv")
        #expect(gone.status == 73 && gone.errors.contains("lost/losses.csv: cannot be written"), "\(gone)")
        let printed = try run("$PROGRAM train $JOB --losses -")
        #expect(printed.status == 0 && printed.output.hasPrefix("step,loss\n0,"), "\(printed)")
        #expect(!printed.output.contains("finished") && printed.errors.contains("finished"))
    }

    @Test(
        "links stay and FIFOs are written to",
        arguments: [
            "predict $JOB --checkpoint $FOLDER/trained --output", "train $JOB --losses", "train $JOB --trace",
            "launch $JOB --losses", "graph export $JOB --output", "coordinator --address-file",
        ])
    func otherFiles(command: String) throws {
        // A coordinator whose nodes never come is stopped.
        let isCoordinator = command.hasPrefix("coordinator")
        let full = isCoordinator ? "timeout -s INT 20 $PROGRAM coordinator $JOB --address-file" : "$PROGRAM \(command)"
        let folder = "\(Self.folder)/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ending = isCoordinator ? " & sleep 2; kill -KILL $!; wait" : "; echo $? >status"
        let result = try run(
            """
            cd \(folder); ln -s target link; \(full) link \(ending)
            mkfifo fifo; cat fifo >read & \(full) fifo \(ending)
            """)
        func size(_ name: String) throws -> Int { try Data(contentsOf: URL(filePath: "\(folder)/\(name)")).count }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == "target", "\(result)")
        #expect(try size("target") > 10 && size("read") > 10, "\(result)")
        var status = stat()
        #expect(stat("\(folder)/fifo", &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }
}
