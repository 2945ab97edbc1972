import Cluster
import Foundation
import Messaging
import Testing

/// What running processes show to others: their environment, limits, files and descriptors.
@Suite("What processes give away", .serialized)
struct ProcessHardeningTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "open-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func children(of pid: Int32) -> [Int32] {
        let file = "/proc/\(pid)/task/\(pid)/children"
        return ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            Int32($0)
        }
    }

    private func mode(_ path: String) throws -> mode_t {
        var facts = stat()
        try #require(lstat(path, &facts) == 0, "\(path)")
        return facts.st_mode & 0o777
    }

    private func read(_ path: String) throws -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// A job that a shell starts, with a temporary folder of its own.
    private func start(
        _ before: String, _ command: String, _ arguments: [String] = []
    ) throws -> (
        pid: Int32, shell: ChildProcesses
    ) {
        let config = folder.appending(path: "job.yaml")
        try """
        model: { kind: mlp, hidden: [16] }
        data: { format: embedded, scale: min_max }
        train: { learning_rate: 0.002, batch: 20, epochs: 4000 }
        cluster: { servers: 1, workers: 1, threads_per_node: 1 }
        """.write(to: config, atomically: true, encoding: .utf8)
        let shell = ChildProcesses()
        let script = "\(before); exec \"$0\" \"$@\" 2>\"$TMPDIR/log\""
        let pid = try shell.start(
            .init(
                name: "job", path: "/bin/sh",
                arguments: ["-c", script, TestProgram.path, command, config.path] + arguments,
                environment: ["TMPDIR": folder.path, "TRIBUTARY_TOKEN": "a-secret-of-the-job"]))
        return (pid, shell)
    }

    private func wait(for text: String) -> Bool {
        for _ in 0..<3000 {
            if (try? read(folder.appending(path: "log").path))?.contains(text) == true { return true }
            usleep(10_000)
        }
        return false
    }

    private func end(_ job: (pid: Int32, shell: ChildProcesses)) {
        job.shell.signal(SIGINT)
        usleep(100_000)
        job.shell.signal(SIGINT)
        #expect(job.shell.waitForAll(atMost: .seconds(10)))
    }

    @Test("a launched job: no secret in an environment, no cores, no descriptor that a program would inherit")
    func processes() throws {
        let job = try start("ulimit -c unlimited 2>/dev/null", "launch")
        defer { end(job) }
        try #require(wait(for: "training begins"))
        let nodes = children(of: job.pid)
        #expect(nodes.count == 2)
        for pid in [job.pid] + nodes {
            let environment = try read("/proc/\(pid)/environ")
            #expect(environment.contains("PATH=") && !environment.contains("a-secret-of-the-job"))
            if pid != job.pid { #expect(!environment.contains("TRIBUTARY_TOKEN")) }
            #expect(!(try read("/proc/\(pid)/cmdline")).contains("a-secret"))
            let limit = try read("/proc/\(pid)/limits").split(separator: "\n").first { $0.contains("core file") } ?? ""
            let soft = limit.split(separator: " ").dropFirst(4).first.flatMap { Int($0) }
            #expect(soft ?? .max <= 1, "\(limit)")
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
            where (Int(name) ?? 0) > 2 {
                guard
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(name)"),
                    let facts = try? read("/proc/\(pid)/fdinfo/\(name)"), facts.contains("flags:")
                else { continue }
                let flags = facts.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(separator: "\t").last
                #expect(Int(flags ?? "0", radix: 8)! & 0o2000000 != 0, "\(target) is inherited: \(facts)")
            }
        }
    }

    @Test("a token given in the environment is not left there")
    func coordinator() throws {
        let job = try start("true", "coordinator", ["--listen", "ipc://\(folder.path)/socket"])
        defer { end(job) }
        try #require(wait(for: "coordinator listens"))
        let environment = try read("/proc/\(job.pid)/environ")
        #expect(environment.contains("PATH=") && !environment.contains("a-secret-of-the-job"))
        #expect(throws: NodeError.self) { try ControlClient(.init("ipc://\(folder.path)/socket")).status() }
        #expect(
            try ControlClient(.init("ipc://\(folder.path)/socket"), token: "a-secret-of-the-job").status().step == 0)
    }

    @Test("sockets, tokens and their folder are the user's alone, checkpoints as the umask says", arguments: [0, 0o77])
    func modes(mask: Int) throws {
        let job = try start(
            "umask \(String(mask, radix: 8))", "launch",
            ["--checkpoint", folder.appending(path: "saved").path, "--set", "checkpoint.every_steps=20"])
        defer { end(job) }
        try #require(wait(for: "training begins"))
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasPrefix("tributary-") })
        let temporary = folder.appending(path: name).path
        #expect(try mode(temporary) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: temporary)
        #expect(names.contains("token") && names.contains("coordinator"))
        for name in names { #expect(try mode("\(temporary)/\(name)") & 0o177 == 0, "\(name)") }
        let saved = folder.appending(path: "saved").path
        for _ in 0..<3000 where (try? Manifest.newest(in: saved)) == nil { usleep(10_000) }
        let manifest = try #require(
            try FileManager.default.contentsOfDirectory(atPath: saved).first { $0.hasSuffix("json") })
        #expect(try mode("\(saved)/\(manifest)") == mode_t(0o666 & ~mask))
        #expect(try mode(saved) == mode_t(0o777 & ~mask))
    }
}
