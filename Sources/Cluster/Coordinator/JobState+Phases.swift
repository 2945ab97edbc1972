/// How the job goes from phase to phase, and how it ends.
extension JobState {
    /// Does what the state of things asks for: called after every event and some hundred times a second.
    package mutating func advance(now: Duration) {
        if phase != .finished, phase != .failed { expire(now: now) }
        switch phase {
        case .waiting: advanceWaiting(now: now)
        case .training: advanceTraining(now: now)
        case .stopping:
            // Nobody waits for those who have left.
            if viewIsDue, membership.allServersActOn(view: view.number) {
                viewIsDue = false
                publish(.stopping, view.reason, now: now)
            }
            if !isAnyWorkerAwaited(now: now) { saveOrFinish(now: now) }
        case .closing:
            if membership.allServersActOn(view: view.number) { save(now: now) } else { endIfLate(now: now) }
        case .saving: endIfLate(now: now)
        case .finished, .failed: break
        }
    }

    private mutating func advanceWaiting(now: Duration) {
        let limit = facts.config.cluster.joinTimeout
        if membership.isComplete {
            trainingBegan = now
            viewIsDue = false
            events.append(
                "training begins: \(membership.alive(.server).count) servers, \(membership.alive(.worker).count) workers"
            )
            publish(.training, now: now)
        } else if now > limit {
            let missing = membership.missing ?? "servers are not ready"
            fail("the cluster is not complete after \(limit): \(missing)", now: now)
        }
    }

    private mutating func advanceTraining(now: Duration) {
        if viewIsDue, membership.allServersActOn(view: view.number) {
            // One view at a time, so that servers and workers see each.
            viewIsDue = false
            publish(.training, now: now)
            for i in departed.indices where departed[i].view == nil { departed[i].view = view.number }
        }
        leaseAgain()
        let alive = membership.alive(.worker)
        guard !alive.isEmpty else { return waitForWorkers(now: now) }
        withoutWorkersSince = nil
        guard evaluation.endRound() else { return }
        let isIdle = !isSynchronous || alive.allSatisfy { idle.contains($0.incarnation) }
        guard departed.isEmpty, leases.firstUndone() >= evaluation.limit, isIdle else { return }
        // What is missing is trained before the last evaluation.
        if makesUp, leases.isComplete, !missingNow.isEmpty { return }
        guard !evaluation.beginRound() else { return }
        if leases.isComplete {
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

    /// No worker is left: the job waits for others to come, if any may, and then ends.
    private mutating func waitForWorkers(now: Duration) {
        let since = withoutWorkersSince ?? now
        withoutWorkersSince = since
        guard now - since > facts.config.cluster.joinTimeout || !facts.acceptsNodes && now - since > .seconds(5) else {
            return
        }
        if leases.isComplete {
            // What they learned is worth saving, with what a later job has to make up for.
            stop(now: false, "all batches are trained on, but no worker is left to evaluate the result", now: now)
            return
        }
        // The servers still have what the workers have done: it is saved before the job fails.
        let reason = "no worker is left"
        guard savesCheckpoints else { return fail(reason, now: now) }
        outcome = (.failed, reason)
        trainingEnded = trainingEnded ?? now
        events.append(reason)
        saveOrFinish(now: now)
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

    // MARK: Saving

    private mutating func saveOrFinish(now: Duration) {
        guard savesCheckpoints else { return finish(now: now) }
        // Workers that bring the end of the last step to all shards may have died: the servers are asked which it was.
        if isSynchronous { publish(.closing, now: now) } else { save(now: now) }
    }

    private mutating func save(now: Duration) {
        var closed: ClosedStep?
        if isSynchronous, let lead = reports.lead, lead.steps > facts.done.total {
            closed = ClosedStep(step: lead.steps - 1, members: lead.members)
        }
        let label = max(step + additionalSteps, facts.leastLabel)
        lastLabel = label
        publish(.saving, checkpointStep: label, closed: closed, now: now)
    }

    /// The last checkpoint has to be written in time.
    private mutating func endIfLate(now: Duration) {
        let isStop = outcome?.status == .stopped
        let limit = isStop ? facts.config.cluster.stopTimeout : max(facts.config.cluster.stopTimeout, .seconds(60))
        guard now - (isStop ? stopBegan : views.phaseBegan) > limit else { return }
        checkpoints.error = "the servers did not write it within \(limit)" + (isStop ? " (cluster.stop_timeout)" : "")
        events.append("the last checkpoint failed: \(checkpoints.error ?? "")")
        finish(now: now)
    }

    /// The manifest of a complete checkpoint is on disk, or could not be.
    package mutating func checkpointFinished(_ step: Int, error: String?, now: Duration) {
        checkpoints.finish(step, error: error)
        if let error { events.append("checkpoint at step \(step) failed: \(error); the one before stays") }
        if phase == .saving, step == view.checkpointStep { finish(now: now) }
    }

    // MARK: Ending

    package mutating func stop(now isImmediate: Bool, _ reason: String, now: Duration) {
        guard outcome == nil else {
            if isImmediate, [.stopping, .closing, .saving].contains(phase) { finish(now: now) }
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

    mutating func diverge(_ reason: String, now: Duration) {
        if phase != .failed, phase != .finished { hasDiverged = true }
        fail(reason, now: now)
    }

    mutating func finish(now: Duration) { publish(.finished, outcome?.reason ?? "", now: now) }
}
