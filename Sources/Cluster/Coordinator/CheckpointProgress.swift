/// Checkpoints on their way to disk: what servers have written of each.
package struct CheckpointProgress: Sendable {
    /// Servers that hold something to save, once that is known.
    package var writers: Set<Int> = []
    /// Why the last checkpoint is not there; nil where it is.
    var error: String?
    /// What servers have written, by step and server.
    private(set) var written: [Int: [Int: CheckpointPart]] = [:]
    /// The last report of each server.
    private var reports: [Int: UInt64] = [:]

    /// Takes note of a server's report. Returns the step when the last server has written; a repeat changes nothing.
    ///
    /// - Parameters:
    ///   - sequence: counts the server's reports.
    ///   - isDue: whether servers are to write a checkpoint of this step.
    /// - Throws: `NodeError` for a report that no server makes.
    mutating func note(
        _ part: CheckpointPart, of server: Int, sequence: UInt64, isDue: (Int) -> Bool
    ) throws(NodeError) -> Int? {
        guard writers.contains(server) else {
            throw NodeError(.refused, "server \(server) holds nothing to save")
        }
        guard isDue(part.step) else { throw NodeError(.refused, "no checkpoint is due of step \(part.step)") }
        guard sequence > reports[server] ?? 0 else { return nil }
        reports[server] = sequence
        written[part.step, default: [:]][server] = part
        return written[part.step]?.count == writers.count ? part.step : nil
    }

    /// The manifest is on disk, or could not be.
    mutating func finish(_ step: Int, error: String?) {
        written[step] = nil
        self.error = error
    }
}
