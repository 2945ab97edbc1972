import Cluster
import Foundation
import Messaging
import Testing

/// Descriptors of this process before and after. Other suites open some at the same time: only what stays and grows counts.
@Suite("Descriptors", .serialized)
struct DescriptorTests {
    /// What this process has open of these kinds.
    private static func open() -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.count
    }

    /// Repeats something `count` times; whether the number of open descriptors falls back below a leak of one each time.
    private static func stays(_ count: Int, _ body: () throws -> Void) rethrows -> Bool {
        try body()
        let before = open()
        for _ in 0..<count { try body() }
        // nng closes a little later, on threads of its own.
        for _ in 0..<2000 where open() >= before + count / 2 { usleep(10_000) }
        return open() < before + count / 2
    }

    @Test("connections leave none, nor do those that fail")
    func connections() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "d-\(UInt32.random(in: 0...(.max)))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for listen in ["tcp://127.0.0.1:0", "ipc://\(folder)/socket"] {
            let server = try ReplySocket(listen: Address(listen), maximumMessage: 1 << 16)
            defer { server.close() }
            // One that reads nothing does not notice either who has gone.
            Thread { while (try? server.receive()) != nil {} }.start()
            #expect(
                try Self.stays(100) {
                    let client = try RequestSocket(dial: server.boundAddress, maximumMessage: 1 << 16)
                    _ = try? client.request(Messaging.Message([1]), timeout: .milliseconds(1))
                    client.close()
                }, "\(listen)")
        }
        #expect(
            Self.stays(60) {
                let client = try? RequestSocket(dial: Address("tcp://127.0.0.1:1"), maximumMessage: 1 << 16)
                _ = try? client?.request(Messaging.Message([1]), timeout: .milliseconds(1))
                client?.close()
            })
        #expect(
            Self.stays(60) {
                _ = try? ReplySocket(listen: Address("ipc:///nonexistent/socket"), maximumMessage: 1 << 16)
            })
    }

    @Test("a peer that has gone is an error, also where SIGPIPE would end the program", arguments: ["tcp", "ipc"])
    func brokenConnection(transport: String) throws {
        let before = signal(SIGPIPE, SIG_DFL)
        defer { _ = signal(SIGPIPE, before) }
        let socket = FileManager.default.temporaryDirectory.appending(path: "\(UInt32.random(in: 0...(.max)))").path
        for _ in 0..<10 {
            let server = try ReplySocket(
                listen: Address(transport == "tcp" ? "tcp://127.0.0.1:0" : "ipc://\(socket)"), maximumMessage: 1 << 22)
            let client = try RequestSocket(dial: server.boundAddress, maximumMessage: 1 << 22)
            let sender = Thread {
                for _ in 0..<5 {
                    _ = try? client.request(Messaging.Message(count: 1 << 22), timeout: .milliseconds(10))
                }
            }
            sender.start()
            _ = try server.receive(timeout: .milliseconds(20))
            server.close()
            while !sender.isFinished { usleep(1000) }
            client.close()
        }
    }

    @Test("jobs leave none, nor do those that fail")
    func jobs() throws {
        let config = try JobConfig.parse(
            yaml: "data: { format: embedded }\ntrain: { steps: 2 }\ncluster: { workers: 2, servers: 1 }", name: "test")
        let job = try #require(JobRegistry([])[config.model.kind])
        #expect(try Self.stays(25) { _ = try LocalCluster.train(config, job: job) })
        #expect(
            Self.stays(25) {
                _ = try? LocalCluster.train(
                    config, job: job, options: CoordinatorOptions(lossesFile: "/nonexistent/losses.csv"))
            })
        var launch = ProcessCluster.Options()
        launch.program = "/nonexistent/tributary"
        let options = launch
        #expect(
            Self.stays(25) {
                _ = try? ProcessCluster.launch(
                    config: config, job: job, options: options, stop: StopSignal(), onProgress: { _ in },
                    onEvent: { _ in })
            })
        #expect(
            Self.stays(25) {
                let children = ChildProcesses()
                _ = try? children.start(.init(name: "worker 0", path: "/bin/sh", arguments: ["-c", "sleep 100"]))
                // Left to itself.
            })
    }
}
