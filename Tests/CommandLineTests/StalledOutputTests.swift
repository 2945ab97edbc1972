import Cluster
import Foundation
import Testing

/// A terminal whose output can be stopped, as by Ctrl-S.
private final class Terminal {
    private let controller: Int32
    let handle: FileHandle
    private(set) var text = ""

    init() throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN, which are macros.
        var (locked, number): (Int32, Int32) = (0, 0)
        try #require(ioctl(controller, 0x4004_5431, &locked) == 0 && ioctl(controller, 0x8004_5430, &number) == 0)
        let descriptor = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(descriptor >= 0)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        _ = fcntl(controller, F_SETFL, O_NONBLOCK)
    }

    deinit { close(controller) }

    private func press(_ key: UInt8) {
        var key = key
        _ = Glibc.write(controller, &key, 1)
    }

    /// Ctrl-S.
    func stop() { press(0x13) }

    /// Ctrl-Q, and reads while `isBusy`.
    func resume(while isBusy: () -> Bool) {
        press(0x11)
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let goesOn = isBusy()
            while case let count = read(controller, &bytes, bytes.count), count > 0 {
                text += String(decoding: bytes[..<count], as: UTF8.self)
            }
            if !goesOn { return }
            usleep(5000)
        }
    }
}

/// A pipe that is full.
private final class FullPipe {
    let pipe = Pipe()

    init() {
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        let bytes = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
        while Glibc.write(descriptor, bytes, bytes.count) > 0 {}
        while Glibc.write(descriptor, bytes, 1) > 0 {}
        _ = fcntl(descriptor, F_SETFL, flags)
    }

    /// Reads all but what filled it.
    func rest() -> String {
        try? pipe.fileHandleForWriting.close()
        return String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile().drop { $0 == UInt8(ascii: ".") }, as: UTF8.self)
    }
}

