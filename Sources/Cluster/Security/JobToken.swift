internal import Foundation
internal import Glibc
internal import Interchange

/// The secret that all nodes of a job share: making, checking and reading it.
public enum JobToken {
    /// The fewest bytes of a token.
    public static let shortest = 16
    /// The most bytes of a token file.
    static let longest = 4096

    private static let advice = "make one with: openssl rand -hex 32"

    /// 256 random bits in hexadecimal.
    package static func random() -> String {
        (0..<4).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// What is wrong with a token, to follow "the token "; nil if nothing is.
    package static func fault(in token: String) -> String? {
        let count = token.utf8.count
        if count < shortest {
            return "has \(count == 1 ? "1 byte" : "\(count) bytes"), at least \(shortest) are needed; \(advice)"
        }
        return nil
    }

    /// Checks a token from the configuration or the environment.
    ///
    /// - Parameter origin: the source, such as "cluster.token", for the error.
    /// - Returns: the token without spaces and line ends around it.
    /// - Throws: `NodeError` `.configuration` if it is too short.
    public static func checked(_ token: String, from origin: String) throws -> String {
        let token = token.trimmingCharacters(in: .whitespacesAndNewlines)
        if let fault = fault(in: token) { throw NodeError(.configuration, "the token in \(origin) \(fault)") }
        return token
    }

    /// Reads a token file.
    ///
    /// - Parameter onWarning: receives a line if other users can read the file.
    /// - Throws: `NodeError` `.configuration` if it cannot be read or holds no token.
    public static func read(file path: String, onWarning: (String) -> Void = { _ in }) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw NodeError(
                .configuration, "the token file \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard let text = text(of: descriptor) else {
            throw NodeError(
                .configuration,
                "the token file \(path) is not one line of text of at most \(longest) bytes; \(advice) >\(path)")
        }
        let token = try checked(text, from: "the file \(path)")
        if let warning = warning(FileFacts(of: descriptor), path) { onWarning(warning) }
        return token
    }

    /// A warning if other users can read the file at `path`; else nil.
    public static func warning(of path: String) -> String? {
        warning(FileFacts(of: path, followingLinks: true), path)
    }

    private static func warning(_ facts: FileFacts?, _ path: String) -> String? {
        guard let facts, facts.kind == .file, facts.isOpenToOthers else { return nil }
        let mode = String(facts.mode, radix: 8)
        return
            "warning: other users can read or change the secret in \(path), because its mode is \(mode); run: chmod 600 \(path)"
    }

    /// The content of a file; nil if it is not UTF-8, has control characters, or is too long.
    static func text(of descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: longest + 1)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= longest else { return nil }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let inner = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return inner.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } ? inner : nil
    }
}
