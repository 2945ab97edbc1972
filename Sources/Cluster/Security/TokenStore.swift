internal import Foundation
internal import Glibc
internal import Interchange
package import Messaging

/// Stores the token that a coordinator made, so that nodes and commands of the same user find it by the coordinator's
/// address.
///
/// Each address has a file of mode 0600, in a folder of mode 0700: `$XDG_RUNTIME_DIR/tributary`, or `/tmp/tributary-UID` if
/// the user has no such directory. Nodes look in both, because they may run in another login session than the coordinator.
package struct TokenStore: Sendable {
    let runtimeDirectory: String?
    let temporaryDirectory: String
    let user: uid_t

    /// - Parameters:
    ///   - runtimeDirectory: the value of `XDG_RUNTIME_DIR`.
    package init(
        runtimeDirectory: String? = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"],
        temporaryDirectory: String = "/tmp"
    ) {
        self.runtimeDirectory = runtimeDirectory
        self.temporaryDirectory = temporaryDirectory
        user = geteuid()
    }

    // MARK: Names

    /// The name of the file for an address. All loopback addresses with the same port have one name.
    package static func name(of address: Address) -> String {
        "\(Self.host(of: address))-\(address.port ?? 0)"
    }

    private static func host(of address: Address) -> String {
        if address.isLoopback { return "local" }
        if ["*", "0.0.0.0", "::"].contains(address.host) { return "any" }
        return address.host.lowercased()
    }

    /// The names of the files that may have the token for `address`.
    package static func names(for address: Address) -> [String] {
        let any = "any-\(address.port ?? 0)"
        let own = name(of: address)
        return own == any ? [any] : [own, any]
    }

    // MARK: Folders

    private var shared: String { "\(temporaryDirectory)/tributary-\(user)" }

    private var ofSession: String? {
        guard let runtimeDirectory, runtimeDirectory.hasPrefix("/") else { return nil }
        // After `su` the directory belongs to another user; in containers it may not exist.
        guard let facts = FileFacts(of: runtimeDirectory, followingLinks: true), facts.kind == .folder,
            facts.owner == user
        else { return nil }
        return "\(runtimeDirectory)/tributary"
    }

    /// The folders to look in.
    package var folders: [String] { (ofSession.map { [$0] } ?? []) + [shared] }

    /// Why a folder cannot hold secrets; nil if it can, and "" if it does not exist.
    private func fault(ofFolder path: String) -> String? {
        guard let facts = FileFacts(of: path) else {
            return errno == ENOENT ? "" : String(cString: strerror(errno))
        }
        if facts.kind != .folder { return "it is not a folder" }
        if facts.owner != user { return "it belongs to another user" }
        if facts.isOpenToOthers {
            return "its mode is \(String(facts.mode, radix: 8)), so other users can read or write in it"
        }
        return nil
    }

    private static func refusal(_ folder: String, _ fault: String) -> NodeError {
        NodeError(
            .cannotCreate,
            "cannot store the job's token in \(folder): \(fault). Remove it, set XDG_RUNTIME_DIR to a folder of your own, "
                + "or give all nodes of the job the same --token-file")
    }

    // MARK: Writing and finding

    /// Stores a token for nodes that connect to `address`.
    /// - Throws: `NodeError` `.cannotCreate` if others can use the folder, or it cannot be written.
    package func publish(_ token: String, for address: Address) throws -> PublishedToken {
        let folder = ofSession ?? shared
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Self.refusal(folder, String(cString: strerror(errno)))
        }
        if let fault = fault(ofFolder: folder) {
            throw Self.refusal(folder, fault.isEmpty ? "another program removed it" : fault)
        }
        return try PublishedToken(token, at: "\(folder)/\(Self.name(of: address))")
    }

    /// The token for `address`; nil if no coordinator of this user stored one. If there are several, the newest: a
    /// coordinator that was killed leaves its file behind.
    /// - Throws: `NodeError` if there is no token and others can use the folder for it.
    package func token(for address: Address) throws -> String? {
        guard address.transport.hasPort else { return nil }
        var newest: (token: String, modified: Int)?
        var refusal: NodeError?
        for folder in folders {
            if let fault = fault(ofFolder: folder) {
                // Only the folder in which this user's coordinators store tokens. Others may do what they like in /tmp if it
                // is not.
                if !fault.isEmpty, folder == ofSession ?? shared { refusal = Self.refusal(folder, fault) }
                continue
            }
            for name in Self.names(for: address) {
                guard let found = read("\(folder)/\(name)") else { continue }
                if newest.map({ $0.modified < found.modified }) ?? true { newest = found }
            }
        }
        if newest == nil, let refusal { throw refusal }
        return newest?.token
    }

    private func read(_ path: String) -> (token: String, modified: Int)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let facts = FileFacts(of: descriptor), facts.kind == .file, facts.owner == user,
            let token = JobToken.text(of: descriptor), JobToken.fault(in: token) == nil
        else { return nil }
        return (token, facts.modified)
    }
}

/// A stored token file, removed when the job is over.
package final class PublishedToken: Sendable {
    package let path: String
    private let token: String

    /// - Throws: `NodeError` `.cannotCreate`.
    package init(_ token: String, at path: String) throws {
        self.path = path
        self.token = token
        do { try AtomicFile.write(secret: "\(token)\n", to: path) } catch {
            throw NodeError(.cannotCreate, "\(error)")
        }
    }

    /// Removes the file, unless another job has replaced it.
    package func remove() {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if JobToken.text(of: descriptor) == token { unlink(path) }
    }

    deinit { remove() }
}
