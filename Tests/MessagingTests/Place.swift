import Dispatch
import Foundation
import Messaging
import Testing

/// One way to connect two sockets, for test bodies that run over all of them.
enum Place: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case inproc, ipc, tcp, tls

    var testDescription: String { rawValue }

    /// A fresh address to listen at.
    func address() throws -> Address {
        let name = UUID().uuidString.prefix(13)
        return switch self {
        case .inproc: try Address("inproc://\(name)")
        case .ipc: try Address("ipc:///tmp/tributary-\(name).sock")
        case .tcp: try Address("tcp://127.0.0.1:0")
        case .tls: try Address("tls+tcp://127.0.0.1:0")
        }
    }

    func server(at address: Address? = nil, secret: String = "", maximumMessage: Int = 4 << 20) throws -> ReplySocket {
        let tls: TLS? = self == .tls ? try Certificates.shared.server : nil
        return try ReplySocket(
            listen: address ?? self.address(), tls: tls, secret: secret, maximumMessage: maximumMessage)
    }

    func client(to address: Address, secret: String = "", maximumMessage: Int = 4 << 20) throws -> RequestSocket {
        let tls: TLS? = self == .tls ? try Certificates.shared.client : nil
        return try RequestSocket(dial: address, tls: tls, secret: secret, maximumMessage: maximumMessage)
    }
}

/// An authority and a server's certificate, made once with the `openssl` command.
struct Certificates {
    static var shared: Certificates { get throws { try made.get() } }
    private static let made = Result { try Certificates() }

    let folder: URL
    var server: TLS { .server(certificate: file("server.pem"), key: file("server.key")) }
    var client: TLS { .client(authority: file("authority.pem"), serverName: "localhost") }

    func file(_ name: String) -> TLS.PEM { .file(folder.appendingPathComponent(name).path) }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout authority.key -out authority.pem")
        try openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr")
        try openssl(
            "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -out server.pem")
        try openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem")
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        struct Failed: Error { let arguments: String }
        guard process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
    }
}

/// A thread that answers requests until its socket is closed.
final class Responder: Sendable {
    let socket: ReplySocket
    private let thread: Worker

    init(_ socket: ReplySocket, answer: @escaping @Sendable (consuming Request) throws -> Void = Responder.echo) {
        self.socket = socket
        thread = Worker {
            while let request = try? socket.receive() { try? answer(request) }
        }
    }

    @Sendable static func echo(_ request: consuming Request) throws {
        let message = request.takeMessage()
        try request.reply(message)
    }

    func stop() {
        socket.close()
        thread.join()
    }
}

/// A thread that can be waited for: blocking calls stay off the pool that runs the tests.
final class Worker: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [done] in
            body()
            done.signal()
        }
        thread.start()
    }

    func join() { done.wait() }

    @discardableResult
    func join(within seconds: Double) -> Bool { done.wait(timeout: .now() + seconds) == .success }
}

extension ReplySocket {
    /// The next request, which has to come.
    func next() throws -> Request {
        struct Nothing: Error {}
        guard let request = try receive(timeout: .seconds(30)) else { throw Nothing() }
        return request
    }
}

/// The error that a request ends with; nil if it was answered.
func failure(of pending: consuming PendingReply) -> MessagingError? {
    do {
        _ = try pending.wait()
        return nil
    } catch {
        return error
    }
}
