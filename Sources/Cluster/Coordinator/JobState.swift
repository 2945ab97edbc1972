internal import Dataflow
internal import Training

/// Everything that a coordinator decides: events in, answers and views out. No socket, no clock, no thread; `now` is the time
/// since the job began.
package struct JobState {
    let facts: Facts
    package private(set) var membership: Membership
    package private(set) var shards: DataShards
    private var views = ViewRecord()
    package private(set) var record = TrainingRecord()
    private(set) var evaluation: EvaluationCourse
    package var checkpoints = CheckpointProgress()
    /// Of the checkpoint at the job's end.
    private var lastLabel: Int?
    private(set) var finishedBatches: [TrainingRecord.Entry] = []
    /// Lines for the log.
    package private(set) var events: [String] = []
    /// When the first step could begin, and when training was over.
    private(set) var trainingBegan: Duration?
    private(set) var trainingEnded: Duration?
    package private(set) var leasedAgain = 0
    /// Once decided.
    private(set) var outcome: (status: JobReport.Status, reason: String?)?
    private var reports = ServerReports()
    private(set) var missed: MissedExamples
    /// Synchronous steps after the last that has a batch, for examples that were missed.
    private var extraSteps = (leased: 0, done: 0)
    /// Whether servers have told all that they miss of the steps that are over.
    private var missedReports = Reports.complete
    /// Dead workers whose batches are leased anew when all servers act on the view without them.
    private var mourned: [(worker: Int, incarnation: UInt64, view: UInt64?)] = []
    /// Who takes part has changed since the last view.
    private var viewIsDue = false
    /// Synchronous workers that asked for work beyond the limit.
    private var idle: Set<UInt64> = []
    private var withoutWorkersSince: Duration?
    private var stopBegan = Duration.zero
    private(set) var notFinite: NotFiniteRecord
    /// The job failed because its training diverged.
    private(set) var hasDiverged = false

    private enum Reports {
        case complete
        /// A worker has died or left since.
        case incomplete
        /// Complete when all servers act on this view.
        case due(view: UInt64)
    }

    package init(_ facts: Facts) {
        self.facts = facts
        let cluster = facts.config.cluster
        membership = Membership(servers: cluster.servers, workers: cluster.workers, timeout: cluster.heartbeatTimeout)
        let all = facts.totalSteps
        shards = DataShards(
            total: all, done: facts.done.intersection(RangeSet(0..<max(all, 0))),
            leaseSize: DataShards.leaseSize(total: all, workers: cluster.workers))
        evaluation = EvaluationCourse(facts, from: shards.firstUndone())
        missed = MissedExamples(totalSteps: all, schedule: facts.schedule, missed: facts.missed)
        notFinite = NotFiniteRecord(facts.config.train.onNaN)
        record.passesOverNaN = facts.config.train.onNaN == .skip
    }

    package var view: ClusterView { views.newest }
    package var phase: Phase { view.phase }
    var isSynchronous: Bool { facts.config.cluster.consistency.isSynchronous }
    var savesCheckpoints: Bool { facts.config.checkpoint.directory != nil }
    package var step: Int { shards.doneCount }

    /// What the last evaluation gave.
    package var lastEvaluation: EvaluationSum? { evaluation.last?.sum }

    mutating func note(event: String) { events.append(event) }

    mutating func takeEvents() -> [String] {
        defer { events = [] }
        // What nodes say of themselves stands in them.
        return events.map(TerminalText.line)
    }

    /// - Parameter isLast: also those of which a part was never told.
    mutating func takeFinishedBatches(isLast: Bool = false) -> [TrainingRecord.Entry] {
        defer { finishedBatches = [] }
        return finishedBatches + (isLast ? record.takeOpen() : [])
    }

    /// What became of one worker's gradients on all servers, or of all workers'.
    package func tally(of worker: Int? = nil) -> WorkerTally { reports.tally(of: worker) }

    /// Updates were made in this run, and none has changed a Variable: the rate is 0, say.
    package var hasTrainedNothing: Bool {
        stepsOfRun > 0 && tally().applied > 0 && !reports.hasChanged && !hasDiverged
    }

    /// Steps that this run has made.
    var stepsOfRun: Int { shards.done.subtracting(facts.done).total }

    /// Examples of the batches done in this run that some bundle's updates lack.
    package var missedExamples: Int {
        // A bundle that also has some twice has as many as it should.
        let known = makesUp ? missed.missing(below: step + extraSteps.done).total : 0
        // What a bundle had before, it does not take again.
        let ahead = facts.ahead.map { examples(in: $0.intersection(shards.done)) }.max() ?? 0
        return max(known, reports.leastExamples.map { examplesOfRun - ahead - $0 } ?? 0)
    }

    /// Examples that some bundle's updates of this run have twice, for others would have lacked them.
    package var repeatedExamples: Int { makesUp ? max(0, reports.mostExamples - examplesOfRun) : 0 }

    /// Of the batches done in this run, and those that the run before has left.
    private var examplesOfRun: Int {
        let left = makesUp ? facts.missed.total : 0
        return left + examples(in: shards.done.subtracting(facts.done))
    }

    private func examples(in batches: RangeSet<Int>) -> Int {
        batches.ranges.reduce(0) { $0 + facts.schedule.positions(ofBatches: $1).count }
    }

    // MARK: Views

    private mutating func publish(_ phase: Phase, _ reason: String = "", checkpointStep: Int = 0, now: Duration) {
        var view = membership.view(number: self.view.number + 1, phase: phase, reason: reason)
        view.checkpointStep = checkpointStep
        if phase == .training, makesUp {
            // Not so many that a step needs much more memory than others, unless it has no examples of its own.
            let batch = facts.config.train.batch
            let most = shards.isComplete ? batch : max(batch / 4, 1)
            let count = missed.divide(amongWorkersOf: &view, most: most)
            if count > 0 {
                events.append("\(count) examples that are missed with their workers are made up for by the others")
            }
        }
        views.publish(view, now: now)
    }

    /// The view that a node is told which acts on another.
    package func view(after number: UInt64, for incarnation: UInt64, _ role: Role) -> ClusterView {
        views.next(after: number, for: incarnation, role)
    }

    // MARK: Joining

    package mutating func registerServer(_ wire: WireRegisterServer, now: Duration) throws -> Int {
        let isNew = !membership.nodes.contains { $0.role == .server && $0.incarnation == wire.incarnation }
        let number = try membership.registerServer(
            host: wire.host, pid: try Limit.process.check(wire.pid, "RegisterServer.pid"), version: wire.version,
            addresses: wire.dataAddresses, incarnation: wire.incarnation,
            wanted: wire.hasNumber ? try Limit.node.check(wire.number, "RegisterServer.number") : nil, now: now)
        if isNew { events.append("server \(number) joined from \(wire.host), pid \(wire.pid)") }
        return number
    }

    package mutating func registerWorker(_ wire: WireRegisterWorker, now: Duration) throws -> Int {
        let isNew = !membership.nodes.contains { $0.role == .worker && $0.incarnation == wire.incarnation }
        let number = try membership.registerWorker(
            host: wire.host, pid: try Limit.process.check(wire.pid, "RegisterWorker.pid"), version: wire.version,
            corePool: wire.corePool, incarnation: wire.incarnation,
            wanted: wire.hasNumber ? try Limit.node.check(wire.number, "RegisterWorker.number") : nil, now: now)
        if isNew {
            events.append("worker \(number) joined from \(wire.host), pid \(wire.pid)")
            viewIsDue = true
        }
        return number
    }

    /// False if the server is none of the job's.
    @discardableResult
    package mutating func serverReady(_ number: Int, incarnation: UInt64, now: Duration) -> Bool {
        membership.ready(.server, number, incarnation: incarnation, now: now)
    }

    /// True if the node is one of the job; false if it was declared dead or is unknown.
    package mutating func heard(_ beat: NodeNews, now: Duration) -> Bool {
        let number = beat.number
        // Nobody acts on a view that has not been published.
        let view = beat.view.map { min($0, self.view.number) }
        guard
            membership.heard(
                beat.role, number, incarnation: beat.incarnation, view: view ?? 0, steps: beat.step, now: now)
        else { return false }
        if beat.role == .server {
            reports.note(beat)
            // Of a step that bundles closed after all who took part had died, nobody tells.
            if isSynchronous {
                close(appliedEverywhere)
            }
            note(missed: beat.missed)
            if !beat.failure.isEmpty { fail("server \(number) failed: \(beat.failure)", now: now) }
            // It stays until the others have left and its Variables are saved.
            if beat.isLeaving { stop(now: false, "server \(number) was asked to end", now: now) }
        } else {
            if beat.step > 0 { membership.ready(.worker, number, incarnation: beat.incarnation, now: now) }
            if beat.isLeaving, isSynchronous, membership.beginLeaving(number, incarnation: beat.incarnation) {
                viewIsDue = true
            }
            for result in beat.done { add(result, by: number, beat.incarnation) }
        }
        return true
    }

    /// Takes parts of steps that a server's bundles will never have.
    mutating func note(missed parts: [MissedPart]) { for part in parts where makesUp { missed.note(part) } }

    // MARK: Work

    package mutating func leave(_ word: NodeNews, now: Duration) {
        let (role, number) = (word.role, word.number)
        for result in word.done where role == .worker { add(result, by: number, word.incarnation) }
        let member = membership.node(role, number)
        if let member, member.incarnation == word.incarnation {
            _ = membership.heard(
                role, number, incarnation: word.incarnation, view: member.view, steps: word.step, now: now)
            if role == .server { reports.note(word) }
        }
        guard membership.leave(role, number, incarnation: word.incarnation) else { return }
        if role == .worker {
            finishedBatches += record.left(WorkerIdentity(worker: number, incarnation: word.incarnation))
            shards.release(worker: number, incarnation: word.incarnation)
            evaluation.workerDied(number, incarnation: word.incarnation)
            (viewIsDue, missedReports) = (true, .incomplete)
        } else if [.waiting, .training, .stopping].contains(phase) {
            fail("server \(number) left", now: now)
        }
    }

    private mutating func add(_ report: StepReport, by worker: Int, _ incarnation: UInt64) {
        let batch = report.batch
        // To its part of a step a worker may add missed examples, as many as a batch has.
        guard report.examples <= 2 * facts.config.train.batch else { return }
        let view = isSynchronous ? views.view(numbered: report.view) : nil
        if isSynchronous, batch < facts.totalSteps + extraSteps.leased {
            if let view { missed.closed(batch, of: view, by: incarnation) }
            close(RangeSet(batch..<batch + 1))
        }
        guard batch < facts.totalSteps else { return }
        if isSynchronous {
            let identity = WorkerIdentity(worker: worker, incarnation: incarnation)
            if record.isFirst(batch, of: identity), backup > 0 { record.count(examples: report.examples) }
        } else {
            // The batch is one worker's; told twice, it counts once.
            guard shards.complete([batch], by: worker, incarnation: incarnation) > 0 else { return }
            record.count(examples: report.examples)
        }
        let part = TrainingRecord.Entry(
            batch: batch, loss: report.loss, metrics: report.metrics, examples: report.examples)
        let members = view.map { view in
            Set(view.workers.map { WorkerIdentity(worker: $0.number, incarnation: $0.incarnation) })
        }
        finishedBatches += record.add(
            part, of: WorkerIdentity(worker: worker, incarnation: incarnation), members: members,
            patience: backup > 0 ? 8 : 64)
    }

    /// Notes synchronous steps.
    private mutating func close(_ steps: RangeSet<Int>) {
        extraSteps.done = max(extraSteps.done, (steps.ranges.last?.upperBound ?? 0) - facts.totalSteps)
        let new = shards.completeTogether(steps)
        // All examples of a step are in it, told or not, save where gradients may come too late.
        if backup == 0 { record.count(examples: examples(in: new)) }
    }

    /// Batches that all bundles have applied.
    private var appliedEverywhere: RangeSet<Int> {
        reports.applied(servers: membership.servers, total: facts.totalSteps + extraSteps.leased)
    }

    /// Whether what dead workers missed is made up for: where each step waits for all the living.
    var makesUp: Bool { isSynchronous && backup == 0 }

    private var backup: Int { facts.config.cluster.consistency.backup }

    /// What a worker that asks for work is given.
    ///
    /// - Throws: `NodeError` naming a number that cannot be; nothing has changed then.
    package mutating func lease(_ ask: WireLeaseBatches, now: Duration) throws(NodeError) -> WireLease {
        let worker = try Limit.node.check(ask.worker, "LeaseBatches.worker")
        let done = try ask.done.map { (result) throws(NodeError) in try StepReport(result) }
        for result in done { add(result, by: worker, ask.incarnation) }
        var lease = WireLease()
        // What one asks that was declared dead, which the view may not know of yet, comes too late.
        guard phase == .training, view.present.contains(where: { $0.incarnation == ask.incarnation }),
            let member = membership.node(.worker, worker), member.incarnation == ask.incarnation, member.isAlive
        else { return lease }
        if let part = evaluation.lease(to: worker, incarnation: ask.incarnation) {
            lease.evaluation = part
            return lease
        }
        guard evaluation.round == nil else { return lease }
        if isSynchronous {
            // All train the same steps, each its part.
            let first = shards.firstUndone()
            var steps = first..<max(first, evaluation.limit)
            if makesUp, shards.isComplete {
                // One more, until one has been divided by a view that gives out what is missed. Who trains it waits for all.
                if !missed.isEmpty {
                    extraSteps.leased = max(extraSteps.leased, extraSteps.done + 1)
                    if case .due = missedReports { missedReports = .incomplete }
                }
                steps = (facts.totalSteps + extraSteps.done)..<(facts.totalSteps + extraSteps.leased)
            }
            if !steps.isEmpty {
                idle.removeAll()
                lease.ranges = RangeSet(steps).wire
            } else {
                idle.insert(ask.incarnation)
            }
        } else {
            // A worker that asks while it holds batches has not got the answer that gave it those.
            let held = shards.held(by: worker, incarnation: ask.incarnation)
            let ranges =
                held.isEmpty ? shards.lease(to: worker, incarnation: ask.incarnation, limit: evaluation.limit) : held
            lease.ranges = RangeSet(ranges).wire
        }
        return lease
    }

    /// Takes sums over held-out batches.
    ///
    /// - Throws: `NodeError` naming a number that cannot be; nothing has changed then.
    package mutating func evaluated(_ wire: WireLeaseEvaluation) throws(NodeError) {
        let worker = try Limit.node.check(wire.worker, "LeaseEvaluation.worker")
        _ = try Limit.step.check(wire.step, "LeaseEvaluation.step")
        let reports = try wire.done.map { (sum) throws(NodeError) in try EvaluationReport(sum) }
        for report in reports { evaluation.add(report, by: worker, wire.incarnation) }
    }

    /// Takes a server's report of a checkpoint. Returns the step when the last server has written.
    ///
    /// - Throws: `NodeError` for a report that no server makes; nothing has changed then.
    package mutating func note(_ wire: WireCheckpointWritten, now: Duration) throws -> Int? {
        let every = savesCheckpoints ? facts.config.checkpoint.everySteps : nil
        let (label, steps) = (lastLabel, facts.totalSteps + extraSteps.leased)
        let missed = try MissedPart.all(wire.missed)
        let complete = try checkpoints.note(wire) { step in
            step == label || every.map { step > 0 && step <= steps && step % $0 == 0 } ?? false
        }
        note(missed: missed)
        if !wire.notFinite.isEmpty { note(notFinite: wire.notFinite, step: Int(wire.step), now: now) }
        return complete
    }

    // MARK: Ending

    package mutating func stop(now isImmediate: Bool, _ reason: String, now: Duration) {
        guard outcome == nil else {
            if isImmediate, [.stopping, .saving].contains(phase) { finish(now: now) }
            return
        }
        outcome = (.stopped, reason)
        trainingEnded = now
        stopBegan = now
        events.append("the job stops: \(reason)")
        if isImmediate || phase == .waiting { finish(now: now) } else { publish(.stopping, reason, now: now) }
    }

    package mutating func fail(_ reason: String, now: Duration) {
        guard phase != .failed, phase != .finished else { return }
        outcome = (.failed, reason)
        trainingEnded = trainingEnded ?? now
        events.append(reason)
        publish(.failed, reason, now: now)
    }

    /// The servers still have what the workers have done: a job that has lost them all is saved before it fails.
    private mutating func endWithoutWorkers(now: Duration) {
        let reason = "no worker is left"
        guard savesCheckpoints else { return fail(reason, now: now) }
        outcome = (.failed, reason)
        trainingEnded = trainingEnded ?? now
        events.append(reason)
        saveOrFinish(now: now)
    }

    /// A worker has found numbers that are not finite.
    ///
    /// - Throws: `NodeError` naming a number that cannot be.
    package mutating func note(_ wire: WireNotFinite, now: Duration) throws(NodeError) {
        switch try notFinite.note(wire) {
        case .fail(let reason): diverge(reason, now: now)
        case .tell(let line): events.append(line)
        case .nothing: break
        }
    }

    /// A server was to save values that are not finite.
    mutating func note(notFinite variable: String, step: Int, now: Duration) {
        let what = "at step \(step): the values of '\(variable)' are not finite, and were not saved"
        diverge(notFinite.reason(what), now: now)
    }

    private mutating func diverge(_ reason: String, now: Duration) {
        if phase != .failed, phase != .finished { hasDiverged = true }
        fail(reason, now: now)
    }

    private mutating func finish(now: Duration) { publish(.finished, outcome?.reason ?? "", now: now) }

    /// A node is known to have died, before its heartbeats could tell.
    package mutating func declareDead(_ role: Role, pid: Int, _ how: String, now: Duration) {
        guard let member = membership.nodes.first(where: { $0.role == role && $0.pid == pid && $0.isAlive }) else {
            guard phase == .waiting else { return }
            if role == .worker, membership.workers > 1 {
                events.append("a worker ended before it joined: \(how); the job begins without it")
                membership.expectOneWorkerLess()
            } else {
                fail("a \(role.rawValue) ended before it joined: \(how)", now: now)
            }
            return
        }
        _ = membership.declareDead(role, member.number)
        bury(member, how, now: now)
    }

    private mutating func bury(_ member: Member, _ how: String, now: Duration) {
        if phase == .saving, member.role == .server {
            checkpoints.error = "\(member.name) (pid \(member.pid)) died while it was written: \(how)"
            events.append("the last checkpoint failed: \(checkpoints.error ?? "")")
            return finish(now: now)
        }
        guard outcome == nil || phase == .stopping else { return }
        if member.role == .server {
            fail("\(member.name) (pid \(member.pid)) died: \(how); the last checkpoint stays usable", now: now)
            return
        }
        events.append("\(member.name) (pid \(member.pid)) died: \(how)")
        if phase == .waiting {
            guard membership.workers > 1 else { return fail("the only worker died before training began", now: now) }
            // It holds no batches, and no view has named it.
            return membership.expectOneWorkerLess()
        }
        finishedBatches += record.left(WorkerIdentity(worker: member.number, incarnation: member.incarnation))
        evaluation.workerDied(member.number, incarnation: member.incarnation)
        idle.remove(member.incarnation)
        (viewIsDue, missedReports) = (true, .incomplete)
        mourned.append((member.number, member.incarnation, nil))
    }

    /// The manifest of a complete checkpoint is on disk, or could not be.
    mutating func checkpointFinished(_ step: Int, error: String?, now: Duration) {
        checkpoints.finish(step, error: error)
        if let error { events.append("checkpoint at step \(step) failed: \(error); the one before stays") }
        if phase == .saving, step == view.checkpointStep { finish(now: now) }
    }

    // MARK: Going on

    /// Does what the state of things asks for: called after every event and some hundred times a second.
    package mutating func advance(now: Duration) {
        if phase != .finished, phase != .failed {
            for dead in membership.expire(now: now) {
                bury(dead, "no heartbeat for \(facts.config.cluster.heartbeatTimeout)", now: now)
            }
        }
        switch phase {
        case .waiting:
            if membership.isComplete {
                trainingBegan = now
                viewIsDue = false
                events.append(
                    "training begins: \(membership.alive(.server).count) servers, \(membership.alive(.worker).count) workers"
                )
                publish(.training, now: now)
            } else if now > facts.config.cluster.joinTimeout {
                fail(
                    "the cluster is not complete after \(facts.config.cluster.joinTimeout): \(membership.missing ?? "servers are not ready")",
                    now: now)
            }
        case .training: advanceTraining(now: now)
        case .stopping:
            // Nobody waits for those who have left.
            if viewIsDue, membership.allServersActOn(view: view.number) {
                viewIsDue = false
                publish(.stopping, view.reason, now: now)
            }
            if !isAnyWorkerAwaited(now: now) { saveOrFinish(now: now) }
        case .saving:
            let isStop = outcome?.status == .stopped
            let limit = isStop ? facts.config.cluster.stopTimeout : max(facts.config.cluster.stopTimeout, .seconds(60))
            if now - (isStop ? stopBegan : views.phaseBegan) > limit {
                checkpoints.error =
                    "the servers did not write it within \(limit)" + (isStop ? " (cluster.stop_timeout)" : "")
                events.append("the last checkpoint failed: \(checkpoints.error ?? "")")
                finish(now: now)
            }
        case .finished, .failed: break
        }
    }

    /// Whether a stopped job waits for some worker to end its step: one that hangs, and is silent, is not waited for, nor
    /// one that leaves the servers no time.
    private func isAnyWorkerAwaited(now: Duration) -> Bool {
        let cluster = facts.config.cluster
        guard now - stopBegan < cluster.stopTimeout / 2 else { return false }
        return membership.alive(.worker).contains {
            now - max($0.lastHeard, views.phaseBegan) < cluster.heartbeatInterval * 2 + .milliseconds(300)
        }
    }

    private mutating func advanceTraining(now: Duration) {
        // Servers act on the view without a dead worker: what they applied of its batches is final.
        if viewIsDue, membership.allServersActOn(view: view.number) {
            // One view at a time, so that servers and workers see each.
            viewIsDue = false
            publish(.training, now: now)
            for i in mourned.indices where mourned[i].view == nil { mourned[i].view = view.number }
        }
        func isFinal(_ view: UInt64?) -> Bool { view.map { membership.allServersActOn(view: $0) } ?? false }
        for dead in mourned where isFinal(dead.view) {
            // A batch that some bundles lack is leased anew: those that have it take it for a repeat.
            let before = shards.done
            let again = shards.worker(dead.worker, incarnation: dead.incarnation, died: appliedEverywhere)
            // What it did and did not live to tell counts: servers have it.
            record.count(examples: examples(in: shards.done.subtracting(before)))
            let count = isSynchronous ? 0 : again.total
            leasedAgain += count
            if count > 0 { events.append("\(count) batches of worker \(dead.worker) are leased anew") }
        }
        mourned.removeAll { isFinal($0.view) }
        let alive = membership.alive(.worker)
        guard !alive.isEmpty else {
            withoutWorkersSince = withoutWorkersSince ?? now
            if now - withoutWorkersSince! > facts.config.cluster.joinTimeout
                || !facts.acceptsNodes && now - withoutWorkersSince! > .seconds(5)
            {
                if shards.isComplete {
                    // What they learned is worth saving, with what a later job has to make up for.
                    stop(
                        now: false, "all batches are trained on, but no worker is left to evaluate the result", now: now
                    )
                } else {
                    endWithoutWorkers(now: now)
                }
            }
            return
        }
        withoutWorkersSince = nil
        if makesUp, missed.isDue, alive.contains(where: { !$0.isLeaving }) { viewIsDue = true }
        guard evaluation.endRound() else { return }
        let isIdle = !isSynchronous || alive.allSatisfy { idle.contains($0.incarnation) }
        guard mourned.isEmpty, shards.firstUndone() >= evaluation.limit, isIdle else { return }
        if makesUp, shards.isComplete, !hasMadeUpForAll() { return }
        guard !evaluation.beginRound() else { return }
        if shards.isComplete {
            let new = stepsOfRun
            // The last few steps of a job that is gone on from may all have the bad examples.
            if facts.done.isEmpty ? new > 0 : new >= 10, notFinite.skipped.count >= new {
                return diverge("every one of the \(new) steps was skipped: no loss or gradient was finite", now: now)
            }
            outcome = (.finished, nil)
            trainingEnded = now
            saveOrFinish(now: now)
        }
    }

    /// Whether nothing is missed of the synchronous steps, which are over, as far as all servers know.
    private mutating func hasMadeUpForAll() -> Bool {
        switch missedReports {
        case .complete: break
        case .incomplete:
            (viewIsDue, missedReports) = (true, .due(view: view.number + 1))
            return false
        case .due(let number):
            guard membership.allServersActOn(view: number) else { return false }
            missedReports = .complete
            missed.note(steps: reports.unsettled(0..<facts.totalSteps + extraSteps.done))
        }
        return missed.isEmpty
    }

    private mutating func saveOrFinish(now: Duration) {
        if savesCheckpoints {
            let label = max(step + extraSteps.done, facts.leastLabel)
            lastLabel = label
            publish(.saving, checkpointStep: label, now: now)
        } else {
            finish(now: now)
        }
    }
}
