internal import Dataflow
internal import Interchange
internal import Synchronization

/// The times of the operations of a cluster's nodes, for chrome://tracing or Perfetto: a process for each node, with a row
/// for each of its devices.
public final class Trace: Sendable {
    private struct Row: Sendable {
        let name: String
        let profile: Profile
    }

    private let rows = Mutex<[Row]>([])
    private let limit: Int

    /// - Parameter limit: how many events of each node are kept; later ones are dropped.
    public init(limit: Int = 100_000) { self.limit = limit }

    /// Adds a node and returns the profile that collects its times.
    func profile(_ name: String) -> Profile {
        let profile = Profile(limit: limit)
        rows.withLock { $0.append(Row(name: name, profile: profile)) }
        return profile
    }

    /// Writes the trace in Google's "Trace Event Format".
    /// - Throws: `FormatError` with the system's reason if the file cannot be written.
    public func write(to path: String) throws {
        let rows = rows.withLock { $0 }
        let start = rows.map(\.profile.origin).min()
        try AtomicFile.write(to: path) { file in
            try file.append(Array("{\"traceEvents\": [\n".utf8))
            var separator = ""
            for (number, row) in rows.enumerated() {
                for event in row.profile.chromeEvents(process: row.name, number: number, since: start) {
                    try file.append(Array("\(separator)\(event)".utf8))
                    separator = ",\n"
                }
            }
            try file.append(Array("\n]}\n".utf8))
        }
    }
}

extension Trace: CustomStringConvertible {
    public var description: String {
        let names = rows.withLock { $0.map(\.name) }
        return names.isEmpty ? "a trace of no nodes" : "a trace of \(names.joined(separator: ", "))"
    }
}
