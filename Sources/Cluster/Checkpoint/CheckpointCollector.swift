internal import Dataflow
internal import Foundation
internal import Interchange
internal import Synchronization

/// Gathers the bundles of one server for a checkpoint and writes its file when the last has come.
///
/// Lanes add copies, so that they go on at once; a thread of its own writes.
final class CheckpointCollector: Sendable {
    struct Written: Sendable {
        let step: Int
        let file: String
        var bytes = 0
        var headerChecksum: UInt32 = 0
        var error = ""
        /// The Variable whose values are not finite, for which nothing was written.
        var notFinite: String?
        /// Batches by bundle, and those that all have.
        let bundles: [String: RangeSet<Int>]
        let applied: RangeSet<Int>
        /// Parts of synchronous steps that some bundle will never have, and those that a table had not got yet.
        let missed: Set<MissedPart>
        let absent: Set<MissedPart>
    }

    private struct Pending {
        var bundles: Set<Int> = []
        var values: [(name: String, value: Tensor)] = []
        var applied: [String: RangeSet<Int>] = [:]
        var missed: Set<MissedPart> = []
        var absent: Set<MissedPart> = []
        var updates: [String: String] = [:]
        var infinite: Set<String> = []
    }

    private let directory: String
    private let server: Int
    private let servers: Int
    private let bundles: Int
    /// Whether values must be finite.
    private let checksValues: Bool
    private let pending = Mutex<[Int: Pending]>([:])
    private let written = Mutex<[Written]>([])
    /// The step that was gathered last; it is not written twice.
    private let last = Mutex<(step: Int, result: Written?)>((-1, nil))
    private let queue = DispatchQueue(label: "checkpoint")

    init(directory: String, server: Int, servers: Int, bundles: Int, checksValues: Bool) {
        self.directory = directory
        self.server = server
        self.servers = servers
        self.bundles = bundles
        self.checksValues = checksValues
    }

    /// Adds a bundle's values as of `step`.
    ///
    /// - Parameters:
    ///   - blocks: the names of its blocks.
    ///   - missed: parts of the steps before that will never be in them.
    ///   - absent: those that have not come yet.
    ///   - infinite: names of values that need not be finite.
    func add(
        bundle: Int, blocks: String, step: Int, values: [(name: String, value: Tensor)], applied: RangeSet<Int>,
        missed: [MissedPart], absent: [MissedPart], infinite: Set<String> = [], updates: Int
    ) {
        guard !directory.isEmpty else { return }
        let complete: Pending? = pending.withLock { pending in
            var entry = pending[step] ?? Pending()
            guard entry.bundles.insert(bundle).inserted else { return nil }
            entry.values += values
            entry.applied[blocks] = applied
            entry.missed.formUnion(missed)
            entry.absent.formUnion(absent)
            entry.infinite.formUnion(infinite)
            entry.updates["updates.\(bundle)"] = "\(updates)"
            pending[step] = entry.bundles.count == bundles ? nil : entry
            return entry.bundles.count == bundles ? entry : nil
        }
        guard let complete else { return }
        let isNew = last.withLock { last in
            // What failed, or was removed because the manifest could not be written, is written anew.
            let isGone = last.result.map { !$0.error.isEmpty || access("\(directory)/\($0.file)", F_OK) != 0 } ?? false
            guard last.step == step, !isGone else {
                last = (step, nil)
                return true
            }
            // Told again, for it is asked for again; one on its way is told when it is done.
            if let result = last.result { written.withLock { $0.append(result) } }
            return false
        }
        guard isNew else { return }
        let common = complete.applied.values.dropFirst().reduce(complete.applied.values.first ?? RangeSet()) {
            $0.intersection($1)
        }
        queue.async { [self] in
            var result = Written(
                step: step, file: Manifest.fileName(step: step, server: server, of: servers), bundles: complete.applied,
                applied: common, missed: complete.missed, absent: complete.absent)
            do {
                if let name = firstNotFinite(complete) {
                    result.notFinite = name
                    throw NodeError(.failed, "the values of '\(name)' are not finite")
                }
                (result.bytes, result.headerChecksum) = try Safetensors.writeChecked(
                    complete.values.map { (name: $0.name, tensor: $0.value) }, metadata: complete.updates,
                    to: "\(directory)/\(result.file)")
            } catch { result.error = "\(error)" }
            report(result)
        }
    }

    /// The first Variable whose values are not finite, nil if they need not be.
    private func firstNotFinite(_ pending: Pending) -> String? {
        guard checksValues else { return nil }
        let found = pending.values.first { name, value in
            !pending.infinite.contains(name) && !value.withUnsafeBytes { Finiteness.holds($0, value.dtype) }
        }
        return found.map { CheckpointReader.parse($0.name).variable }
    }

    private func report(_ result: Written) {
        last.withLock { if $0.step == result.step { $0.result = result } }
        written.withLock { $0.append(result) }
    }

    /// Waits until everything that was gathered is written.
    func settle() { queue.sync {} }

    /// Files written since the last call.
    func takeWritten() -> [Written] {
        written.withLock { written in
            defer { written.removeAll() }
            return written
        }
    }
}
