import Cluster
import Foundation
import Messaging
import Testing

/// Tokens that are given, made, left for others and found.
@Suite("Tokens", .serialized)
struct TokenTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func write(_ bytes: [UInt8], _ name: String = "token", mode: mode_t = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(bytes).write(to: URL(filePath: path))
        chmod(path, mode)
        return path
    }

    private func mode(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    // MARK: Given

    @Test("a token file holds one line of text of at least 16 bytes")
    func files() throws {
        let good = "0123456789abcdef"
        #expect(try JobToken.read(file: write(Array("\(good)\r\n".utf8))) == good)
        #expect(try JobToken.read(file: write(Array("  \(good)".utf8))) == good)
        #expect(try JobToken.read(file: write(Array("ein langer Schlüssel".utf8))) == "ein langer Schlüssel")
        let bad: [([UInt8], String)] = [
            ([], "has 0 bytes"), (Array("\n \n".utf8), "has 0 bytes"),
            (Array("0123456789abcde\n".utf8), "has 15 bytes"),
            (Array("\(good)\n\(good)".utf8), "is not one line of text"),
            (Array("0123456789\0abcdef".utf8), "is not one line of text"),
            ([0xff, 0xfe] + Array(good.utf8), "is not one line of text"),
            ([UInt8](repeating: 0x61, count: 4097), "is not one line of text"),
        ]
        for (bytes, words) in bad {
            let error = #expect(throws: NodeError.self) { try JobToken.read(file: write(bytes)) }
            #expect(error?.kind == .configuration && error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("openssl rand -hex 32") == true)
        }
        for path in ["\(folder)/none", folder, "/dev/zero"] {
            let error = #expect(throws: NodeError.self) { try JobToken.read(file: path) }
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test("a token file that others can use is told of in one line")
    func warning() throws {
        for (mode, isTold) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o602, true)] {
            let path = try write(Array("0123456789abcdef".utf8), mode: mode_t(mode))
            var lines: [String] = []
            _ = try JobToken.read(file: path) { lines.append($0) }
            #expect(lines.count == (isTold ? 1 : 0), "\(lines)")
            if isTold { #expect(lines[0].contains("chmod 600 \(path)") && !lines[0].contains("0123456789abcdef")) }
        }
    }

    @Test("tokens that are made have 256 bits and are never the same")
    func random() {
        let made = Set((0..<100).map { _ in JobToken.random() })
        #expect(made.count == 100 && made.allSatisfy { $0.count == 64 && $0.allSatisfy(\.isHexDigit) })
    }

    // MARK: Left and found

    private func store(session: String? = nil) -> TokenStore {
        TokenStore(runtimeDirectory: session, temporaryDirectory: folder)
    }
    private var shared: String { "\(folder)/tributary-\(geteuid())" }

    @Test(
        "a token is found by the address",
        arguments: [
            ("tcp://127.0.0.1:7000", "tcp://127.0.0.1:7000", true),
            ("tcp://127.0.0.1:7000", "tcp://localhost:7000", true),
            ("tcp://localhost:7000", "tcp://[::1]:7000", true),
            ("tls+tcp://127.0.0.1:7000", "tcp://127.0.0.1:7000", true),
            ("tcp://*:7000", "tcp://10.0.0.5:7000", true), ("tcp://0.0.0.0:7000", "tcp://127.0.0.1:7000", true),
            ("tls+tcp://Host.example.org:7000", "tls+tcp://host.example.org:7000", true),
            ("tcp://127.0.0.1:7000", "tcp://127.0.0.1:7001", false),
            ("tcp://127.0.0.1:7000", "tcp://10.0.0.5:7000", false),
            ("tcp://10.0.0.5:7000", "tcp://127.0.0.1:7000", false), ("tcp://127.0.0.1:7000", "ipc:///tmp/a", false),
        ] as [(String, String, Bool)])
    func names(listens: String, dials: String, isFound: Bool) throws {
        let token = JobToken.random()
        let published = try store().publish(token, for: Address(listens))
        defer { published.remove() }
        #expect(try store().token(for: Address(dials)) == (isFound ? token : nil))
    }

    @Test("only the user can get at it, and it is gone with the job, unless another job's is there by then")
    func life() throws {
        let address = try Address("tcp://127.0.0.1:7000")
        let before = umask(0)
        defer { umask(before) }
        let first = try store().publish(JobToken.random(), for: address)
        #expect(mode(of: shared) == 0o700 && mode(of: first.path) == 0o600)
        let token = JobToken.random()
        let second = try store().publish(token, for: address)
        first.remove()
        #expect(try store().token(for: address) == token && mode(of: second.path) == 0o600)
        second.remove()
        #expect(try store().token(for: address) == nil && mode(of: second.path) == nil)
    }

    @Test("a session's own directory comes first; nodes of another session find it too, and the newest counts")
    func sessions() throws {
        let address = try Address("tcp://127.0.0.1:7000")
        let session = "\(folder)/run"
        try FileManager.default.createDirectory(atPath: session, withIntermediateDirectories: false)
        let stale = try store().publish(JobToken.random(), for: address)
        Thread.sleep(forTimeInterval: 0.02)
        let token = JobToken.random()
        let fresh = try store(session: session).publish(token, for: address)
        #expect(fresh.path.hasPrefix("\(session)/tributary/"))
        #expect(try store(session: session).token(for: address) == token)
        #expect(try store(session: "relative").token(for: address) != token)
        Thread.sleep(forTimeInterval: 0.02)
        let newest = JobToken.random()
        let kept = try store().publish(newest, for: address)
        #expect(try store(session: session).token(for: address) == newest)
        #expect(store(session: "\(folder)/none").folders == [shared])
        _ = (stale, fresh, kept)
    }

    @Test("a folder or a file that another could have made is not used", arguments: ["mode", "link", "file"])
    func squatters(how: String) throws {
        let address = try Address("tcp://127.0.0.1:7000")
        let elsewhere = "\(folder)/elsewhere"
        mkdir(elsewhere, 0o700)
        try Data("planted-planted-planted".utf8).write(to: URL(filePath: "\(elsewhere)/local-7000"))
        switch how {
        case "mode":
            mkdir(shared, 0o700)
            chmod(shared, 0o755)
            try Data("planted-planted-planted".utf8).write(to: URL(filePath: "\(shared)/local-7000"))
        case "link": symlink(elsewhere, shared)
        default: try Data().write(to: URL(filePath: shared))
        }
        let written = #expect(throws: NodeError.self) { try store().publish(JobToken.random(), for: address) }
        #expect(written?.kind == .cannotCreate && written?.message.contains("--token-file") == true)
        let read = #expect(throws: NodeError.self) { try store().token(for: address) }
        #expect(read?.message.contains(shared) == true)
        #expect(try String(contentsOfFile: "\(elsewhere)/local-7000", encoding: .utf8) == "planted-planted-planted")
    }

    @Test("a link at the file's name is neither followed nor written through")
    func links() throws {
        let address = try Address("tcp://127.0.0.1:7000")
        mkdir(shared, 0o700)
        let victim = try write(Array("victim-victim-victim".utf8), "victim")
        symlink(victim, "\(shared)/local-7000")
        #expect(try store().token(for: address) == nil)
        let published = try store().publish(JobToken.random(), for: address)
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "victim-victim-victim")
        #expect(mode(of: published.path) == 0o600)
    }
}
