internal import Dataflow
internal import Foundation

/// What an executor may hold in memory of pushes that wait for the end of their step. A step needs all its pushes at once;
/// those beyond the limit are kept in files.
package struct PushBudget {
    /// In bytes.
    package let limit: Int
    private var used = 0

    package init(limit: Int) { self.limit = limit }

    /// Makes room for a push in memory; false if there is none.
    package mutating func take(_ bytes: Int) -> Bool {
        guard bytes <= limit - used else { return false }
        used += bytes
        return true
    }

    package mutating func giveBack(_ bytes: Int) { used -= bytes }
}

/// Bytes in a file without a name, which is gone with this value.
package final class SpilledBytes {
    package let bytes: UnsafeRawBufferPointer

    /// - Throws: `NodeError` if they cannot be written.
    package init(_ source: UnsafeRawBufferPointer) throws(NodeError) {
        func fail() -> NodeError {
            let reason = String(cString: strerror(errno))
            return NodeError(
                .cannotCreate,
                "pushes beyond cluster.server_memory are kept in \(NSTemporaryDirectory()), and one cannot be written: \(reason)"
            )
        }
        var name = Array("\(NSTemporaryDirectory())/tributary-push-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else { throw fail() }
        defer { close(file) }
        unlink(name)
        var done = 0
        while done < source.count {
            let count = write(file, source.baseAddress! + done, source.count - done)
            guard count > 0 || errno == EINTR else { throw fail() }
            done += max(count, 0)
        }
        guard !source.isEmpty else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, source.count, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else {
            throw fail()
        }
        bytes = UnsafeRawBufferPointer(start: start, count: source.count)
    }

    deinit { if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) } }
}

extension JobConfig.Cluster {
    /// Whether tensors are to be expected to go through sockets.
    private var usesSockets: Bool {
        !sharedMemory || wire != .float32 || transport == .tcp || transport == .tls
    }

    /// The most bytes of a shard: such that all workers' pushes of one fit in half of a server's memory for pushes, and
    /// that its messages, which sockets copy several times, stay in the cache meanwhile.
    package func shardLimit(executors: Int) -> Int {
        let most = usesSockets ? ShardLayout.socketLimit : ShardLayout.limit
        guard let serverMemory else { return most }
        return min(max(serverMemory / (2 * workers * max(executors, 1)), ShardLayout.leastLimit), most)
    }

    /// What a worker may have on its way to servers, in bytes: enough to keep them busy, little enough for the cache; more
    /// if it is pipelined, for the rest of a step's travels in the next.
    ///
    /// - Parameter executors: of each server.
    func window(executors: [Int]) -> Int {
        let shard = shardLimit(executors: executors.max() ?? 1)
        let most =
            consistency.isPipelined
            ? 4 * ShardLayout.limit : min(shard * max(2 * executors.reduce(0, +), 2), 4 * ShardLayout.limit)
        guard let serverMemory else { return most }
        return min(max(serverMemory / (2 * workers), shard), most)
    }
}
