extension CheckpointPart {
    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WireCheckpointWritten) throws(NodeError) {
        self.init(
            step: try Limit.label.check(wire.step, "CheckpointWritten.step"),
            shards: try wire.shards.map { (shard) throws(NodeError) in
                ShardSnapshot(
                    blocks: shard.blocks, applied: try RangeSet(shard.applied, "ShardSnapshot.applied"),
                    absent: try AbsentPart.all(shard.absent))
            })
        bytes = try Limit.file.check(wire.bytes, "CheckpointWritten.bytes")
        headerChecksum = wire.headerChecksum
        error = wire.error
        notFinite = wire.notFinite.isEmpty ? nil : wire.notFinite
    }

    /// The report of a server.
    ///
    /// - Parameter sequence: counts the server's reports from 1; a repeat has the number of the first.
    package func wire(server: Int, incarnation: UInt64, sequence: UInt64) -> WireCheckpointWritten {
        var wire = WireCheckpointWritten()
        wire.server = Int32(clamping: server)
        wire.incarnation = incarnation
        wire.sequence = sequence
        wire.step = Int64(step)
        wire.bytes = Int64(bytes)
        wire.headerChecksum = headerChecksum
        wire.error = error
        wire.notFinite = notFinite ?? ""
        wire.shards = shards.map { shard in
            var snapshot = WireShardSnapshot()
            snapshot.blocks = shard.blocks
            snapshot.applied = shard.applied.wire
            snapshot.absent = shard.absent.map(\.wire)
            return snapshot
        }
        return wire
    }
}
