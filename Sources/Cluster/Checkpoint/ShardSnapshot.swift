internal import Dataflow

/// What a checkpoint's values of one shard hold. It goes from the shard by the server's report into the manifest.
package struct ShardSnapshot: Equatable, Sendable {
    /// The shard's blocks, by which it is known in another run.
    package var blocks: String
    /// Batches whose gradients are in the values.
    package var applied: RangeSet<Int>
    /// Of the lead shard: parts of those batches that are in no shard.
    package var absent: [AbsentPart]

    package init(blocks: String, applied: RangeSet<Int>, absent: [AbsentPart] = []) {
        self.blocks = blocks
        self.applied = applied
        self.absent = absent
    }
}

/// A copy of one shard's values for the checkpoint of a step.
struct ShardValues: Sendable {
    let shard: Int
    let step: Int
    let snapshot: ShardSnapshot
    let values: [(name: String, value: Tensor)]
    /// Names of values that need not be finite, for they were not to begin with.
    let infinite: Set<String>
}

/// What one server has written of a checkpoint, or why it has not.
package struct CheckpointPart: Equatable, Sendable {
    package var step: Int
    package var bytes = 0
    /// CRC-32C of the file's header, in which its tensors' checksums stand.
    package var headerChecksum: UInt32 = 0
    /// Empty on success.
    package var error = ""
    /// The Variable whose values are not finite, for which nothing was written.
    package var notFinite: String?
    package var shards: [ShardSnapshot]

    package init(step: Int, shards: [ShardSnapshot]) {
        self.step = step
        self.shards = shards
    }

    /// Batches in all values.
    var applied: RangeSet<Int> {
        shards.dropFirst().reduce(shards.first?.applied ?? RangeSet()) { $0.intersection($1.applied) }
    }
}
