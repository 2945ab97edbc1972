internal import Foundation
internal import Training

/// Where a checkpoint becomes complete: the manifest is written when all servers have written their parts.
extension CoordinatorService {
    /// All servers have written their parts of a checkpoint: its manifest makes it one.
    mutating func writeManifest(_ step: Int, now: Duration) {
        guard let directory = job.config.checkpoint.directory, let saved = state.checkpoints.written[step] else {
            return
        }
        if let broken = saved.values.first(where: { !$0.error.isEmpty }) {
            removeParts(step)
            return state.checkpointFinished(step, error: broken.error, now: now)
        }
        // What only some shards have is trained on again, and those take it for a repeat.
        let all = RangeSet(0..<state.facts.totalSteps)
        let done = saved.values.reduce(all) { $0.intersection($1.applied) }
        let applied = Dictionary(
            saved.values.flatMap { $0.shards.map { ($0.blocks, $0.applied) } },
            uniquingKeysWith: { $0.intersection($1) })
        let ahead = applied.mapValues { $0.intersection(all).subtracting(done) }.filter { !$0.value.isEmpty }
        let missed = state.missing(inCheckpoint: step)
        var manifest = Manifest(
            job: job.config.job, fingerprint: job.modelFingerprint, step: step,
            done: Manifest.pairs(done), missed: missed.isEmpty ? nil : Manifest.pairs(missed),
            ahead: ahead.isEmpty ? nil : ahead.mapValues(Manifest.pairs), seed: job.config.seed,
            batch: job.config.train.batch, order: Manifest.Order(job.schedule),
            files: saved.sorted { $0.key < $1.key }.map {
                Manifest.ServerFile(
                    name: fileName(step, server: $0.key), bytes: $0.value.bytes, header: $0.value.headerChecksum)
            },
            data: job.facts, loss: state.record.recentLoss)
        do {
            try manifest.write(
                to: directory, keep: job.config.checkpoint.keep, preprocessing: job.preprocessing)
            lastCheckpoint = "\(directory)/\(Manifest.name(step: step))"
            state.checkpointFinished(step, error: nil, now: now)
        } catch {
            removeParts(step)
            state.checkpointFinished(step, error: "\(error)", now: now)
        }
    }

    /// Removes what servers have written of a checkpoint that does not become whole.
    private func removeParts(_ step: Int) {
        guard let directory = job.config.checkpoint.directory, let saved = state.checkpoints.written[step] else {
            return
        }
        let servers = saved.filter { $0.value.error.isEmpty }.keys
        CheckpointDirectory.removeParts(
            servers.map { fileName(step, server: $0) } + [Manifest.preprocessingName(step: step)], of: step,
            in: directory)
    }

    private func fileName(_ step: Int, server: Int) -> String {
        Manifest.fileName(step: step, server: server, of: job.config.cluster.servers)
    }

    /// Removes what there is of checkpoints that the job's end has overtaken.
    func removeUnfinishedCheckpoints() { for step in state.checkpoints.written.keys { removeParts(step) } }
}
