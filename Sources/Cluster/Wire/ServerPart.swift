/// What the coordinator answers a server that fetches its subgraph. Every number in it has been checked.
package struct ServerPart {
    /// A piece of the program, from the offset asked for.
    package let piece: [UInt8]
    /// Bytes of the whole program; nil while servers are missing.
    package let total: Int?
    /// The checkpoint to restore; nil to run the initialiser.
    let restoreStep: Int?
    /// Where the job's batches are cut otherwise than the checkpoint's: the updates that every shard is taken to have.
    let restoreUpdates: Int?

    /// - Throws: `NodeError` naming a number that cannot be.
    package init(_ wire: WirePart) throws(NodeError) {
        piece = [UInt8](wire.graph)
        total = wire.total == -1 ? nil : try Limit.fetched.check(wire.total, "Part.total")
        restoreStep = wire.restoreStep == -1 ? nil : try Limit.label.check(wire.restoreStep, "Part.restore_step")
        let updates = try Limit.step.check(wire.restoreUpdates, "Part.restore_updates")
        restoreUpdates = updates > 0 ? updates : nil
    }
}

/// Bytes that are fetched piece by piece.
package struct Pieces {
    package private(set) var bytes: [UInt8] = []
    private let field: String
    private var total: Int?

    /// - Parameter field: what tells the length of the whole, for errors.
    package init(_ field: String) { self.field = field }

    /// Takes the piece that follows those before; true if it was the last.
    ///
    /// - Throws: `NodeError` for a length that cannot be or has changed, and for a piece that is empty or goes beyond it.
    package mutating func take(_ piece: some Collection<UInt8>, of length: some BinaryInteger) throws(NodeError) -> Bool
    {
        let length = try Limit.fetched.check(length, field)
        guard length == total ?? length, piece.count <= length - bytes.count, !piece.isEmpty || bytes.count == length
        else {
            throw NodeError(
                .refused, "\(field) is \(length), with \(piece.count) bytes after \(bytes.count), which cannot be")
        }
        total = length
        bytes += piece
        return bytes.count == length
    }
}

extension WireServerProgram {
    /// Checks every number of the program.
    ///
    /// - Parameter executors: of the server.
    /// - Throws: `NodeError` naming a number that cannot be.
    package func check(executors: Int) throws(NodeError) {
        var numbers: Set<Int> = []
        for shard in shards {
            let number = try Limit.shardNumber.check(shard.number, "Shard.number")
            guard numbers.insert(number).inserted else {
                throw NodeError(.refused, "Shard.number is \(number) for two shards")
            }
            guard (0..<executors).contains(Int(shard.executor)) else {
                throw NodeError(
                    .refused, "Shard.executor is \(shard.executor) of \(executors) executors, which cannot be")
            }
            _ = try Limit.shard.check(shard.valueBytes, "Shard.value_bytes")
            _ = try Limit.shard.check(shard.pushBytes, "Shard.push_bytes")
            for block in shard.blocks {
                let total = try Limit.shard.check(block.total, "Block.total")
                let count = try Limit.shard.check(block.count, "Block.count")
                let offset = try Limit.shard.check(block.offset, "Block.offset")
                guard offset + count <= total else {
                    throw NodeError(
                        .refused, "Block.offset is \(offset), with \(count) of \(total) elements, which cannot be")
                }
                _ = try Limit.shard.check(block.valueOffset, "Block.value_offset")
            }
            for push in shard.pushes {
                _ = try Limit.shard.check(push.offset, "Push.offset")
                _ = try Limit.shard.check(push.bytes, "Push.bytes")
            }
        }
    }
}
