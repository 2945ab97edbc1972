/// What a coordinator does with `--resume`: finds the newest usable checkpoint, and says how the job goes on from it.
enum CheckpointRestore {
    /// The checkpoint to go on from; nil where there is none, or none is asked for.
    static func choose(
        _ config: JobConfig, _ options: CoordinatorOptions, _ notes: inout [String]
    ) throws -> (manifest: Manifest, damaged: [CheckpointDirectory.Damage], directory: CheckpointDirectory)? {
        guard let path = config.checkpoint.directory else {
            guard options.resume else { return nil }
            throw NodeError(.configuration, "--resume needs checkpoint.directory, or --checkpoint DIR")
        }
        let directory = try CheckpointDirectory(path)
        guard options.resume else {
            directory.removeTemporaries()
            return nil
        }
        let choice = try directory.newest()
        notes += choice.notes
        if let manifest = choice.manifest { return (manifest, choice.damaged, directory) }
        if !choice.damaged.isEmpty {
            guard options.startsAnewIfDamaged else {
                throw NodeError(
                    .refused,
                    "no checkpoint in \(path) is usable: \(choice.damage). Mend them, name another directory, or take --resume=fresh, which moves them aside and starts anew"
                )
            }
            let folder = try directory.moveAside(choice.damaged)
            notes.append(
                "no checkpoint in \(path) is usable: \(choice.damage); they are in \(folder) now, and the job starts anew"
            )
        }
        directory.removeTemporaries()
        return nil
    }

    /// How the job goes on from the checkpoint.
    ///
    /// - Throws: `NodeError` if it cannot.
    static func restore(
        _ choice: (manifest: Manifest, damaged: [CheckpointDirectory.Damage], directory: CheckpointDirectory),
        _ config: JobConfig, _ job: PreparedJob, _ notes: inout [String]
    ) throws -> Resumption {
        let (manifest, directory, path) = (choice.manifest, choice.directory, choice.directory.path)
        guard manifest.fingerprint == job.modelFingerprint else {
            throw NodeError(
                .badData,
                "the checkpoint at step \(manifest.step) in \(path) is of another model than this configuration's; change one of them, or start without --resume"
            )
        }
        let done = manifest.doneBatches
        let isWhole = manifest.ahead == nil && done == RangeSet(0..<done.total)
        guard !config.cluster.consistency.isSynchronous || isWhole else {
            throw NodeError(
                .badData,
                "the checkpoint in \(path) was made asynchronously and lacks batches before its last, or some Variables do; go on with cluster.consistency: async"
            )
        }
        let resumption = try Resumption(manifest, schedule: job.schedule, seed: config.seed, directory: path)
        notes += resumption.notes
        if !choice.damaged.isEmpty {
            notes.append("the damaged checkpoint's files are in \(try directory.moveAside(choice.damaged)) now")
        }
        let leftovers = directory.removeLeftovers()
        if leftovers > 0 { notes.append("removed \(leftovers) files of checkpoints that were never finished") }
        return resumption
    }
}
