/// Who joins, reports, leaves and dies.
extension JobState {
    /// Gives a node its number; the same node gets the same again.
    ///
    /// - Throws: `RegistrationRefused`.
    package mutating func register(_ node: NodeRegistration, now: Duration) throws(RegistrationRefused) -> Int {
        let isNew = !membership.nodes.contains { $0.role == node.role && $0.incarnation == node.incarnation }
        let number = try membership.register(node, now: now)
        if isNew {
            events.append("\(node.role.rawValue) \(number) joined from \(node.host), pid \(node.pid)")
            if node.role == .worker { viewIsDue = true }
        }
        return number
    }

    /// False if the server is none of the job's.
    @discardableResult
    package mutating func serverReady(_ number: Int, incarnation: UInt64, now: Duration) -> Bool {
        membership.ready(.server, number, incarnation: incarnation, now: now)
    }

    /// Takes a heartbeat. True if the node is one of the job; false if it was declared dead or is unknown.
    package mutating func heard(_ report: NodeReport, now: Duration) -> Bool {
        let number = report.number
        // Nobody acts on a view that has not been published.
        let view = report.view.map { min($0, self.view.number) }
        guard
            membership.heard(
                report.role, number, incarnation: report.incarnation, view: view ?? 0, steps: report.step, now: now)
        else { return false }
        if let server = report.server {
            note(server, of: number)
            if !report.failure.isEmpty { fail("server \(number) failed: \(report.failure)", now: now) }
            // It stays until the others have left and its Variables are saved.
            if report.isLeaving { stop(now: false, "server \(number) was asked to end", now: now) }
        } else {
            if report.step > 0 { membership.ready(.worker, number, incarnation: report.incarnation, now: now) }
            if report.isLeaving, isSynchronous, membership.beginLeaving(number, incarnation: report.incarnation) {
                viewIsDue = true
            }
            for step in report.done { add(step, by: report.worker) }
        }
        return true
    }

    /// Takes the last report of a node that leaves.
    package mutating func leave(_ report: NodeReport, now: Duration) {
        let (role, number) = (report.role, report.number)
        if role == .worker { for step in report.done { add(step, by: report.worker) } }
        let member = membership.node(role, number)
        if let member, member.incarnation == report.incarnation {
            _ = membership.heard(
                role, number, incarnation: report.incarnation, view: member.view, steps: report.step, now: now)
            if let server = report.server { note(server, of: number) }
        }
        guard membership.leave(role, number, incarnation: report.incarnation) else { return }
        if role == .worker {
            finishedBatches += record.left(report.worker)
            leases.release(worker: number, incarnation: report.incarnation)
            evaluation.workerDied(number, incarnation: report.incarnation)
            viewIsDue = true
        } else if [.waiting, .training, .stopping].contains(phase) {
            fail("server \(number) left", now: now)
        }
    }

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
        died(member, how, now: now)
    }

    /// Declares dead the nodes that have been silent for too long.
    mutating func expire(now: Duration) {
        for dead in membership.expire(now: now) {
            died(dead, "no heartbeat for \(facts.config.cluster.heartbeatTimeout)", now: now)
        }
    }

    /// A node has been declared dead: here the job does without a worker, or fails without a server.
    private mutating func died(_ member: Member, _ how: String, now: Duration) {
        if phase == .closing || phase == .saving, member.role == .server {
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
        let worker = WorkerIdentity(worker: member.number, incarnation: member.incarnation)
        finishedBatches += record.left(worker)
        evaluation.workerDied(member.number, incarnation: member.incarnation)
        idle.remove(member.incarnation)
        viewIsDue = true
        departed.append((worker, nil))
    }
}
