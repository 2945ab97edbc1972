internal import CNNG

/// What listeners and dialers have in common.
enum Endpoint {
    /// A configuration for nng, or none where the transport needs none.
    struct Configuration: ~Copyable {
        let owned: TLSConfiguration?
        var pointer: OpaquePointer? {
            switch owned {
            case .some(let owned): owned.pointer
            case .none: nil
            }
        }
    }

    static func configuration(
        _ tls: TLS?, role: TLSConfiguration.Role, address: Address
    ) throws(MessagingError) -> Configuration {
        guard address.transport == .tls else { return Configuration(owned: nil) }
        guard let tls else {
            throw MessagingError(
                .cryptography, .configure, address.description, "no certificates are given; pass a TLS configuration")
        }
        return Configuration(owned: try TLSConfiguration.make(tls, role: role, address: address))
    }
}
