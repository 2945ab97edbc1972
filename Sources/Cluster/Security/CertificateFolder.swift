internal import Foundation
internal import Glibc
internal import Interchange

/// The files that `tributary certificates` makes in a folder.
public struct CertificateFolder {
    /// One of the files.
    public enum File: String, CaseIterable, Sendable {
        case authority = "authority.pem"
        case authorityKey = "authority.key"
        case server = "server.pem"
        case serverKey = "server.key"
        case client = "client.pem"
        case clientKey = "client.key"
        case token = "token"

        /// Whether only its owner may read it.
        var isSecret: Bool { [.authorityKey, .serverKey, .clientKey, .token].contains(self) }
    }

    /// The most days for which certificates can be valid.
    public static let longest = 36_500

    public let path: String

    public init(_ path: String) { self.path = path }

    public func path(of file: File) -> String { "\(path)/\(file.rawValue)" }

    /// Makes an authority, a certificate for the coordinator and servers, one for workers and commands, and a token.
    ///
    /// - Parameters:
    ///   - hosts: names and IP addresses of the machines of coordinator and servers; empty: localhost.
    ///   - days: how long the certificates are valid, 1…36500.
    ///   - replaces: whether to replace the files of an earlier call.
    /// - Throws: `NodeError`: `.configuration` for a wrong host, `.cannotCreate` if a file exists or cannot be written.
    public func make(hosts: [String], days: Int, replaces: Bool = false) throws {
        let hosts = hosts.isEmpty ? ["localhost", "127.0.0.1", "::1"] : hosts
        var parsed: [CertificateHost] = []
        for host in hosts {
            guard let host = CertificateHost(host) else {
                throw NodeError(
                    .configuration,
                    "'\(host)' is neither a host's name nor an IP address; give it without tls+tcp:// and port, such as --host ps0.example.org or --host 10.0.0.5"
                )
            }
            if !parsed.contains(host) { parsed.append(host) }
        }
        guard (1...Self.longest).contains(days) else {
            throw NodeError(.configuration, "certificates can be valid for 1 to \(Self.longest) days, got \(days)")
        }
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw NodeError(.cannotCreate, "the folder \(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        let present = File.allCases.filter { FileFacts(of: path(of: $0)) != nil }
        guard replaces || present.isEmpty else {
            throw NodeError(
                .cannotCreate,
                "\(path) has \(present.map(\.rawValue).joined(separator: ", ")) already; choose another folder, or use --force to replace all certificates, keys and the token in it"
            )
        }
        let authority = try CertificateAuthority(days: days)
        let server = try authority.serverPair(hosts: parsed, days: days)
        let client = try authority.clientPair(days: days)
        let contents: [(File, String)] = [
            (.authorityKey, authority.pair.key), (.authority, authority.pair.certificate),
            (.serverKey, server.key), (.server, server.certificate), (.clientKey, client.key),
            (.client, client.certificate), (.token, JobToken.random() + "\n"),
        ]
        do {
            for (file, text) in contents {
                if file.isSecret {
                    try AtomicFile.write(secret: text, to: path(of: file))
                } else {
                    try AtomicFile.write(text, to: path(of: file))
                }
            }
        } catch { throw NodeError(.cannotCreate, "\(error)") }
    }

    /// Makes the certificates of a job on this machine, in the job's temporary folder.
    ///
    /// - Returns: the TLS configuration of all nodes; the certificate is for "localhost".
    static func makeForThisMachine(in folder: String) throws -> JobConfig.Cluster.TLS {
        let authority = try CertificateAuthority(days: 366)
        let hosts = ["localhost", "127.0.0.1", "::1"].compactMap { CertificateHost($0) }
        let server = try authority.serverPair(hosts: hosts, days: 366)
        var tls = JobConfig.Cluster.TLS()
        (tls.ca, tls.certificate, tls.key) = ("\(folder)/authority.pem", "\(folder)/server.pem", "\(folder)/server.key")
        tls.serverName = "localhost"
        do {
            try AtomicFile.write(authority.pair.certificate, to: "\(folder)/authority.pem")
            try AtomicFile.write(server.certificate, to: "\(folder)/server.pem")
            try AtomicFile.write(secret: server.key, to: "\(folder)/server.key")
        } catch { throw NodeError(.cannotCreate, "\(error)") }
        return tls
    }
}

extension CertificateFolder: CustomStringConvertible {
    public var description: String { "certificates in \(path)" }
}
