import Foundation

/// The program on a file that may take it down: with a small stack, bounded memory, and a time after which it is killed.
struct LimitedProgram {
    let folder = FileManager.default.temporaryDirectory.appending(path: "hostile-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: folder.appending(path: name))
        return path(name)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// What the program made of it. Status 137: it was killed.
    struct Outcome {
        let status: Int32
        let output: [UInt8]
        let errors: [UInt8]
        var text: String { String(decoding: output + errors, as: UTF8.self) }
    }

    /// - Parameters:
    ///   - megabytes: of memory that it may ask for.
    ///   - seconds: that it may take.
    func run(_ arguments: [String], megabytes: Int = 4096, seconds: Int = 90) throws -> Outcome {
        try shell(
            "ulimit -c 0; ulimit -s 512; ulimit -v \(megabytes * 1024); exec timeout -s KILL \(seconds) \"$@\"",
            [TestProgram.path] + arguments)
    }

    /// Commands in which `$@` stands for the arguments.
    @discardableResult
    func shell(_ commands: String, _ arguments: [String] = []) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", commands, "sh"] + arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let names = [path("out-\(UUID().uuidString)"), path("err-\(UUID().uuidString)")]
        for name in names { try Data().write(to: URL(filePath: name)) }
        process.standardOutput = FileHandle(forWritingAtPath: names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        try process.run()
        process.waitUntilExit()
        let (output, errors) = (
            try Data(contentsOf: URL(filePath: names[0])), try Data(contentsOf: URL(filePath: names[1]))
        )
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: Array(output), errors: Array(errors))
    }
}
