internal import Foundation
internal import Synchronization

/// A certificate for the connections within this machine, good for one job.
enum SelfSignedCertificate {
    /// Makes certificate and key in a folder with the program `openssl`.
    ///
    /// - Returns: The configuration for servers and clients; the name in the certificate is "localhost".
    /// - Throws: `NodeError` of kind `configuration`, naming the keys `cluster.tls.…` to set instead.
    static func make(in folder: String) throws -> JobConfig.Cluster.TLS {
        let advice = "set cluster.tls.certificate, cluster.tls.key and cluster.tls.ca to PEM files instead"
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let candidates = folders.map { "\($0)/openssl" }
        guard let program = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw NodeError(
                .configuration, "tls+tcp needs a certificate, and there is no program openssl to make one; \(advice)")
        }
        var tls = JobConfig.Cluster.TLS()
        let certificate = "\(folder)/certificate.pem"
        let key = "\(folder)/key.pem"
        tls.certificate = certificate
        tls.key = key
        tls.ca = certificate
        tls.serverName = "localhost"

        let ended = Mutex<ChildExit?>(nil)
        let children = ChildProcesses(onExit: { exit in ended.withLock { $0 = exit } })
        try children.start(
            .init(
                name: "openssl", path: program,
                arguments: [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate,
                ]))
        guard children.waitForAll(atMost: .seconds(10)) else {
            children.terminate(grace: .milliseconds(100))
            throw NodeError(.configuration, "openssl made no certificate within 10 s; \(advice)")
        }
        if let exit = ended.withLock({ $0 }), !exit.ending.isSuccess {
            throw NodeError(.configuration, "no certificate could be made: \(exit); \(advice)")
        }
        return tls
    }
}
