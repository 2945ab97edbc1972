/// Checkpoints on their way to disk: what servers have written of each.
package struct CheckpointProgress: Sendable {
    struct Saved: Sendable, Equatable {
        var bytes: Int
        var headerChecksum: UInt32
        var error: String
        var applied: RangeSet<Int>
        /// The batches of each bundle, by its blocks.
        var bundles: [String: RangeSet<Int>]
        /// Parts of those batches that had not come.
        var absent: Set<MissedPart>
    }

    /// Servers that hold something to save, once that is known.
    package var writers: Set<Int> = []
    /// Why the last checkpoint is not there; nil where it is.
    var error: String?
    /// What servers have written, by step and server.
    private(set) var written: [Int: [Int: Saved]] = [:]
    /// The last report of each server.
    private var reports: [Int: UInt64] = [:]

    /// Takes note of a server's report. Returns the step when the last server has written; a repeat changes nothing.
    ///
    /// - Parameter isDue: whether servers are to write a checkpoint of this step.
    /// - Throws: `NodeError` for a report that no server makes, or naming a number that cannot be.
    mutating func note(_ wire: WireCheckpointWritten, isDue: (Int) -> Bool) throws -> Int? {
        let server = try Limit.node.check(wire.server, "CheckpointWritten.server")
        let step = try Limit.label.check(wire.step, "CheckpointWritten.step")
        guard writers.contains(server) else {
            throw NodeError(.refused, "server \(server) holds nothing of which there are checkpoints")
        }
        guard isDue(step) else { throw NodeError(.refused, "no checkpoint is due of step \(step)") }
        let saved = Saved(
            bytes: try Limit.file.check(wire.bytes, "CheckpointWritten.bytes"),
            headerChecksum: wire.headerChecksum, error: wire.error,
            applied: try RangeSet(wire.applied, "CheckpointWritten.applied"),
            bundles: Dictionary(
                try wire.bundles.map { ($0.blocks, try RangeSet($0.applied, "BundleApplied.applied")) },
                uniquingKeysWith: { $0.intersection($1) }),
            absent: Set(try MissedPart.all(wire.absent)))
        guard wire.sequence > reports[server] ?? 0 else { return nil }
        reports[server] = wire.sequence
        written[step, default: [:]][server] = saved
        return written[step]?.count == writers.count ? step : nil
    }

    /// The manifest is on disk, or could not be.
    mutating func finish(_ step: Int, error: String?) {
        written[step] = nil
        self.error = error
    }
}
