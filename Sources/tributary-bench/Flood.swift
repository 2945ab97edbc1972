import ArgumentParser
import Cluster
import Foundation
import Messaging
import Synchronization

/// What a job loses while strangers flood its coordinator and its server.
struct Flood: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flood", abstract: "A job's rate and its coordinator's memory while strangers flood it.",
        discussion: """
            A job over tcp, each node a process, is measured in three parts: before, while a process floods it that does \
            not know the token, and after. Half of the connections go to the coordinator, half to the server. Each sends \
            4 MiB, again and again: a message without end of the old kind, a wrong proof and then a message, a message \
            without its last byte.
            """)

    @Option(help: "Connections at once.") var connections = 64
    @Option(help: "Length of the flood, and of the parts before and after.") var seconds = 30.0
    @Option(help: "Workers.") var workers = 1

    func run() throws {
        var config = JobConfig()
        config.model.kind = BenchJob.kind
        config.train.batch = 128
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = 1
        config.cluster.workers = workers
        config.cluster.threadsPerNode = 1
        config.cluster.consistency = .asynchronous(isPipelined: true)
        let token = "not known to those who flood"
        setenv("TRIBUTARY_TOKEN", token, 1)
        let coordinator = try Coordinator(
            config: config, job: BenchJob(), listen: Address("tcp://127.0.0.1:0"),
            options: CoordinatorOptions(token: token))
        let server = try BenchChild([
            "server", "--coordinator", "\(coordinator.address)", "--listen", "tcp://127.0.0.1:0",
        ])
        defer { server.end() }
        let nodes = try (0..<workers).map { _ in
            try BenchChild(["worker", "--coordinator", "\(coordinator.address)"])
        }
        defer { nodes.forEach { $0.end() } }
        unsetenv("TRIBUTARY_TOKEN")

        let control = try ControlClient(coordinator.address, token: token)
        var parts: [StepMeter] = [StepMeter(), StepMeter(), StepMeter()]
        var part = 0
        var flooder: BenchChild?
        var memory = (before: 0, most: 0)
        let seconds = seconds
        let serverAddress = Mutex<String?>(nil)
        Thread.detachNewThread {
            while serverAddress.withLock({ $0 }) == nil {
                let nodes = (try? control.status())?.nodes ?? []
                let address = nodes.lazy.map(\.address).first { !$0.isEmpty }
                serverAddress.withLock { $0 = address }
                Thread.sleep(forTimeInterval: 0.2)
            }
        }
        let report = try coordinator.run(
            onProgress: { progress in
                guard part < parts.count else { return }
                memory.most = part == 1 ? max(memory.most, Memory.resident) : memory.most
                guard parts[part].note(progress, warmup: part == 0 ? 3 : 0.5, seconds: seconds) else { return }
                part += 1
                if part == 1 {
                    memory.before = Memory.resident
                    let addresses = ["\(coordinator.address)"] + (serverAddress.withLock { $0 }.map { [$0] } ?? [])
                    flooder = try? BenchChild(
                        ["flooder"] + addresses + ["--connections", "\(connections)", "--seconds", "\(seconds + 5)"])
                }
                if part == 2 {
                    flooder?.end()
                    flooder = nil
                }
                if part == 3 { coordinator.stop(now: true, reason: "measured") }
            }, onEvent: { _ in })
        let rates = parts.map { $0.stepsPerSecond ?? 0 }
        guard rates.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("the job ended before it was measured: \(report.reason ?? report.status.rawValue)")
        }
        print(
            JSONLine(
                bench: "flood",
                [
                    ("connections", .integer(connections)), ("seconds", .number(seconds)),
                    ("workers", .integer(workers)), ("steps_per_s", .list(rates.map { .number($0) })),
                    ("share_of_rate", .number(rates[1] / ((rates[0] + rates[2]) / 2))),
                    ("mib_more", .number(Double(memory.most - memory.before) / 1_048_576)),
                ]))
    }
}

/// Those who do not know the token.
struct Flooder: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "flooder", shouldDisplay: false)

    @Argument var addresses: [String]
    @Option var connections = 64
    @Option var seconds = 30.0

    func run() throws {
        let ports = try addresses.map { try Address($0).port ?? 0 }
        let end = Date().addingTimeInterval(min(seconds, 120))
        let threads = (0..<min(connections, 512)).map { index in
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                while Date() < end { Flooder.attack(ports[index % ports.count], kind: index / ports.count % 3, end) }
                done.signal()
            }
            thread.stackSize = 256 << 10
            thread.start()
            return done
        }
        for done in threads { done.wait() }
    }

    /// One connection to a port of this machine, until it is closed.
    private static func attack(_ port: Int, kind: Int, _ end: Date) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(port).bigEndian
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafeBytes(of: &name) {
            connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard isConnected == 0 else {
            usleep(1000)
            return
        }
        let count = 4 << 20
        switch kind {
        case 0:
            // As nng's request sockets greet, with a message of two million empty entries.
            send(descriptor, [0, 0x53, 0x50, 0, 0, 0x30, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 4, 0x80, 0, 0, 1])
            send(descriptor, [UInt8](repeating: 0x52, count: count))
        case 1:
            var challenge = [UInt8](repeating: 0, count: 48)
            guard recv(descriptor, &challenge, 48, Int32(MSG_WAITALL)) == 48 else { return }
            var guess = Handshake(.dialling, secret: "guess")
            send(descriptor, guess.take(challenge).send)
            send(descriptor, [UInt8](repeating: 1, count: count))
        default:
            send(descriptor, Array("TRIBUTRY".utf8) + [UInt8](repeating: 1, count: 71))
        // And nothing more, for as long as it is let.
        }
        var byte: UInt8 = 0
        while Date() < end, recv(descriptor, &byte, 1, 0) > 0 {}
    }

    private static func send(_ descriptor: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
