import Cluster
import Foundation
import Synchronization
import Testing

@Suite struct ChildProcessesTests {
    private static func shell(_ name: String, _ script: String) -> ChildProcesses.Program {
        .init(name: name, path: "/bin/sh", arguments: ["-c", script])
    }

    private static func end(of script: String) throws -> ChildExit? {
        let children = ChildProcesses()
        try children.start(shell("worker 1", script))
        #expect(children.waitForAll(atMost: .seconds(10)))
        return children.exits.first
    }

    @Test(
        "a child's end is told as it was",
        arguments: [
            ("exit 0", ChildEnding.exited(status: 0), "exited with status 0"),
            ("exit 3", .exited(status: 3), "exited with status 3"),
            ("kill -KILL $$", .killed(signal: 9), "was killed by SIGKILL"),
            ("kill -TERM $$", .killed(signal: 15), "was killed by SIGTERM"),
        ])
    func endings(script: String, ending: ChildEnding, words: String) throws {
        let exit = try Self.end(of: script)
        #expect(exit?.ending == ending)
        #expect(exit?.ending.description == words)
    }

    @Test("the last twenty lines of both outputs are kept, the open one too")
    func lastLines() throws {
        let exit = try Self.end(of: "for i in $(seq 1 30); do echo line $i; done; printf 'the end' >&2; exit 70")
        #expect(exit?.lastLines == (12...30).map { "line \($0)" } + ["the end"])
        #expect(exit?.description.hasPrefix("worker 1 (pid ") == true)
        #expect(
            exit?.description.hasSuffix(
                "exited with status 70; its last lines:\n    " + (exit?.lastLines ?? []).joined(separator: "\n    "))
                == true)
    }

    @Test("lines are passed on under the child's name")
    func lines() throws {
        let heard = Mutex<[String]>([])
        let children = ChildProcesses(onLine: { name, line in heard.withLock { $0.append("\(name) | \(line)") } })
        try children.start(Self.shell("server 0", "echo one; echo two"))
        #expect(children.waitForAll(atMost: .seconds(10)))
        #expect(heard.withLock { $0 } == ["server 0 | one", "server 0 | two"])
    }

    @Test("the end of each child is reported once")
    func exits() throws {
        let heard = Mutex<[String]>([])
        let children = ChildProcesses(onExit: { exit in heard.withLock { $0.append(exit.name) } })
        for number in 0..<8 { try children.start(Self.shell("worker \(number)", "sleep 0.0\(number); exit \(number)")) }
        #expect(children.waitForAll(atMost: .seconds(10)))
        #expect(heard.withLock { $0.sorted() } == (0..<8).map { "worker \($0)" })
        #expect(children.running.isEmpty)
    }

    @Test("a child has its own process group, and the variables given to it")
    func surroundings() throws {
        let children = ChildProcesses()
        let pid = try children.start(
            .init(
                name: "worker 0", path: "/bin/sh",
                arguments: ["-c", "cut -d' ' -f5 /proc/$$/stat; echo $TRIBUTARY_TOKEN; ls /proc/$$/fd | wc -l"],
                environment: ["TRIBUTARY_TOKEN": "secret"]))
        #expect(children.waitForAll(atMost: .seconds(10)))
        #expect(children.exits.first?.lastLines == ["\(pid)", "secret", "3"])
    }

    @Test("a child that will not end is killed after the grace, with its own children")
    func terminate() throws {
        let isReady = Atomic(false)
        let children = ChildProcesses(onLine: { _, _ in isReady.store(true, ordering: .releasing) })
        try children.start(Self.shell("worker 0", "trap '' TERM; echo ready; sleep 100 & wait; sleep 100"))
        while !isReady.load(ordering: .acquiring) { usleep(1000) }
        let start = ContinuousClock.now
        children.terminate(grace: .milliseconds(100))
        #expect(children.exits.first?.ending == .killed(signal: 9))
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test("whose end is being told is not signalled any more: its number may be another process's")
    func reaped() throws {
        let children = Mutex<ChildProcesses?>(nil)
        let seen = Mutex<[String]>([])
        let made = ChildProcesses(onExit: { exit in
            // It has been reaped by now.
            #expect(kill(exit.pid, 0) != 0)
            children.withLock { $0 }?.signal(0) { name in
                seen.withLock { $0.append(name) }
                return false
            }
        })
        children.withLock { $0 = made }
        try made.start(Self.shell("worker 0", "sleep 0.3"))
        try made.start(Self.shell("worker 1", "exit 0"))
        #expect(made.waitForAll(atMost: .seconds(10)))
        #expect(made.exits.map(\.name) == ["worker 1", "worker 0"])
        #expect(seen.withLock { $0 } == ["worker 0"])
        children.withLock { $0 = nil }
    }

    @Test("those that are let go of are killed, and nothing is left of them")
    func abandoned() throws {
        var children: ChildProcesses? = ChildProcesses()
        let pid = try #require(try children?.start(Self.shell("worker 0", "sleep 100")))
        children = nil
        for _ in 0..<500 where kill(pid, 0) == 0 { usleep(10_000) }
        #expect(kill(pid, 0) != 0)
    }

    @Test("a program that is not there is named")
    func missing() {
        let children = ChildProcesses()
        let error = #expect(throws: NodeError.self) {
            try children.start(.init(name: "worker 0", path: "/nonexistent/tributary", arguments: []))
        }
        #expect(error?.kind == .cannotCreate)
        #expect(error?.message.contains("/nonexistent/tributary: No such file or directory") == true)
    }
}
