internal import Messaging

extension Address {
    /// Checks that a node may listen here: beyond this host with a token, and with TLS unless the configuration says
    /// `cluster.insecure: true` in so many words.
    /// - Throws: `NodeError` `.configuration` that says what to do.
    func checkSecurity(_ config: JobConfig, token: String?, what: String) throws {
        guard !isLoopback else { return }
        guard token != nil else {
            throw NodeError(
                .configuration,
                "\(what) that listens on \(self) needs a token: set cluster.token_file, or TRIBUTARY_TOKEN")
        }
        guard transport == .tls || config.cluster.insecure else {
            throw NodeError(
                .configuration,
                "\(what) that listens on \(self) needs TLS: use tls+tcp:// with cluster.tls, or say cluster.insecure: true"
            )
        }
    }
}
