internal import Dataflow
internal import Foundation
internal import Interchange
internal import Synchronization

/// Gathers the shards of one server for a checkpoint and writes its file when the last has come.
///
/// Executors add copies, so that they go on at once; a thread of its own writes.
final class CheckpointWriter: Sendable {
    private let directory: String
    private let server: Int
    private let servers: Int
    private let shards: Int
    /// Whether values must be finite.
    private let checksValues: Bool
    private let pending = Mutex<[Int: [ShardValues]]>([:])
    private let written = Mutex<[CheckpointPart]>([])
    /// The step that was gathered last; it is not written twice.
    private let last = Mutex<(step: Int, result: CheckpointPart?)>((-1, nil))
    private let queue = DispatchQueue(label: "checkpoint")

    init(directory: String, server: Int, servers: Int, shards: Int, checksValues: Bool) {
        self.directory = directory
        self.server = server
        self.servers = servers
        self.shards = shards
        self.checksValues = checksValues
    }

    /// Adds a shard's values. Those of a shard that has been added for this step change nothing.
    func add(_ values: ShardValues) {
        guard !directory.isEmpty else { return }
        let step = values.step
        let complete: [ShardValues]? = pending.withLock { pending in
            var entry = pending[step] ?? []
            guard !entry.contains(where: { $0.shard == values.shard }) else { return nil }
            entry.append(values)
            pending[step] = entry.count == shards ? nil : entry
            return entry.count == shards ? entry.sorted { $0.shard < $1.shard } : nil
        }
        guard let complete, isNew(step) else { return }
        queue.async { [self] in
            var part = CheckpointPart(step: step, shards: complete.map(\.snapshot))
            do {
                if let name = firstNotFinite(complete) {
                    part.notFinite = name
                    throw NodeError(.failed, "the values of '\(name)' are not finite")
                }
                (part.bytes, part.headerChecksum) = try Safetensors.writeChecked(
                    complete.flatMap { $0.values.map { (name: $0.name, tensor: $0.value) } },
                    metadata: Dictionary(uniqueKeysWithValues: complete.map { ("updates.\($0.shard)", "\(step)") }),
                    to: path(step))
            } catch { part.error = "\(error)" }
            report(part)
        }
    }

    private func path(_ step: Int) -> String {
        "\(directory)/\(Manifest.fileName(step: step, server: server, of: servers))"
    }

    /// Whether a step is to be written: not again what is there already, which is only reported again.
    private func isNew(_ step: Int) -> Bool {
        last.withLock { last in
            // What failed, or was removed because the manifest could not be written, is written anew.
            let isGone = last.result.map { !$0.error.isEmpty || access(path(step), F_OK) != 0 } ?? false
            guard last.step == step, !isGone else {
                last = (step, nil)
                return true
            }
            // One on its way is reported when it is done.
            if let result = last.result { written.withLock { $0.append(result) } }
            return false
        }
    }

    /// The first Variable whose values are not finite, nil if they need not be.
    private func firstNotFinite(_ shards: [ShardValues]) -> String? {
        guard checksValues else { return nil }
        for shard in shards {
            let found = shard.values.first { name, value in
                !shard.infinite.contains(name) && !value.withUnsafeBytes { Finiteness.holds($0, value.dtype) }
            }
            if let found { return CheckpointReader.parse(found.name).variable }
        }
        return nil
    }

    private func report(_ result: CheckpointPart) {
        last.withLock { if $0.step == result.step { $0.result = result } }
        written.withLock { $0.append(result) }
    }

    /// Waits until everything that was gathered is written.
    func settle() { queue.sync {} }

    /// Files written since the last call.
    func takeWritten() -> [CheckpointPart] {
        written.withLock { written in
            defer { written.removeAll() }
            return written
        }
    }
}
