internal import Glibc
internal import Interchange
package import Messaging

/// Where a process may listen and whom it may dial. Only decides; those who listen and dial ask it first.
///
/// What counts is what this process was told itself. A peer's word, such as `cluster.insecure` in the configuration
/// that a coordinator sends, allows nothing.
package struct ConnectionRules: Sendable, Equatable {
    /// The process that asks, for the words of an error.
    package enum Process: Sendable { case coordinator, node }

    package var process: Process
    /// Whether any certificate, key, authority or name for TLS is given.
    package var hasTLS: Bool
    /// Whether there is an authority to check the certificates of peers against.
    package var hasAuthority: Bool
    /// Whether there is a certificate to show.
    package var hasCertificate: Bool
    /// Whether plain connections may leave this machine: `cluster.insecure` of a coordinator, `--insecure` of others.
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

    /// Why the process may not dial the address; nil if it may.
    ///
    /// - Parameters:
    ///   - owner: whose the socket at an ipc address is; nil if there is none yet.
    ///   - user: who dials; nil: the user of this process.
    package func faultOfDialing(
        _ address: Address, owner: UInt32? = nil, user: UInt32? = nil
    ) -> String? {
        switch address.transport {
        case .inproc: return nil
        case .ipc:
            // In a folder such as /tmp anybody can be first to make it.
            guard let owner, owner != user ?? geteuid(), owner != 0 else { return nil }
            return "the socket belongs to another user, whose number is \(owner); choose a path in a folder of your own"
        case .tls:
            return hasAuthority
                ? nil
                : "there is no authority to check its certificate against; give --tls-ca FILE"
        case .tcp:
            if hasTLS {
                return "TLS options are given, and tcp:// is not encrypted and proves nobody's identity; "
                    + "use a tls+tcp:// address, or leave the TLS options out"
            }
            guard !address.isLoopback, !isInsecure else { return nil }
            return "tcp:// is not encrypted; beyond this machine use tls+tcp:// with --tls-ca FILE, "
                + "or say --insecure if everyone on the network may read and change what travels"
        }
    }

    /// Why the process may not listen at the address; nil if it may.
    ///
    /// - Parameter mayFindToken: whether a token can still be found, where the coordinator left it.
    package func faultOfListening(_ address: Address, token: String?, mayFindToken: Bool = false) -> String? {
        guard address.transport.hasPort else { return nil }
        if let fault = faultOfCarrier(address) { return fault }
        if token == nil, mayFindToken { return nil }
        guard let token, !token.isEmpty else {
            return
                "every user of the machine can connect to it, and there is no token; give the same --token-file FILE "
                + "to all nodes of the job (or TRIBUTARY_TOKEN), or listen on ipc:///PATH"
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
            if hasTLS { return "\(keys) would not be used; listen on tls+tcp://, or leave \(keys) out" }
            guard !address.isLoopback, !isInsecure else { return nil }
            let word = process == .coordinator ? "cluster.insecure: true" : "--insecure"
            return "beyond this machine use TLS: tls+tcp:// with \(keys), or say \(word)"
        }
    }

    // MARK: Errors

    /// - Throws: `NodeError` `.refused` that says what to do.
    package func checkDialing(_ address: Address) throws {
        let owner = address.transport == .ipc ? FileFacts(of: address.host, followingLinks: true)?.owner : nil
        guard let fault = faultOfDialing(address, owner: owner) else { return }
        throw NodeError(.refused, "\(address) is not dialled: \(fault)")
    }

    /// - Throws: `NodeError` `.configuration` that says what to do.
    package func checkListening(_ address: Address, token: String?, mayFindToken: Bool = false) throws {
        guard let fault = faultOfListening(address, token: token, mayFindToken: mayFindToken) else { return }
        throw NodeError(.configuration, "cannot listen on \(address): \(fault)")
    }
}
