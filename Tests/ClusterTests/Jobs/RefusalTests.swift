import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import Synchronization
import Testing

/// What a coordinator and a server do with those who do not belong.
@Suite("Strangers at the door", .serialized)
struct RefusalTests {
    /// A coordinator over tcp that waits for its nodes, on a thread of its own.
    private func coordinator(_ overrides: [String] = [], token: String? = nil) throws -> (Coordinator, Thread) {
        let config = try JobConfig.parse(
            yaml: "data: { format: embedded, limit: 500 }\ncluster: { join_timeout: 20 }", overrides: overrides)
        let coordinator = try Coordinator(
            config: config, job: MultilayerPerceptron(), listen: Address("tcp://127.0.0.1:0"),
            options: CoordinatorOptions(token: token))
        let thread = Thread { _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in }) }
        thread.start()
        return (coordinator, thread)
    }

    @Test("a wrong token is refused, and said so")
    func token() throws {
        let (coordinator, _) = try coordinator(token: "right-right-right")
        defer { coordinator.stop(now: true, reason: "over") }
        let error = #expect(throws: NodeError.self) {
            try ControlClient(coordinator.address, token: "wrong-wrong-wrong").status()
        }
        #expect(error?.kind == .refused && error?.message.contains("token") == true)
        #expect(try ControlClient(coordinator.address, token: "right-right-right").status().phase == .waiting)
    }

    @Test("garbage does not disturb a coordinator")
    func garbage() throws {
        let token = "the token of this job"
        let (coordinator, _) = try coordinator(token: token)
        defer { coordinator.stop(now: true, reason: "over") }
        let socket = try RequestSocket(dial: coordinator.address, secret: token, maximumMessage: 1 << 20)
        for count in [0, 1, 7, 60, 1000, 100_000] {
            var generator = SystemRandomNumberGenerator()
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try socket.request(Message(bytes), timeout: .seconds(5))
        }
        #expect(try ControlClient(coordinator.address, token: token).status().phase == .waiting)
    }

    @Test("a worker of another graph is refused, with what differs")
    func otherGraph() throws {
        let (coordinator, _) = try coordinator(["model.hidden=[8]"])
        defer { coordinator.stop(now: true, reason: "over") }
        let job = try PreparedJob(
            JobConfig.parse(yaml: "data: { format: embedded, limit: 500 }", overrides: ["model.hidden=[9]"]),
            MultilayerPerceptron())
        var registration = WireRegisterWorker()
        registration.version = "0.1.0"
        registration.incarnation = 1
        registration.fingerprint = job.fingerprint
        registration.variables = job.variables.map(\.wire)
        let error = #expect(throws: NodeError.self) {
            try ControlClient(coordinator.address).ask(.registerWorker(registration))
        }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("hidden1/kernel") == true)
        #expect(error?.message.contains("[784, 9]") == true)
    }

    @Test("a node of another version is refused")
    func otherVersion() throws {
        let (coordinator, _) = try coordinator()
        defer { coordinator.stop(now: true, reason: "over") }
        var registration = WireRegisterServer()
        registration.version = "9.9.9"
        registration.dataAddresses = ["tcp://127.0.0.1:1"]
        let error = #expect(throws: NodeError.self) {
            try ControlClient(coordinator.address).ask(.registerServer(registration))
        }
        #expect(error?.message.contains("9.9.9") == true)
    }

    @Test("who does not come is named when the time is over")
    func missing() throws {
        let config = try JobConfig.parse(
            yaml: "data: { format: embedded, limit: 500 }\ncluster: { join_timeout: 0.3, servers: 2 }")
        let coordinator = try Coordinator(
            config: config, job: MultilayerPerceptron(), listen: Address("inproc://missing"),
            options: CoordinatorOptions())
        let error = #expect(throws: JobError.self) { try coordinator.run() }
        #expect(
            error?.reason.contains("2 of 2 workers and 2 of 2 servers have not joined") == true,
            "\(error?.reason ?? "")")
    }

    @Test("where a job must not listen, it says what to do")
    func security() throws {
        let config = try JobConfig.parse(yaml: "data: { format: embedded, limit: 500 }")
        let secret = "sixteen bytes or more"
        for (address, token, word) in [
            ("tcp://0.0.0.0:0", nil, "cluster.insecure: true"), ("tcp://0.0.0.0:0", secret, "TLS"),
            ("tls+tcp://127.0.0.1:0", secret, "cluster.tls.certificate"), ("tcp://127.0.0.1:0", "short", "16"),
        ] as [(String, String?, String)] {
            let error = #expect(throws: NodeError.self) {
                try Coordinator(
                    config: config, job: MultilayerPerceptron(), listen: Address(address),
                    options: CoordinatorOptions(token: token))
            }
            #expect(error?.kind == .configuration && error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test("a job on loopback TCP has a token, also where none is given")
    func madeToken() throws {
        let (coordinator, _) = try coordinator()
        defer { coordinator.stop(now: true, reason: "over") }
        // Other users find none, or guess.
        for token in ["", "wrong-wrong-wrong"] {
            let error = #expect(throws: NodeError.self) {
                try ControlClient(coordinator.address, token: token).stop(now: true)
            }
            #expect([.refused, .peerUnavailable].contains(error?.kind), "\(token)")
        }
        #expect(try ControlClient(coordinator.address).status().phase == .waiting)
    }

    @Test("a worker does not dial a plain address beyond this machine that the coordinator names")
    func plainServer() throws {
        let (coordinator, _) = try coordinator(["cluster.insecure=true", "cluster.servers=1", "cluster.workers=1"])
        defer { coordinator.stop(now: true, reason: "over") }
        let control = try ControlClient(coordinator.address)
        var registration = WireRegisterServer()
        registration.version = "0.1.0"
        registration.incarnation = 1
        // TEST-NET-1: nobody is there.
        registration.dataAddresses = ["tcp://192.0.2.1:7000"]
        guard case .serverAssigned(let assigned) = try control.ask(.registerServer(registration)) else {
            throw control.unexpected()
        }
        var ready = WireServerReady()
        ready.server = assigned.number
        ready.incarnation = 1
        _ = try control.ask(.serverReady(ready))
        let error = #expect(throws: NodeError.self) {
            try WorkerNode(coordinator: coordinator.address, options: NodeOptions()).run()
        }
        #expect(
            error?.kind == .refused && error?.message.contains("cannot connect to tcp://192.0.2.1:7000") == true,
            "\(error?.message ?? "")")
    }

    @Test("those who flood a job without its token do not end it")
    func flood() throws {
        let config = try JobConfig.parse(
            yaml: """
                data: { format: embedded, limit: 500 }
                model: { hidden: [8] }
                train: { batch: 20, steps: 400 }
                cluster: { servers: 1, workers: 1, heartbeat_timeout: 3 }
                """)
        let token = "the token of this job"
        let coordinator = try Coordinator(
            config: config, job: MultilayerPerceptron(), listen: Address("tcp://127.0.0.1:0"),
            options: CoordinatorOptions(token: token))
        let address = coordinator.address
        let options = NodeOptions(token: token)
        Thread.detachNewThread {
            try? ServerNode(coordinator: address, listen: Address("tcp://127.0.0.1:0"), options: options).run()
        }
        Thread.detachNewThread { try? WorkerNode(coordinator: address, options: options).run() }
        let isOver = Mutex(false)
        for index in 0..<16 {
            Thread.detachNewThread {
                while !isOver.withLock({ $0 }) { Stranger.send(to: address, kind: index % 3, 4 << 20) }
            }
        }
        let report = try coordinator.run(onProgress: { _ in }, onEvent: { _ in })
        isOver.withLock { $0 = true }
        #expect(report.status == .finished, "\(report.reason ?? "")")
        #expect(report.steps == 400)
    }
}

/// One who does not know the token, and has much to say.
private enum Stranger {
    /// Sends so many bytes until the other side has enough of it: without a greeting, after a wrong proof, or after half of
    /// one and then nothing.
    static func send(to address: Address, kind: Int, _ count: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(address.port ?? 0).bigEndian
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafeBytes(of: &name) {
            connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard result == 0 else {
            usleep(10_000)
            return
        }
        var bytes = [UInt8](repeating: 0x52, count: count)
        if kind > 0 {
            var challenge = [UInt8](repeating: 0, count: 48)
            guard recv(descriptor, &challenge, 48, Int32(MSG_WAITALL)) == 48 else { return }
            var guess = Handshake(.dialling, secret: "guess")
            bytes = guess.take(challenge).send + bytes
        }
        _ = Glibc.send(descriptor, bytes, kind == 2 ? 40 : bytes.count, Int32(MSG_NOSIGNAL))
        var byte: UInt8 = 0
        _ = recv(descriptor, &byte, 1, 0)
    }
}
