import Cluster
import Foundation
import Messaging
import Testing

/// Jobs whose nodes are started by hand, and those who try to get in.
@Suite("Tokens and certificates of processes", .serialized)
struct SecurityProgramTests {
    private let folder: String

    init() throws {
        folder =
            FileManager.default.temporaryDirectory.appending(path: "security-\(UInt32.random(in: 0...(.max)))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func text(_ path: String) throws -> String {
        for _ in 0..<1000 where !FileManager.default.fileExists(atPath: path) { Thread.sleep(forTimeInterval: 0.01) }
        return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func mode(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    /// What the program says, and its status.
    private func run(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> (status: Int32, words: String) {
        let children = ChildProcesses()
        try children.start(
            .init(name: "tributary", path: TestProgram.path, arguments: arguments, environment: environment))
        #expect(children.waitForAll(atMost: .seconds(30)))
        let exit = try #require(children.exits.first)
        return (exit.ending.status, exit.lastLines.joined(separator: "\n"))
    }

    private func start(_ nodes: ChildProcesses, _ name: String, _ arguments: [String]) throws {
        let role = String(name.split(separator: " ")[0])
        try nodes.start(
            .init(name: name, path: TestProgram.path, arguments: [role, "--threads", "1"] + arguments))
    }

    // MARK: Tokens

    @Test("a coordinator on TCP without a token makes one, which nodes find, and which is gone with the job")
    func madeToken() throws {
        let file = "\(folder)/address"
        let job = try RunningJob(
            "coordinator", ["--address-file", file, "--workers", "1"], in: URL(filePath: "\(folder)/job"))
        #expect(job.waitFor("its token is in "), "\(job.log)")
        let line = try #require(job.log.split(separator: "\n").first { $0.contains("its token is in ") })
        let place = String(try #require(line.components(separatedBy: "its token is in ").last))
        let address = try text(file)
        let token = try text(place)
        #expect(token.utf8.count >= 32 && !job.log.contains(token))
        #expect(mode(of: place) == 0o600 && mode(of: URL(filePath: place).deletingLastPathComponent().path) == 0o700)
        #expect(try text("\(file).token") == token && mode(of: "\(file).token") == 0o600)

        // Others do not get in.
        let wrong = JobToken.random()
        let stranger = #expect(throws: NodeError.self) { try ControlClient(Address(address), token: wrong).status() }
        #expect([.refused, .peerUnavailable].contains(stranger?.kind))
        let refused = try run(["status", address], ["TRIBUTARY_TOKEN": wrong])
        #expect(refused.status == 77 && refused.words.contains("--token-file FILE"), "\(refused)")
        #expect(!refused.words.contains(wrong) && !refused.words.contains(token))

        // The same user's do, each in its way.
        #expect(try run(["status", address]).status == 0)
        #expect(try run(["status", address, "--token-file", "\(file).token"]).status == 0)
        let nodes = ChildProcesses()
        try start(nodes, "server 0", ["--coordinator", address])
        try start(nodes, "worker 0", ["--coordinator", address, "--token-file", "\(file).token"])
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(10)) && nodes.exits.allSatisfy { $0.ending.isSuccess })
        #expect(mode(of: place) == nil && mode(of: "\(file).token") == nil)
    }

    @Test("the token goes also when the job is interrupted at once")
    func interrupted() throws {
        let file = "\(folder)/address"
        let job = try RunningJob("coordinator", ["--address-file", file], in: URL(filePath: "\(folder)/job"))
        #expect(job.waitFor("its token is in "), "\(job.log)")
        _ = try text("\(file).token")
        let place = try #require(job.log.split(separator: "\n").first?.components(separatedBy: "its token is in ").last)
        kill(job.process.processIdentifier, SIGINT)
        Thread.sleep(forTimeInterval: 0.2)
        kill(job.process.processIdentifier, SIGINT)
        _ = try job.finish()
        #expect(mode(of: place) == nil && mode(of: "\(file).token") == nil)
    }

    @Test("a node that comes before its coordinator, and finds an older job's token, joins all the same")
    func earlyNode() throws {
        // A free port, and what a killed coordinator would have left there.
        let socket = try ReplySocket(listen: Address("tcp://127.0.0.1:0"), maximumMessage: 10)
        let address = socket.boundAddress
        socket.close()
        let stale = try TokenStore().publish(JobToken.random(), for: address)
        let nodes = ChildProcesses()
        try start(nodes, "server 0", ["--coordinator", address.description])
        try start(nodes, "worker 0", ["--coordinator", address.description])
        Thread.sleep(forTimeInterval: 0.5)
        let job = try RunningJob(
            "coordinator", ["--listen", address.description, "--workers", "1"], in: URL(filePath: "\(folder)/job"))
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(10)))
        #expect(nodes.exits.allSatisfy { $0.ending.isSuccess }, "\(nodes.exits)")
        stale.remove()
    }

    @Test("a token that is given goes first; one that is too short is refused")
    func givenToken() throws {
        let token = "\(folder)/token"
        try "0123456789abcdef\n".write(toFile: token, atomically: false, encoding: .utf8)
        chmod(token, 0o644)
        let file = "\(folder)/address"
        let job = try RunningJob(
            "coordinator", ["--address-file", file, "--token-file", token], in: URL(filePath: "\(folder)/job"))
        #expect(job.waitFor("coordinator listens on "), "\(job.log)")
        let address = try text(file)
        #expect(!job.log.contains("its token is in") && mode(of: "\(file).token") == nil)
        #expect(job.log.contains("chmod 600 \(token)") && !job.log.contains("0123456789abcdef"))
        let without = try run(["status", address])
        #expect(without.status == 77 && without.words.contains("no token was given"), "\(without)")
        #expect(try run(["status", address, "--token-file", token]).status == 0)
        #expect(try run(["status", address], ["TRIBUTARY_TOKEN": "0123456789abcdef"]).status == 0)
        #expect(try run(["stop", address, "--now"], ["TRIBUTARY_TOKEN": "0123456789abcdef"]).status == 0)
        _ = try job.finish()

        let short = try run(["status", address], ["TRIBUTARY_TOKEN": "secret"])
        #expect(short.status == 78 && short.words.contains("openssl rand -hex 32"), "\(short)")
        let config = "\(folder)/short.yaml"
        try "data: {format: embedded}\ncluster: {token: secret}".write(
            toFile: config, atomically: true, encoding: .utf8)
        let coordinator = try run(["coordinator", config])
        #expect(coordinator.status == 78 && coordinator.words.contains("cluster.token has 6 bytes"), "\(coordinator)")
    }

    @Test("the by-hand example: sockets in a folder, no token, and a server that finds its own place")
    func ipc() throws {
        let address = "ipc://\(folder)/job"
        let job = try RunningJob(
            "coordinator", ["--listen", address, "--workers", "2"], in: URL(filePath: "\(folder)/work"))
        #expect(job.waitFor("coordinator listens on "), "\(job.log)")
        #expect(!job.log.contains("token") && mode(of: "\(folder)/job") == 0o600)
        let nodes = ChildProcesses()
        try start(nodes, "server 0", ["--coordinator", address])
        try start(nodes, "worker 0", ["--coordinator", address])
        // One on TCP would be open to everyone: there is no token.
        let open = try run(["server", "--coordinator", address, "--listen", "tcp://127.0.0.1:0"])
        #expect(open.status == 78 && open.words.contains("there is no token"), "\(open)")
        try start(nodes, "worker 1", ["--coordinator", address])
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(10)) && nodes.exits.allSatisfy { $0.ending.isSuccess })
        #expect(nodes.exits.contains { $0.lastLines.contains { $0.contains("ipc://\(folder)/job-server-") } })
    }

    // MARK: Before dialling

    @Test("with TLS options a plain address is not even dialled, whatever else is said")
    func plainAddress() throws {
        let impostor = try Impostor()
        let authority = "\(folder)/ca.pem"
        try CertificateFolder("\(folder)/tls").make(hosts: [], days: 1)
        try FileManager.default.copyItem(atPath: "\(folder)/tls/authority.pem", toPath: authority)
        for role in ["worker", "server"] {
            for more in [[], ["--insecure"]] {
                let result = try run([role, "--coordinator", impostor.address, "--tls-ca", authority] + more)
                #expect(result.status == 77 && result.words.contains("cannot connect to"), "\(result)")
            }
        }
        for command in ["status", "stop"] {
            let result = try run(
                [command, impostor.address, "--tls-ca", authority], ["TRIBUTARY_TOKEN": JobToken.random()])
            #expect(result.status == 77 && result.words.contains("cannot connect to"), "\(result)")
        }
        for arguments in [
            ["worker", "--coordinator", "tcp://192.0.2.1:7000"], ["server", "--coordinator", "tcp://192.0.2.1:7000"],
            ["status", "tcp://192.0.2.1:7000"], ["stop", "tcp://192.0.2.1:7000"],
        ] {
            let result = try run(arguments)
            #expect(result.status == 77 && result.words.contains("--insecure"), "\(result)")
        }
        for wrong in [
            ["--tls-server-name", "a"], ["--tls-certificate", authority, "--tls-key", authority], ["--tls-key", "a"],
        ] {
            let result = try run(["worker", "--coordinator", impostor.address] + wrong)
            #expect(result.status == 64, "\(result)")
        }
        #expect(impostor.connections == 0)
    }

    // MARK: Certificates

    /// A whole job over TLS in which everyone shows a certificate, as the help of `certificates` tells it.
    @Test("a job in which both sides show certificates, and who gets no answer from it")
    func mutualTLS() throws {
        let tls = "\(folder)/tls"
        let made = try run(["certificates", tls, "--host", "127.0.0.1", "--days", "2"])
        #expect(made.status == 0 && made.words.contains("authority.pem"), "\(made)")
        for name in ["authority.key", "server.key", "client.key", "token"] {
            #expect(mode(of: "\(tls)/\(name)") == 0o600)
        }
        let again = try run(["certificates", tls])
        #expect(again.status == 73 && again.words.contains("--force"), "\(again)")
        let common = ["--token-file", "\(tls)/token", "--tls-ca", "\(tls)/authority.pem"]
        let server = common + ["--tls-certificate", "\(tls)/server.pem", "--tls-key", "\(tls)/server.key"]
        let client = common + ["--tls-certificate", "\(tls)/client.pem", "--tls-key", "\(tls)/client.key"]
        let file = "\(folder)/address"
        let keys = [
            "certificate=\(tls)/server.pem", "key=\(tls)/server.key", "ca=\(tls)/authority.pem",
            "client_ca=\(tls)/authority.pem",
        ]
        let job = try RunningJob(
            "coordinator",
            [
                "--listen", "tls+tcp://127.0.0.1:0", "--address-file", file, "--token-file", "\(tls)/token",
                "--workers", "2",
            ] + keys.flatMap { ["--set", "cluster.tls.\($0)"] }, in: URL(filePath: "\(folder)/job"))
        #expect(job.waitFor("coordinator listens on "), "\(job.log)")
        let address = try text(file)
        #expect(try run(["status", address] + client).status == 0)
        // Without a certificate, with another authority's, and without TLS there is no answer, token or not.
        try CertificateFolder("\(folder)/other").make(hosts: ["127.0.0.1"], days: 1)
        let foreign =
            common + ["--tls-certificate", "\(folder)/other/client.pem", "--tls-key", "\(folder)/other/client.key"]
        for arguments in [common, foreign] {
            let result = try run(["status", address] + arguments)
            #expect([69, 77].contains(result.status), "\(result)")
        }
        let nodes = ChildProcesses()
        try start(
            nodes, "server 0", ["--coordinator", address, "--tls-client-ca", "\(tls)/authority.pem"] + server)
        try start(nodes, "worker 0", ["--coordinator", address] + client)
        try start(nodes, "worker 1", ["--coordinator", address] + client)
        let (status, report) = try job.finish()
        #expect(status == 0 && report?.status == .finished, "\(job.log)")
        #expect(nodes.waitForAll(atMost: .seconds(10)))
        #expect(nodes.exits.allSatisfy { $0.ending.isSuccess }, "\(nodes.exits)")
    }
}

/// Listens on TCP and counts who comes.
final class Impostor: @unchecked Sendable {
    private let descriptor: Int32
    let address: String

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                _ = bind(descriptor, place, length)
                _ = listen(descriptor, 16)
                _ = getsockname(descriptor, place, &length)
            }
        }
        address = "tcp://127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
    }

    deinit { close(descriptor) }

    /// How many have connected and were not counted before.
    var connections: Int {
        var count = 0
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&wait, 1, 100) > 0 {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { break }
            close(connection)
            count += 1
        }
        return count
    }
}
