internal import CNNG

/// What nng's statistics tell of a dialer's connections, for error messages.
struct DialerFacts: CustomStringConvertible {
    private var counts: [String: UInt64] = [:]

    init(_ dialer: nng_dialer) {
        var root: OpaquePointer?
        guard nng_stats_get(&root) == 0, let root else { return }
        defer { nng_stats_free(root) }
        read(root, dialer)
    }

    /// Finds the dialer in the tree; nng 1.5's own search finds the first dialer of the process.
    private mutating func read(_ scope: OpaquePointer, _ dialer: nng_dialer) {
        var found: [String: UInt64] = [:]
        var entry = nng_stat_child(scope)
        while let stat = entry {
            found[String(cString: nng_stat_name(stat))] = nng_stat_value(stat)
            if counts.isEmpty { read(stat, dialer) }
            entry = nng_stat_next(stat)
        }
        if found["id"] == UInt64(dialer.id), String(cString: nng_stat_name(scope)) == "dialer" { counts = found }
    }

    private func count(_ name: String) -> UInt64 { counts[name] ?? 0 }

    var isConnected: Bool { count("pipes") > 0 }

    var description: String {
        if counts.isEmpty { return "not connected" }
        if isConnected { return "connected" }
        let troubles = [("refused", "refused"), ("auth", "not authenticated"), ("reject", "rejected")]
            .filter { count($0.0) > 0 }
            .map { "\($0.1) \(count($0.0)) times" }
        let history = count("connect") > 0 ? "connection lost" : "never connected"
        return ([history] + troubles).joined(separator: ", ")
    }
}
