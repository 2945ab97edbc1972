internal import Foundation
internal import Glibc
internal import Interchange
package import Messaging

/// Where a coordinator leaves the token that it made, for nodes and commands of the same user to find by its address.
///
/// A file for each address, of mode 0600, in a folder of mode 0700: `$XDG_RUNTIME_DIR/tributary`, or `/tmp/tributary-UID`
/// where there is no such directory of the user's. Nodes look in both, as they may run in another session than the
/// coordinator.
package struct TokenStore: Sendable {
    let runtimeDirectory: String?
    let temporaryDirectory: String
    let user: uid_t

    /// - Parameters:
    ///   - runtimeDirectory: what `XDG_RUNTIME_DIR` says.
    package init(
        runtimeDirectory: String? = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"],
        temporaryDirectory: String = "/tmp"
    ) {
        self.runtimeDirectory = runtimeDirectory
        self.temporaryDirectory = temporaryDirectory
        user = geteuid()
    }

    // MARK: Names

    /// The file of a listener's address. Loopback addresses of one port are one listener's.
    package static func name(of address: Address) -> String {
        "\(Self.host(of: address))-\(address.port ?? 0)"
    }

    private static func host(of address: Address) -> String {
        if address.isLoopback { return "local" }
        if ["*", "0.0.0.0", "::"].contains(address.host) { return "any" }
        return address.host.lowercased()
    }

    /// The files in which the token of what listens at `address` can be.
    package static func names(for address: Address) -> [String] {
        let any = "any-\(address.port ?? 0)"
        let own = name(of: address)
        return own == any ? [any] : [own, any]
    }

    // MARK: Folders

    private var shared: String { "\(temporaryDirectory)/tributary-\(user)" }

    private var ofSession: String? {
        guard let runtimeDirectory, runtimeDirectory.hasPrefix("/") else { return nil }
        // After `su` it is another user's; in containers it may not exist.
        guard let facts = FileFacts(of: runtimeDirectory, followingLinks: true), facts.kind == .folder,
            facts.owner == user
        else { return nil }
        return "\(runtimeDirectory)/tributary"
    }

    /// The folders to look in.
    package var folders: [String] { (ofSession.map { [$0] } ?? []) + [shared] }

    /// Why a folder cannot hold secrets; nil if it can, and "" if it is not there.
    private func fault(ofFolder path: String) -> String? {
        guard let facts = FileFacts(of: path) else {
            return errno == ENOENT ? "" : String(cString: strerror(errno))
        }
        if facts.kind != .folder { return "it is no folder" }
        if facts.owner != user { return "it belongs to another user" }
        if facts.isOpenToOthers {
            return "its mode is \(String(facts.mode, radix: 8)), and other users can get in"
        }
        return nil
    }

    private static func refusal(_ folder: String, _ fault: String) -> NodeError {
        NodeError(
            .cannotCreate,
            "tokens of jobs are not kept in \(folder): \(fault). Remove it, set XDG_RUNTIME_DIR to a folder of your own, "
                + "or give the nodes of the job one --token-file")
    }

    // MARK: Writing and finding

    /// Leaves a token for those who dial `address`.
    /// - Throws: `NodeError` `.cannotCreate` if the folder is not the user's alone or cannot be written.
    package func publish(_ token: String, for address: Address) throws -> PublishedToken {
        let folder = ofSession ?? shared
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Self.refusal(folder, String(cString: strerror(errno)))
        }
        if let fault = fault(ofFolder: folder) {
            throw Self.refusal(folder, fault.isEmpty ? "it was removed meanwhile" : fault)
        }
        return try PublishedToken(token, at: "\(folder)/\(Self.name(of: address))")
    }

    /// The token of what listens at `address`; nil if no coordinator of this user left one. Of several the newest counts:
    /// one that was killed leaves its file behind.
    /// - Throws: `NodeError` if a folder is not the user's alone and no other has the token.
    package func token(for address: Address) throws -> String? {
        guard address.transport.hasPort else { return nil }
        var newest: (token: String, modified: Int)?
        var refusal: NodeError?
        for folder in folders {
            if let fault = fault(ofFolder: folder) {
                // Where tokens would be kept: what others make of the shared folder is nothing to a user with one of his own.
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

/// A file with a job's token, removed when the job is over.
package final class PublishedToken: Sendable {
    package let path: String
    private let token: String

    /// - Throws: `NodeError` `.cannotCreate`.
    package init(_ token: String, at path: String) throws {
        self.path = path
        self.token = token
        do { try AtomicFile.write(secret: Array("\(token)\n".utf8), to: path) } catch {
            throw NodeError(.cannotCreate, "\(error)")
        }
    }

    /// Removes the file, unless another job has written its own there since.
    package func remove() {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if JobToken.text(of: descriptor) == token { unlink(path) }
    }

    deinit { remove() }
}
