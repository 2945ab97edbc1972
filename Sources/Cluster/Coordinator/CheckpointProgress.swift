/// Checkpoints on their way to disk: what servers have written of each.
struct CheckpointProgress: Sendable {
    struct Saved: Sendable, Equatable {
        var file: String
        var bytes: Int
        var headerChecksum: UInt32
        var error: String
        var applied: RangeSet<Int>
        /// The batches of each bundle, by its blocks.
        var bundles: [String: RangeSet<Int>]
        /// Parts of those batches that had not come.
        var absent: Set<MissedPart>
    }

    /// Servers that hold something to save.
    var writers: Int
    /// Why the last checkpoint is not there; nil where it is.
    var error: String?
    /// Files by step and server.
    private(set) var written: [Int: [Int: Saved]] = [:]

    init(writers: Int) { self.writers = writers }

    /// Takes note of a server's file. Returns the step when the last server has written.
    ///
    /// - Throws: `NodeError` naming a number that cannot be.
    mutating func note(_ wire: WireCheckpointWritten) throws -> Int? {
        let step = try Limit.label.check(wire.step, "CheckpointWritten.step")
        // No other file is named in a manifest, which tells what is read and removed.
        guard let part = CheckpointDirectory.Part(wire.file), part.step == step, part.server == Int(wire.server) else {
            throw NodeError(.refused, "server \(wire.server) has written '\(wire.file)', which is no name of its own")
        }
        written[step, default: [:]][Int(wire.server)] = Saved(
            file: wire.file, bytes: try Limit.file.check(wire.bytes, "CheckpointWritten.bytes"),
            headerChecksum: wire.headerChecksum, error: wire.error,
            applied: try RangeSet(wire.applied, "CheckpointWritten.applied"),
            bundles: Dictionary(
                try wire.bundles.map { ($0.blocks, try RangeSet($0.applied, "BundleApplied.applied")) },
                uniquingKeysWith: { $0.intersection($1) }),
            absent: Set(try MissedPart.all(wire.absent)))
        return written[step]?.count == writers ? step : nil
    }

    /// The manifest is on disk, or could not be.
    mutating func finish(_ step: Int, error: String?) {
        written[step] = nil
        self.error = error
    }
}
