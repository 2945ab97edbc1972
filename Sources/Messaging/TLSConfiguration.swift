internal import CNNG
internal import Glibc

/// nng's form of a ``TLS``, freed with its owner. Endpoints hold a reference of their own.
struct TLSConfiguration: ~Copyable {
    enum Role { case server, client }

    let pointer: OpaquePointer

    /// - Throws: `cryptography`, with the path of a file that is missing or not what it should be.
    static func make(_ tls: TLS, role: Role, address: Address) throws(MessagingError) -> TLSConfiguration {
        func failure(_ detail: String) -> MessagingError {
            MessagingError(.cryptography, .configure, address.description, detail)
        }
        func check(_ result: Int32, _ what: String, _ source: TLS.PEM?) throws(MessagingError) {
            guard result != 0 else { return }
            let origin = if case .file(let path) = source { " in '\(path)'" } else { "" }
            let reason = result == Int32(bitPattern: NNG_ENOMEM.rawValue) ? "out of memory" : "not usable as PEM"
            throw failure("the \(what)\(origin) is \(reason) (\(String(cString: nng_strerror(result))))")
        }

        if role == .server, tls.certificate == nil {
            throw failure("a server needs a certificate and its key; pass TLS.server(certificate:key:)")
        }
        guard (tls.certificate == nil) == (tls.key == nil) else {
            throw failure("a certificate and its key go together; only one of them is given")
        }
        if tls.verification == .required, tls.authority == nil {
            throw failure("nothing to verify the peer against; give the authority, or verification none")
        }
        let certificate = try text(of: tls.certificate, "certificate", failure)
        let key = try text(of: tls.key, "key", failure)
        let authority = try text(of: tls.authority, "authority", failure)

        var made: OpaquePointer?
        try check(
            nng_tls_config_alloc(&made, role == .server ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT),
            "configuration", nil)
        let configuration = TLSConfiguration(pointer: made!)
        let pointer = configuration.pointer

        let mode =
            switch tls.verification {
            case .none: NNG_TLS_AUTH_MODE_NONE
            case .optional: NNG_TLS_AUTH_MODE_OPTIONAL
            case .required: NNG_TLS_AUTH_MODE_REQUIRED
            }
        try check(nng_tls_config_auth_mode(pointer, mode), "verification mode", nil)
        if role == .client {
            try check(nng_tls_config_server_name(pointer, tls.serverName ?? address.host), "server name", nil)
        }
        if let authority {
            try check(nng_tls_config_ca_chain(pointer, authority, nil), "authority", tls.authority)
        }
        if let certificate, let key {
            try check(nng_tls_config_own_cert(pointer, certificate, key, nil), "certificate or key", tls.certificate)
        }
        return configuration
    }

    deinit { nng_tls_config_free(pointer) }

    private static func text(
        of source: TLS.PEM?, _ what: String, _ failure: (String) -> MessagingError
    ) throws(MessagingError) -> String? {
        switch source {
        case nil: return nil
        case .text(let text): return text
        case .file(let path):
            guard let file = fopen(path, "re") else {
                throw failure("the \(what) '\(path)' cannot be read (\(String(cString: strerror(errno))))")
            }
            defer { fclose(file) }
            // Bundles of authorities have some hundred kilobytes; more is not PEM.
            var bytes = [UInt8](repeating: 0, count: 4 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            guard ferror(file) == 0 else {
                throw failure("the \(what) '\(path)' cannot be read (\(String(cString: strerror(errno))))")
            }
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            guard text.contains("-----BEGIN ") else { throw failure("the \(what) '\(path)' is not a PEM file") }
            return text
        }
    }
}