/// Jobs whose messages or results nobody reads.
@Suite("Output that nobody reads", .serialized)
struct StalledOutputTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "stalled-\(UUID())")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try """
        job: test
        model: { kind: mlp, hidden: [16] }
        data: { format: embedded, scale: min_max }
        train: { learning_rate: 0.002, batch: 20, epochs: 2 }
        cluster: { servers: 1, workers: 2, threads_per_node: 1, heartbeat_timeout: 3 }
        """.write(to: folder.appending(path: "job.yaml"), atomically: true, encoding: .utf8)
    }

    private func file(_ name: String) throws -> FileHandle {
        let path = folder.appending(path: name)
        try Data().write(to: path)
        return try FileHandle(forWritingTo: path)
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }

    private func start(_ arguments: [String], output: Any, errors: Any) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: TestProgram.path)
        process.arguments = arguments.map { $0.replacing("$FOLDER", with: folder.path) }
        process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return process
    }

    /// Waits for what becomes true within a minute.
    private func wait(_ isTrue: () -> Bool) -> Bool {
        for _ in 0..<6000 {
            if isTrue() { return true }
            usleep(10_000)
        }
        return false
    }

    private func report(_ name: String) -> JobReport? {
        text(name).split(separator: "\n").last.flatMap {
            try? JSONDecoder().decode(JobReport.self, from: Data($0.utf8))
        }
    }

    @Test(
        "a job trains on and ends, its result whole, where nobody reads its messages",
        arguments: ["train", "launch", "launch --verbose"], ["terminal", "pipe"])
    func messages(command: String, place: String) throws {
        let (terminal, pipe) = (try Terminal(), FullPipe())
        defer { withExtendedLifetime((terminal, pipe)) {} }
        terminal.stop()
        let process = try start(
            command.split(separator: " ").map(String.init) + ["$FOLDER/job.yaml", "--json"],
            output: file("out"), errors: place == "terminal" ? terminal.handle : pipe.pipe.fileHandleForWriting)
        defer { kill(process.processIdentifier, SIGKILL) }
        #expect(wait { !process.isRunning })
        let done = report("out")
        #expect(process.terminationStatus == 0 && done?.status == .finished && done?.steps == 400, "\(text("out"))")
        #expect(done?.gradients.dropped == [:])
    }

    @Test("nodes that are started by hand train on, and end, where nobody reads what they say")
    func byHand() throws {
        let pipe = FullPipe()
        let errors = pipe.pipe.fileHandleForWriting
        let coordinator = try start(
            ["coordinator", "$FOLDER/job.yaml", "--address-file", "$FOLDER/address", "--json"], output: file("out"),
            errors: errors)
        defer { kill(coordinator.processIdentifier, SIGKILL) }
        #expect(wait { text("address").hasSuffix("\n") })
        let address = text("address").trimmingCharacters(in: .whitespacesAndNewlines)
        let nodes = try ["server", "worker", "worker"].map {
            try start([$0, "--coordinator", address], output: FileHandle.nullDevice, errors: errors)
        }
        defer { for node in nodes { kill(node.processIdentifier, SIGKILL) } }
        #expect(wait { !coordinator.isRunning && nodes.allSatisfy { !$0.isRunning } })
        #expect(([coordinator] + nodes).map(\.terminationStatus) == [0, 0, 0, 0])
        #expect(report("out")?.status == .finished, "\(text("out"))")
    }

    /// A job whose output and messages go to one stopped terminal, trained to its end.
    private func waitingForTerminal(_ terminal: Terminal) throws -> Process {
        terminal.stop()
        let process = try start(
            ["launch", "$FOLDER/job.yaml", "--json", "--checkpoint", "$FOLDER/saved"],
            output: terminal.handle, errors: terminal.handle)
        #expect(wait { (try? Manifest.newest(in: folder.appending(path: "saved").path)?.step) == 400 })
        usleep(500_000)
        #expect(process.isRunning)
        return process
    }

    @Test("a result waits for a stopped terminal and is whole then")
    func result() throws {
        let terminal = try Terminal()
        let process = try waitingForTerminal(terminal)
        terminal.resume { process.isRunning }
        #expect(process.terminationStatus == 0)
        let line = terminal.text.split(whereSeparator: \.isNewline).last { !$0.isEmpty } ?? ""
        let json = line.drop { $0 != "{" }
        let report = try JSONDecoder().decode(JobReport.self, from: Data(json.utf8))
        #expect(report.status == .finished && report.steps == 400, "\(terminal.text)")
    }

    @Test("a terminal that stays stopped keeps no process from ending", arguments: [SIGINT, SIGTERM])
    func twice(signal: Int32) throws {
        let terminal = try Terminal()
        // Without it there is no terminal.
        defer { withExtendedLifetime(terminal) {} }
        let process = try waitingForTerminal(terminal)
        kill(process.processIdentifier, signal)
        usleep(signal == SIGINT ? 200_000 : 1_200_000)
        #expect(process.isRunning)
        let start = ContinuousClock.now
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130 && ContinuousClock.now - start < .seconds(2))
    }

    @Test("losses wait for their reader, and are whole when it reads: a full pipe, a FIFO that nobody has opened")
    func losses() throws {
        let pipe = FullPipe()
        let printed = try start(
            ["launch", "$FOLDER/job.yaml", "--losses", "-"], output: pipe.pipe.fileHandleForWriting, errors: file("log")
        )
        defer { kill(printed.processIdentifier, SIGKILL) }
        #expect(wait { text("log").contains("the job is over; its losses wait until standard output is read") })
        #expect(printed.isRunning)
        let lines = pipe.rest().split(separator: "\n")
        printed.waitUntilExit()
        #expect(printed.terminationStatus == 0 && lines.count == 401 && lines.first == "step,loss", "\(text("log"))")

        #expect(mkfifo(folder.appending(path: "fifo").path, 0o600) == 0)
        let piped = try start(
            ["train", "$FOLDER/job.yaml", "--losses", "$FOLDER/fifo"], output: file("out"), errors: file("log"))
        defer { kill(piped.processIdentifier, SIGKILL) }
        #expect(wait { text("log").contains("the job is over; its losses wait until \(folder.path)/fifo is read") })
        #expect(piped.isRunning)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.arguments = [folder.appending(path: "fifo").path]
        reader.standardOutput = try file("read")
        try reader.run()
        reader.waitUntilExit()
        #expect(text("read").split(separator: "\n").count == 401)
        piped.waitUntilExit()
        #expect(piped.terminationStatus == 0)
    }

    @Test("a reader that is stopped by SIGSTOP, and goes on, gets every loss")
    func stoppedReader() throws {
        let pipe = Pipe()
        // As small as pipes are.
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, 1031, 4096)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.standardInput = pipe.fileHandleForReading
        reader.standardOutput = try file("read")
        try reader.run()
        kill(reader.processIdentifier, SIGSTOP)
        let job = try start(
            ["launch", "$FOLDER/job.yaml", "--losses", "-"], output: pipe.fileHandleForWriting, errors: file("log"))
        defer { kill(job.processIdentifier, SIGKILL) }
        #expect(wait { text("log").contains("the job is over; its losses wait") }, "\(text("log"))")
        kill(reader.processIdentifier, SIGCONT)
        try pipe.fileHandleForWriting.close()
        job.waitUntilExit()
        reader.waitUntilExit()
        #expect(job.terminationStatus == 0 && text("read").split(separator: "\n").count == 401)
    }
}
