internal import Glibc
internal import Interchange
package import Messaging

/// Decides where a process may listen and which addresses it may connect to.
///
/// Only the options of this process count. Data from a peer, such as `cluster.insecure` in the configuration from a
/// coordinator, never allows anything.
package struct ConnectionRules: Sendable, Equatable {
    /// The process that asks; errors name its options.
    package enum Process: Sendable { case coordinator, node }

    package var process: Process
    /// Whether any certificate, key, authority or name for TLS is given.
    package var hasTLS: Bool
    /// Whether an authority is given that must have signed the certificates of peers.
    package var hasAuthority: Bool
    /// Whether this process has a certificate to show.
    package var hasCertificate: Bool
    /// Whether plain connections to other machines are allowed: `cluster.insecure` of a coordinator, `--insecure` of others.
    package var isInsecure: Bool

    package init(
        _ process: Process, hasTLS: Bool = false, hasAuthority: Bool = false, hasCertificate: Bool = false,
        isInsecure: Bool = false
    ) {
        self.process = process
        self.hasTLS = hasTLS
        self.hasAuthority = hasAuthority
        self.hasCertificate = hasCertificate
        self.isInsecure = isInsecure
    }

    /// For a node or a command with these certificates.
    package init(client: TLS?, server: TLS? = nil, isInsecure: Bool) {
        self.init(
            .node, hasTLS: client != nil || server != nil, hasAuthority: client?.authority != nil,
            hasCertificate: server?.certificate != nil, isInsecure: isInsecure)
    }

    // MARK: Decisions

    /// Why the process may not connect to the address; nil if it may.
    ///
    /// - Parameters:
    ///   - owner: the owner of the socket at an ipc address; nil if there is no socket yet.
    ///   - user: the user that connects; nil: the user of this process.
    package func faultOfDialing(
        _ address: Address, owner: UInt32? = nil, user: UInt32? = nil
    ) -> String? {
        switch address.transport {
        case .inproc: return nil
        case .ipc:
            // In a folder such as /tmp another user can make the socket first.
            guard let owner, owner != user ?? geteuid(), owner != 0 else { return nil }
            return "the socket belongs to another user (uid \(owner)); choose a path in a folder of your own"
        case .tls:
            return hasAuthority
                ? nil
                : "nothing says which authority signs its certificate; give --tls-ca FILE"
        case .tcp:
            if hasTLS {
                return "TLS options are given, but tcp:// is not encrypted and checks no certificates; "
                    + "use a tls+tcp:// address, or leave the TLS options out"
            }
            guard !address.isLoopback, !isInsecure else { return nil }
            return "tcp:// is not encrypted; to other machines use tls+tcp:// with --tls-ca FILE, "
                + "or give --insecure if everyone on the network may read and change the data"
        }
    }

    /// Why the process may not listen at the address; nil if it may.
    ///
    /// - Parameter mayFindToken: whether the process can still find the token that the coordinator stored.
    package func faultOfListening(_ address: Address, token: String?, mayFindToken: Bool = false) -> String? {
        guard address.transport.hasPort else { return nil }
        if let fault = faultOfCarrier(address) { return fault }
        if token == nil, mayFindToken { return nil }
        guard let token, !token.isEmpty else {
            return
                "every user of this machine could connect, because there is no token; give all nodes of the job the "
                + "same --token-file FILE (or TRIBUTARY_TOKEN), or listen on ipc:///PATH"
        }
        return JobToken.fault(in: token).map { "the token \($0)" }
    }

    private func faultOfCarrier(_ address: Address) -> String? {
        let keys = process == .coordinator ? "cluster.tls" : "the TLS options"
        switch address.transport {
        case .inproc, .ipc: return nil
        case .tls:
            guard !hasCertificate else { return nil }
            return process == .coordinator
                ? "tls+tcp needs cluster.tls.certificate and cluster.tls.key"
                : "tls+tcp needs --tls-certificate FILE and --tls-key FILE"
        case .tcp:
            if hasTLS { return "tcp:// does not use \(keys); listen on tls+tcp://, or leave \(keys) out" }
            guard !address.isLoopback, !isInsecure else { return nil }
            let word = process == .coordinator ? "cluster.insecure: true" : "--insecure"
            return "other machines need TLS: listen on tls+tcp:// with \(keys), or set \(word)"
        }
    }

    // MARK: Errors

    /// - Throws: `NodeError` `.refused` that says what to do.
    package func checkDialing(_ address: Address) throws {
        let owner = address.transport == .ipc ? FileFacts(of: address.host, followingLinks: true)?.owner : nil
        guard let fault = faultOfDialing(address, owner: owner) else { return }
        throw NodeError(.refused, "cannot connect to \(address): \(fault)")
    }

    /// - Throws: `NodeError` `.configuration` that says what to do.
    package func checkListening(_ address: Address, token: String?, mayFindToken: Bool = false) throws {
        guard let fault = faultOfListening(address, token: token, mayFindToken: mayFindToken) else { return }
        throw NodeError(.configuration, "cannot listen on \(address): \(fault)")
    }
}
