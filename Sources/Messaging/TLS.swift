/// Certificates and rules for a `tls+tcp://` address.
///
/// A server shows its certificate; a client checks it against an authority. With ``Verification/required`` on a
/// server, clients must show one too.
///
/// ```swift
/// let server = TLS.server(certificate: .file("ps0.pem"), key: .file("ps0.key"))
/// let client = TLS.client(authority: .file("ca.pem"), serverName: "ps0.example.org")
/// ```
public struct TLS: Hashable, Sendable {
    /// Where PEM text comes from.
    public enum PEM: Hashable, Sendable {
        /// The file at a path, read when the socket is opened.
        case file(String)
        /// The text itself.
        case text(String)
    }

    /// Whether the peer has to prove who it is.
    public enum Verification: Hashable, Sendable {
        /// Anybody is accepted: encrypted, but not authenticated.
        case none
        /// A certificate is checked if one is shown, but never refused.
        case optional
        /// Without a certificate of the authority there is no connection.
        case required
    }

    /// This side's certificate, with the chain to its authority; servers must have one.
    public var certificate: PEM?
    /// The private key of `certificate`, not encrypted.
    public var key: PEM?
    /// The certificates against which the peer's is checked.
    public var authority: PEM?
    /// The name that the server's certificate must bear; nil takes the host of the address.
    ///
    /// A certificate that lists alternative names is compared by name only: for an address such as
    /// `tls+tcp://10.0.0.1:5555` give the name here.
    public var serverName: String?
    /// Whether the peer has to prove who it is.
    public var verification: Verification

    /// A configuration of these parts.
    public init(
        certificate: PEM? = nil, key: PEM? = nil, authority: PEM? = nil, serverName: String? = nil,
        verification: Verification
    ) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
        self.serverName = serverName
        self.verification = verification
    }

    /// For a ``ReplySocket``; with `clientAuthority` its clients must show a certificate of that authority.
    public static func server(certificate: PEM, key: PEM, clientAuthority: PEM? = nil) -> TLS {
        TLS(
            certificate: certificate, key: key, authority: clientAuthority,
            verification: clientAuthority == nil ? .none : .required)
    }

    /// For a ``RequestSocket``; `certificate` and `key` where the server asks for them.
    public static func client(
        authority: PEM, serverName: String? = nil, certificate: PEM? = nil, key: PEM? = nil
    ) -> TLS {
        TLS(
            certificate: certificate, key: key, authority: authority, serverName: serverName, verification: .required)
    }
}

extension TLS: CustomStringConvertible {
    public var description: String {
        let parts = [("certificate", certificate), ("key", key), ("authority", authority)]
            .compactMap { name, pem in pem.map { "\(name) \($0)" } }
        let name = serverName.map { ["server name \($0)"] } ?? []
        return (parts + name + ["verification \(verification)"]).joined(separator: ", ")
    }
}

extension TLS.PEM: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path; never the text, which may be a private key.
    public var description: String {
        switch self {
        case .file(let path): path
        case .text(let text): "text of \(text.utf8.count) bytes"
        }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
