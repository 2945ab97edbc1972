import Cluster
import Foundation
import Testing

/// The built program itself, which stands beside the program that runs the tests.
@Suite struct ProgramTests {
    private static let program = TestProgram.path

    private static func run(_ arguments: [String]) throws -> ChildExit? {
        let children = ChildProcesses()
        try children.start(.init(name: "tributary", path: program, arguments: arguments))
        #expect(children.waitForAll(atMost: .seconds(20)))
        return children.exits.first
    }

    @Test("devices lists the processor as JSON")
    func devices() throws {
        let exit = try Self.run(["devices", "--json"])
        #expect(exit?.ending == .exited(status: 0))
        #expect(exit?.lastLines.last?.contains(#""name":"/device:CPU:0""#) == true)
    }

    @Test(
        "a wrong command line or file ends with its status and one clear line",
        arguments: [
            (["train", "--nope"], 64, "tributary: Unknown option '--nope'"),
            (["train", "/nonexistent.yaml"], 78, "tributary: /nonexistent.yaml: 1 mistake"),
            (["train", "--set", "train.bach=2"], 78, "tributary: quickstart: 1 mistake"),
            (["train", "--resume"], 78, "tributary: --resume needs"),
            (["worker", "--coordinator", "tcp://127.0.0.1:1", "--parent", "1"], 69, "tributary: the process 1"),
        ] as [([String], Int32, String)])
    func mistakes(arguments: [String], status: Int32, words: String) throws {
        let exit = try Self.run(arguments)
        #expect(exit?.ending == .exited(status: status))
        #expect(exit?.lastLines.contains { $0.hasPrefix(words) } == true, "\(exit?.lastLines ?? [])")
    }

    @Test("a worker ends with the process that started it")
    func parentDeath() throws {
        let children = ChildProcesses()
        // The shell starts a worker whose coordinator never answers, tells its process id and is killed.
        try children.start(
            .init(
                name: "parent", path: "/bin/sh",
                arguments: [
                    "-c",
                    "'\(Self.program)' worker --coordinator tcp://127.0.0.1:1 --parent $$ >/dev/null 2>&1 &"
                        + " echo $!; sleep 0.3; test -d /proc/$! && echo alive; kill -KILL $$",
                ]))
        #expect(children.waitForAll(atMost: .seconds(10)))
        let words = children.exits.first?.lastLines ?? []
        #expect(words.last == "alive")
        let pid = try #require(words.first.flatMap { Int32($0) })
        #expect(Self.hasEnded(pid, within: 100))
    }

    /// Whether the process is gone, or dead and not yet collected by its new parent.
    private static func hasEnded(_ pid: Int32, within hundredths: Int) -> Bool {
        for _ in 0..<hundredths {
            guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return true }
            if String(decoding: stat, as: UTF8.self).contains(") Z ") { return true }
            usleep(10_000)
        }
        return false
    }
}
