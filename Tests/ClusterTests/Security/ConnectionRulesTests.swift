import Cluster
import Foundation
import Messaging
import Testing

/// Where a process may listen and whom it may dial, as tables.
@Suite("Connection rules")
struct ConnectionRulesTests {
    private static let plain = ConnectionRules(.node)
    private static let insecure = ConnectionRules(.node, isInsecure: true)
    private static let tls = ConnectionRules(.node, hasTLS: true, hasAuthority: true)
    private static let tlsAndInsecure = ConnectionRules(.node, hasTLS: true, hasAuthority: true, isInsecure: true)
    private static let noAuthority = ConnectionRules(.node, hasTLS: true, hasCertificate: true)

    @Test(
        "what may be dialled",
        arguments: [
            (plain, "inproc://a", nil), (plain, "ipc:///tmp/a", nil), (plain, "tcp://127.0.0.1:1", nil),
            (plain, "tcp://localhost:1", nil), (plain, "tcp://[::1]:1", nil), (plain, "tcp://127.9.8.7:1", nil),
            (plain, "tcp://10.0.0.5:1", "--insecure"), (plain, "tcp://ps0.example.org:1", "--insecure"),
            (plain, "tcp://[fe80::1]:1", "--insecure"), (plain, "tcp://0.0.0.0:1", "--insecure"),
            (plain, "tcp://127.0.0.1.example.org:1", "--insecure"),
            (plain, "tcp://localhost.example.org:1", "--insecure"),
            (plain, "tcp://127.1:1", "--insecure"), (plain, "tcp://*:1", "--insecure"),
            (plain, "tls+tcp://127.0.0.1:1", "--tls-ca"), (plain, "tls+tcp://10.0.0.5:1", "--tls-ca"),
            (insecure, "tcp://10.0.0.5:1", nil), (insecure, "tcp://127.0.0.1:1", nil),
            (insecure, "tls+tcp://10.0.0.5:1", "--tls-ca"),
            (tls, "tls+tcp://10.0.0.5:1", nil), (tls, "tls+tcp://127.0.0.1:1", nil), (tls, "ipc:///tmp/a", nil),
            (tls, "tcp://127.0.0.1:1", "TLS options are given"), (tls, "tcp://10.0.0.5:1", "TLS options are given"),
            (tlsAndInsecure, "tcp://10.0.0.5:1", "TLS options are given"),
            (tlsAndInsecure, "tcp://127.0.0.1:1", "TLS options are given"), (tlsAndInsecure, "tls+tcp://a:1", nil),
            (noAuthority, "tls+tcp://127.0.0.1:1", "--tls-ca"), (noAuthority, "tcp://127.0.0.1:1", "TLS options"),
        ] as [(ConnectionRules, String, String?)])
    func dialing(rules: ConnectionRules, address: String, words: String?) throws {
        let fault = rules.faultOfDialing(try Address(address))
        #expect(words.map { fault?.contains($0) == true } ?? (fault == nil), "\(fault ?? "")")
    }

    @Test("a socket of another user is not dialled, root's is; one that is not there yet may be anyone's")
    func owners() throws {
        let address = try Address("ipc:///tmp/job")
        for (owner, user, isDialled) in [
            (nil, 1000, true), (1000, 1000, true), (0, 1000, true), (1001, 1000, false), (1000, 0, false), (0, 0, true),
        ] as [(UInt32?, UInt32, Bool)] {
            let fault = Self.plain.faultOfDialing(address, owner: owner, user: user)
            #expect((fault == nil) == isDialled, "\(owner ?? 0) \(user)")
        }
    }

    private static let token = String(repeating: "t", count: 16)
    private static let server = ConnectionRules(.node, hasTLS: true, hasAuthority: true, hasCertificate: true)
    private static let coordinator = ConnectionRules(.coordinator)
    private static let coordinatorWithTLS = ConnectionRules(.coordinator, hasTLS: true, hasCertificate: true)

    @Test(
        "where one may listen",
        arguments: [
            (plain, "inproc://a", nil, nil), (plain, "ipc:///tmp/a", nil, nil),
            (plain, "tcp://127.0.0.1:0", token, nil),
            (plain, "tcp://127.0.0.1:0", nil, "no token"), (plain, "tcp://localhost:0", "", "no token"),
            (plain, "tcp://127.0.0.1:0", "fifteen bytes..", "openssl rand -hex 32"),
            (plain, "tcp://10.0.0.6:0", token, "--insecure"), (insecure, "tcp://10.0.0.6:0", token, nil),
            (insecure, "tcp://10.0.0.6:0", nil, "no token"), (tls, "tcp://127.0.0.1:0", token, "does not use"),
            (tls, "tls+tcp://10.0.0.6:0", token, "--tls-certificate"), (server, "tls+tcp://10.0.0.6:0", token, nil),
            (server, "tls+tcp://127.0.0.1:0", nil, "no token"), (server, "ipc:///tmp/a", nil, nil),
            (coordinator, "tcp://127.0.0.1:0", token, nil),
            (coordinator, "tcp://*:7000", token, "cluster.insecure: true"),
            (coordinator, "tcp://[::]:7000", token, "cluster.insecure: true"),
            (coordinator, "tls+tcp://*:7000", token, "cluster.tls.certificate"),
            (coordinatorWithTLS, "tls+tcp://*:7000", token, nil),
            (coordinatorWithTLS, "tls+tcp://*:7000", nil, "no token"),
            (coordinatorWithTLS, "tcp://127.0.0.1:0", token, "does not use cluster.tls"),
            (ConnectionRules(.coordinator, isInsecure: true), "tcp://0.0.0.0:7000", token, nil),
        ] as [(ConnectionRules, String, String?, String?)])
    func listening(rules: ConnectionRules, address: String, token: String?, words: String?) throws {
        let fault = rules.faultOfListening(try Address(address), token: token)
        #expect(words.map { fault?.contains($0) == true } ?? (fault == nil), "\(fault ?? "")")
    }

    @Test(
        "a server that is not told listens for this machine alone, as its coordinator is reached",
        arguments: [
            ("ipc:///home/me/job", "ipc:///home/me/job-server-\(getpid())"),
            ("tcp://127.0.0.1:7000", "tcp://127.0.0.1:0"),
            ("tcp://10.0.0.5:7000", "tcp://127.0.0.1:0"), ("tls+tcp://localhost:7000", "tls+tcp://localhost:0"),
            ("tls+tcp://10.0.0.5:7000", nil), ("ipc:///\(String(repeating: "long", count: 25))", nil),
        ] as [(String, String?)])
    func standardListen(coordinator: String, expected: String?) throws {
        let made = Result { try ServerNode.standardListen(beside: Address(coordinator)).description }
        #expect((try? made.get()) == expected)
    }
}
