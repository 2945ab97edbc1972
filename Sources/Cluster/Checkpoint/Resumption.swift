package import Training

/// How a job goes on from a checkpoint: which batches it has, and where the order of the others begins.
///
/// A job whose examples are cut into batches as the checkpoint's were goes on with the next batch. Where their number, the
/// size of a batch or the shuffling has changed, batches of the same number are others: all that the checkpoint has counts
/// as that many steps, and what is left of its epoch is cut anew. Steps never count back.
package struct Resumption: Sendable {
    /// The checkpoint, as what the job has done by its own order of batches.
    package private(set) var manifest: Manifest
    /// Where the job's order of batches begins.
    package private(set) var origin = BatchSchedule.Origin()
    /// The updates that all shards are taken to have, where the order of batches has changed.
    package private(set) var rebasedTo: Int?
    /// Lines for the log.
    package private(set) var notes: [String] = []

    /// Updates that the job has at least, for the checkpoint has batches up to there.
    package var leastSteps: Int {
        let ahead = (manifest.ahead ?? [:]).keys.compactMap {
            manifest.doneBatches(ofShard: $0).ranges.last?.upperBound
        }
        return max(manifest.doneBatches.ranges.last?.upperBound ?? 0, ahead.max() ?? 0)
    }

    /// - Parameters:
    ///   - schedule: of the job as it is configured now, from the start.
    ///   - seed: of the job.
    /// - Throws: `NodeError` if the job cannot go on from there.
    package init(_ manifest: Manifest, schedule: BatchSchedule, seed: Int, directory: String) throws {
        self.manifest = manifest
        guard manifest.seed == seed else {
            throw NodeError(
                .badData,
                "the checkpoint in \(directory) was made with seed \(manifest.seed), this job has \(seed): other examples would be held out, and come in another order; set seed: \(manifest.seed)"
            )
        }
        let order = manifest.order ?? Manifest.Order(schedule)
        let place = order.origin ?? [0, 0, 0]
        origin = BatchSchedule.Origin(batch: place[0], epoch: place[1], place: place[2])
        var changes: [String] = []
        func compare(_ what: String, _ old: String, _ new: String) {
            if old != new { changes.append("\(what) \(new), not \(old)") }
        }
        compare("the number of training examples is", "\(order.examples)", "\(schedule.examples)")
        compare("train.batch is", "\(manifest.batch)", "\(schedule.batch)")
        compare("train.shuffle is", "\(order.shuffle)", "\(schedule.shuffle)")
        guard !changes.isEmpty else { return }
        let old = BatchSchedule(
            of: order.examples, batch: manifest.batch, seed: schedule.seed, shuffle: order.shuffle, origin: origin
        )
        let done = manifest.doneBatches.total
        _ = try Limit.epoch.check(
            old.epoch(ofBatch: done), "the epoch of the last of \(done) batches in \(directory)", .badData)
        let (epoch, past) = old.positions(ofBatch: done).lowerBound.quotientAndRemainder(dividingBy: order.examples)
        let updates = manifest.mostUpdates
        // The same share of the epoch; exactly the same examples if there are as many in the same order.
        let share = past.multipliedFullWidth(by: schedule.examples)
        let first = order.examples.dividingFullWidth((share.high, share.low)).quotient
        origin = BatchSchedule.Origin(batch: updates, epoch: epoch, place: first)
        notes.append(
            "since the checkpoint at step \(manifest.step) was made, batches have changed: \(changes.joined(separator: ", ")); "
                + "steps count on from \(updates), and \(schedule.examples - first) examples are left of epoch \(epoch + 1)"
        )
        if order.examples != schedule.examples {
            notes.append(
                "the training part has other examples than before: some may come twice in that epoch, and held-out ones may have been trained on"
            )
        }
        let left = manifest.missedExamples.total
        if manifest.ahead != nil || manifest.doneBatches != RangeSet(0..<done) || left > 0 {
            notes.append("what some Variables lack of the checkpoint's batches is not made up for")
        }
        self.manifest = manifest.rebased(to: updates)
        rebasedTo = updates
    }
}
