internal import Crypto
internal import Foundation
internal import Glibc
internal import SwiftASN1
internal import X509

/// The certificate authority of one job. It signs P-256 certificates for servers and for clients.
package struct CertificateAuthority {
    /// A certificate and its key, as PEM.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
    }

    /// The authority's own certificate and key.
    package let pair: Pair
    private let key: Certificate.PrivateKey
    private let certificate: Certificate

    /// Certificates are valid from one day ago, because the clocks of machines may differ.
    private static let clockDifference = 24.0 * 3600

    /// - Parameter days: how long the authority's certificate is valid.
    /// - Throws: `NodeError` `.failed` if the certificate cannot be made.
    package init(days: Int) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        // Each job's authority has a name of its own, because peers find a certificate's authority by name.
        let number = String(UInt32.random(in: 1 << 31 ... .max), radix: 16)
        certificate = try Self.signed(
            name: "tributary authority \(number)", for: key.publicKey, by: key, issuer: nil, days: days
        ) {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        }
        self.key = key
        pair = try Self.pair(certificate, key)
    }

    /// A certificate for the coordinator and the servers on these hosts. Servers also show it when they connect to the
    /// coordinator.
    package func serverPair(hosts: [CertificateHost], days: Int) throws -> Pair {
        try issue("tributary server", days: days, [.serverAuth, .clientAuth], names: hosts.flatMap(\.names))
    }

    /// A certificate for workers and commands, which only connect. Peers refuse it from a server.
    package func clientPair(days: Int) throws -> Pair { try issue("tributary client", days: days, [.clientAuth]) }

    private func issue(
        _ name: String, days: Int, _ usages: [ExtendedKeyUsage.Usage], names: [GeneralName] = []
    ) throws -> Pair {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Self.signed(
            name: name, for: key.publicKey, by: self.key, issuer: self.certificate, days: days
        ) {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage(usages)
            if !names.isEmpty { SubjectAlternativeNames(names) }
        }
        return try Self.pair(certificate, key)
    }

    private static func signed(
        name: String, for subject: Certificate.PublicKey, by key: Certificate.PrivateKey, issuer: Certificate?,
        days: Int, @ExtensionsBuilder extensions: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> Certificate {
        do {
            let name = try DistinguishedName { CommonName(name) }
            var all = try Certificate.Extensions(builder: extensions)
            try all.append(SubjectKeyIdentifier(hash: subject).makeCertificateExtension())
            if issuer != nil {
                let identifier = SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier
                try all.append(AuthorityKeyIdentifier(keyIdentifier: identifier).makeCertificateExtension())
            }
            let now = Date()
            return try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: subject,
                notValidBefore: now - clockDifference, notValidAfter: now + Double(days) * 24 * 3600,
                issuer: issuer?.subject ?? name, subject: name, signatureAlgorithm: .ecdsaWithSHA256, extensions: all,
                issuerPrivateKey: key)
        } catch { throw NodeError(.failed, "no certificate could be made: \(error)") }
    }

    private static func pair(_ certificate: Certificate, _ key: Certificate.PrivateKey) throws -> Pair {
        do {
            return Pair(
                certificate: try certificate.serializeAsPEM().pemString + "\n",
                key: try key.serializeAsPEM().pemString + "\n")
        } catch { throw NodeError(.failed, "no certificate could be written as PEM: \(error)") }
    }
}

/// A host in a server's certificate: an IP address or a name.
package struct CertificateHost: Sendable, Hashable {
    package let text: String
    /// The bytes of an IP address, 4 or 16.
    private let address: [UInt8]?

    /// - Returns: nil if the text is neither an IP address nor a host's name.
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let bare = isBracketed ? String(text.dropFirst().dropLast()) : text
        if let bytes = Self.bytes(bare) {
            (self.text, address) = (bare.lowercased(), bytes)
            return
        }
        guard !isBracketed, Self.isName(bare) else { return nil }
        (self.text, address) = (bare.lowercased(), nil)
    }

    /// The names in the certificate. An IP address is also given as a DNS name, for mbedTLS 2.28 compares only these.
    var names: [GeneralName] {
        (address.map { [.ipAddress(ASN1OctetString(contentBytes: $0[...]))] } ?? []) + [.dnsName(text)]
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }

    /// A name as RFC 1123 has it, with underscores; the first label may be `*`.
    private static func isName(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.last.map({ !$0.allSatisfy { (0x30...0x39).contains($0) } }) ?? false else {
            return false
        }
        return labels.enumerated().allSatisfy { index, label in
            if index == 0, label.elementsEqual("*".utf8), labels.count > 2 { return true }
            return (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
    }
}
