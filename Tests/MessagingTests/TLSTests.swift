import Foundation
import Messaging
import Testing

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    @Test("a missing or wrong file is named with its path")
    func files() throws {
        let made = try Certificates.shared
        let address = try Address("tls+tcp://127.0.0.1:0")
        let junk = made.folder.appendingPathComponent("junk-\(UUID().uuidString)").path
        try Data("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".utf8)
            .write(to: URL(fileURLWithPath: junk))
        let cases: [(TLS?, String)] = [
            (nil, "no certificates are given"),
            (.server(certificate: .file("/nowhere/a.pem"), key: made.file("server.key")), "'/nowhere/a.pem'"),
            (.server(certificate: made.file("server.pem"), key: .file(junk)), "not usable"),
            (.server(certificate: .file(junk), key: made.file("server.key")), "'\(junk)'"),
            (TLS(verification: .none), "a server needs a certificate"),
            (TLS(certificate: made.file("server.pem"), verification: .none), "go together"),
        ]
        for (tls, reason) in cases {
            let error = try #require(throws: MessagingError.self) {
                try ReplySocket(listen: address, tls: tls, maximumMessage: 10)
            }
            #expect(error.code == .cryptography)
            #expect(error.description.contains(reason), "\(error)")
            #expect(error.description.contains("tls+tcp://127.0.0.1:0"))
        }
    }

    @Test("a server of another authority, or of another name, is not talked to", arguments: [true, false])
    func strangers(otherAuthority: Bool) throws {
        let made = try Certificates.shared
        let responder = Responder(try Place.tls.server())
        defer { responder.stop() }
        let tls =
            otherAuthority
            ? TLS.client(authority: made.file("other.pem"), serverName: "localhost")
            : TLS.client(authority: made.file("authority.pem"), serverName: "example.org")
        let client = try RequestSocket(dial: responder.socket.boundAddress, tls: tls, maximumMessage: 1000)
        let error = try #require(throws: MessagingError.self) {
            _ = try client.request(Message([1]), timeout: .milliseconds(500))
        }
        #expect(error.code == .timedOut)
        #expect(error.description.contains("never connected"), "\(error)")
    }

    @Test("certificates may be text, and clients may have to show one")
    func mutual() throws {
        let made = try Certificates.shared
        func text(_ name: String) throws -> TLS.PEM {
            .text(try String(contentsOf: made.folder.appendingPathComponent(name), encoding: .utf8))
        }
        let server = try ReplySocket(
            listen: Address("tls+tcp://127.0.0.1:0"),
            tls: .server(
                certificate: text("server.pem"), key: text("server.key"), clientAuthority: text("authority.pem")),
            maximumMessage: 1000)
        let responder = Responder(server)
        defer { responder.stop() }
        let known = try RequestSocket(
            dial: server.boundAddress,
            tls: .client(
                authority: text("authority.pem"), serverName: "localhost", certificate: text("server.pem"),
                key: text("server.key")),
            maximumMessage: 1000)
        #expect(try known.request(Message([1]), timeout: .seconds(10)).bytes == [1])
        let unknown = try RequestSocket(dial: server.boundAddress, tls: made.client, maximumMessage: 1000)
        #expect(throws: MessagingError.self) { _ = try unknown.request(Message([1]), timeout: .milliseconds(300)) }
    }
}
