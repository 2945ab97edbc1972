import Cluster
import Foundation
import Messaging
import Synchronization
import Testing

/// Certificates that Tributary makes, and what TLS makes of them.
@Suite("Certificates", .serialized)
struct CertificateTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    @Test(
        "hosts are names and IP addresses",
        arguments: [
            ("10.0.0.5", true), ("[::1]", true), ("fe80::1", true), ("ps0.example.org", true), ("ps_0", true),
            ("*.example.org", true), ("", false), ("*", false), ("*.org", false), ("a..b", false), ("-a", false),
            ("10.0.0", false), ("10.0.0.256", false), ("a:7000", false), ("tls+tcp://a", false), ("a b", false),
            ("[a]", false), ("a\u{0}b", false), ("10.0.0.5\u{0}b", false), ("ü", false),
            (String(repeating: "a", count: 64), false),
        ])
    func hosts(text: String, isHost: Bool) { #expect((CertificateHost(text) != nil) == isHost) }

    @Test("files are made once; keys and token are their owner's alone")
    func files() throws {
        let made = CertificateFolder("\(folder)/new")
        try made.make(hosts: ["a.example.org", "10.0.0.5"], days: 3)
        func mode(_ path: String) -> mode_t {
            var status = stat()
            return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
        }
        #expect(mode(made.path) == 0o700)
        for file in [CertificateFolder.File.authorityKey, .serverKey, .clientKey, .token] {
            #expect(mode(made.path(of: file)) == 0o600)
        }
        let before = try String(contentsOfFile: made.path(of: .server), encoding: .utf8)
        let error = #expect(throws: NodeError.self) { try made.make(hosts: [], days: 3) }
        #expect(error?.kind == .cannotCreate && error?.message.contains("--force") == true)
        #expect(try String(contentsOfFile: made.path(of: .server), encoding: .utf8) == before)
        chmod(made.path(of: .serverKey), 0o644)
        try made.make(hosts: [], days: 3, replaces: true)
        #expect(try String(contentsOfFile: made.path(of: .server), encoding: .utf8) != before)
        #expect(mode(made.path(of: .serverKey)) == 0o600)
        for days in [0, -1, .min, .max, 36_501] {
            #expect(throws: NodeError.self) { try made.make(hosts: [], days: days, replaces: true) }
        }
        #expect(throws: NodeError.self) { try CertificateFolder("\(folder)/no/such").make(hosts: [], days: 1) }
    }

    // MARK: Who talks to whom

    private func make(_ name: String, _ hosts: [String]) throws -> CertificateFolder {
        let made = CertificateFolder("\(folder)/\(name)")
        try made.make(hosts: hosts, days: 1)
        return made
    }

    private func pem(_ folder: CertificateFolder, _ file: CertificateFolder.File) -> TLS.PEM {
        .file(folder.path(of: file))
    }

    /// What a client gets from a server with these certificates; nil if they do not talk.
    private func answer(_ host: String, server: TLS, client: TLS) throws -> [UInt8]? {
        let socket = try ReplySocket(listen: Address("tls+tcp://\(host):0"), tls: server, maximumMessage: 1000)
        let requests = Mutex(0)
        let thread = Thread {
            while let request = try? socket.receive() {
                requests.withLock { $0 += 1 }
                try? request.reply(Message([7]))
            }
        }
        thread.start()
        defer { socket.close() }
        let dialled = try RequestSocket(dial: socket.boundAddress, tls: client, maximumMessage: 1000)
        defer { dialled.close() }
        guard let answer = try? dialled.request(Message([1]), timeout: .seconds(1)) else {
            #expect(requests.withLock { $0 } == 0)
            return nil
        }
        return answer.withUnsafeBytes { Array($0) }
    }

    @Test("server and client talk by name and by IP address, and with nobody else")
    func talking() throws {
        let job = try make("job", ["localhost", "127.0.0.1"])
        let other = try make("other", ["localhost", "127.0.0.1"])
        func server(
            _ from: CertificateFolder, _ certificate: CertificateFolder.File = .server, isMutual: Bool = true
        ) -> TLS {
            .server(
                certificate: pem(from, certificate), key: pem(from, certificate == .server ? .serverKey : .clientKey),
                clientAuthority: isMutual ? pem(from, .authority) : nil)
        }
        func client(
            _ from: CertificateFolder, _ certificate: CertificateFolder.File? = .client,
            trusts: CertificateFolder? = nil
        ) -> TLS {
            .client(
                authority: pem(trusts ?? from, .authority), certificate: certificate.map { pem(from, $0) },
                key: certificate.map { pem(from, $0 == .server ? .serverKey : .clientKey) })
        }
        for host in ["localhost", "127.0.0.1"] {
            #expect(try answer(host, server: server(job), client: client(job)) == [7], "\(host)")
        }
        // Servers show theirs to the coordinator.
        #expect(try answer("127.0.0.1", server: server(job), client: client(job, .server)) == [7])
        #expect(try answer("127.0.0.1", server: server(job, isMutual: false), client: client(job, nil)) == [7])
        // A client without a certificate, with a foreign one; an impostor with a foreign one, with a client's one.
        #expect(try answer("127.0.0.1", server: server(job), client: client(job, nil)) == nil)
        #expect(try answer("127.0.0.1", server: server(job), client: client(other, trusts: job)) == nil)
        #expect(try answer("127.0.0.1", server: server(other, isMutual: false), client: client(job)) == nil)
        #expect(try answer("127.0.0.1", server: server(job, .client, isMutual: false), client: client(job)) == nil)
        // A server of this job for other hosts.
        let elsewhere = try make("elsewhere", ["ps0.example.org"])
        #expect(try answer("127.0.0.1", server: server(elsewhere), client: client(elsewhere)) == nil)
    }

    @Test("IPv6 addresses are names of certificates too")
    func version6() throws {
        guard let probe = try? ReplySocket(listen: Address("tcp://[::1]:0"), maximumMessage: 10) else { return }
        probe.close()
        let job = try make("six", ["::1"])
        let server = TLS.server(certificate: pem(job, .server), key: pem(job, .serverKey))
        #expect(try answer("[::1]", server: server, client: .client(authority: pem(job, .authority))) == [7])
    }

    /// A worker whose coordinator's configuration says what it likes.
    @Test("what the coordinator says makes no node dial a plain address beyond this machine")
    func viewsOfOthers() throws {
        let options = NodeOptions(token: JobToken.random())
        let rules = ConnectionRules(
            client: options.clientTLS, server: options.serverTLS, isInsecure: options.isInsecure)
        #expect(rules.faultOfDialing(try Address("tcp://192.0.2.1:7000")) != nil)
        for address in ["tcp://192.0.2.1:7000", "tcp://ps0.example.org:7000"] {
            let error = #expect(throws: NodeError.self) {
                try ControlClient(Address(address), token: JobToken.random())
            }
            #expect(error?.kind == .refused)
        }
    }
}
