/// What workers are given to do, and what they and the servers report of it.
extension JobState {
    /// Takes what a server reports of its shards.
    mutating func note(_ report: ServerReport, of server: Int) {
        reports.note(report, of: server)
        guard isSynchronous, let lead = report.lead else { return }
        close(RangeSet(0..<min(lead.steps, facts.totalSteps + missed.additionalSteps)), absent: lead.absent)
    }

    /// Takes what a worker reports of a step.
    mutating func add(_ report: StepReport, by worker: WorkerIdentity) {
        let batch = report.batch
        guard report.examples <= facts.config.train.batch else { return }
        let view = isSynchronous ? views.view(numbered: report.view) : nil
        if isSynchronous, batch < facts.totalSteps + missed.additionalSteps {
            close(RangeSet(batch..<batch + 1), absent: report.absent)
        }
        guard batch < facts.totalSteps else { return }
        if isSynchronous {
            if record.isFirst(batch, of: worker), backup > 0 { record.count(examples: report.examples) }
        } else {
            // The batch is one worker's; reported twice, it counts once.
            guard leases.complete([batch], by: worker.worker, incarnation: worker.incarnation) > 0 else { return }
            record.count(examples: report.examples)
        }
        let part = TrainingRecord.Entry(
            batch: batch, loss: report.loss, metrics: report.metrics, examples: report.examples)
        finishedBatches += record.add(
            part, of: worker, members: view.map { Set($0.members) }, patience: backup > 0 ? 8 : 64)
    }

    /// Notes closed synchronous steps, and what they lack.
    private mutating func close(_ steps: RangeSet<Int>, absent: [AbsentPart]) {
        if makesUp { for part in absent { missed.note(part) } }
        additionalSteps = max(additionalSteps, (steps.ranges.last?.upperBound ?? 0) - facts.totalSteps)
        _ = leases.completeTogether(steps)
    }

    /// What a worker that asks for work is given.
    ///
    /// - Parameter done: what it has done since it reported last.
    package mutating func lease(to worker: WorkerIdentity, done: [StepReport], now: Duration) -> LeasedWork {
        for step in done { add(step, by: worker) }
        // A request of a worker that was declared dead, which the view may not show yet, comes too late.
        guard phase == .training, view.present.contains(where: { $0.incarnation == worker.incarnation }),
            membership.hasLiving(.worker, worker.worker, incarnation: worker.incarnation)
        else { return .nothing }
        if let part = evaluation.lease(to: worker) { return .evaluation(round: part.round, part.batches) }
        guard evaluation.round == nil else { return .nothing }
        guard isSynchronous else {
            // A worker that asks while it holds batches has not got the answer that gave it those.
            let held = leases.held(by: worker.worker, incarnation: worker.incarnation)
            let ranges =
                held.isEmpty
                ? leases.lease(to: worker.worker, incarnation: worker.incarnation, limit: evaluation.limit) : held
            return ranges.isEmpty ? .nothing : .batches(ranges)
        }
        // All train the same steps, each its part.
        let work = stepsForAll()
        if work == .nothing { idle.insert(worker.incarnation) } else { idle.removeAll() }
        return work
    }

    private mutating func stepsForAll() -> LeasedWork {
        if makesUp, leases.isComplete {
            let step = facts.totalSteps + additionalSteps
            let examples = missed.examples(ofStep: step, most: facts.config.train.batch)
            return examples.map { .additional(step: step, $0) } ?? .nothing
        }
        let first = leases.firstUndone()
        return first < evaluation.limit ? .batches([first..<evaluation.limit]) : .nothing
    }

    /// Takes sums over held-out batches.
    package mutating func evaluated(_ reports: [EvaluationReport], by worker: WorkerIdentity) {
        for report in reports { evaluation.add(report, by: worker) }
    }

    /// Takes a server's report of a checkpoint. Returns the step when the last server has written.
    ///
    /// - Throws: `NodeError` for a report that no server makes; nothing has changed then.
    package mutating func note(_ part: CheckpointPart, of server: Int, sequence: UInt64, now: Duration) throws -> Int? {
        let every = savesCheckpoints ? facts.config.checkpoint.everySteps : nil
        let (label, steps) = (lastLabel, facts.totalSteps + missed.additionalSteps)
        let complete = try checkpoints.note(part, of: server, sequence: sequence) { step in
            step == label || every.map { step > 0 && step <= steps && step % $0 == 0 } ?? false
        }
        if makesUp { for shard in part.shards { shard.absent.forEach { missed.note($0) } } }
        if let variable = part.notFinite { note(notFinite: variable, step: part.step, now: now) }
        return complete
    }

    /// Examples that the values of the checkpoint of a step lack.
    package func missing(inCheckpoint step: Int) -> RangeSet<Int> {
        guard makesUp else { return RangeSet() }
        // The label of the last one may be greater than the number of steps, so that labels only grow.
        return missed.missing(below: step == lastLabel ? min(step, closedSteps) : step)
    }

    /// A worker has found numbers that are not finite.
    package mutating func note(_ report: NotFiniteReport, now: Duration) {
        switch notFinite.note(report) {
        case .fail(let reason): diverge(reason, now: now)
        case .report(let line): events.append(line)
        case .nothing: break
        }
    }

    /// A server was to save values that are not finite.
    mutating func note(notFinite variable: String, step: Int, now: Duration) {
        let what = "at step \(step): the values of '\(variable)' are not finite, and were not saved"
        diverge(notFinite.reason(what), now: now)
    }

    /// Leases the batches of dead workers anew, once what servers have applied of them is final.
    mutating func leaseAgain() {
        func isFinal(_ view: UInt64?) -> Bool { view.map { membership.allServersActOn(view: $0) } ?? false }
        let applied =
            isSynchronous
            ? leases.done : reports.applied(servers: membership.servers, total: facts.totalSteps)
        for (worker, view) in departed where isFinal(view) {
            // A batch that some shards lack is leased anew: those that have it take it for a repeat.
            let before = leases.done
            let again = leases.worker(worker.worker, incarnation: worker.incarnation, died: applied)
            // What it did and did not live to report counts: servers have it.
            if !isSynchronous { record.count(examples: examples(in: leases.done.subtracting(before))) }
            let count = isSynchronous ? 0 : again.total
            leasedAgain += count
            if count > 0 { events.append("\(count) batches of worker \(worker.worker) are leased anew") }
        }
        departed.removeAll { isFinal($0.view) }
    }
}
