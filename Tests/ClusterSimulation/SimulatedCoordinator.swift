import Cluster

/// The coordinator of a simulated cluster: `JobState`, and heartbeats that are held as `CoordinatorService` holds them.
extension SimulatedCluster {
    func coordinate() {
        state.advance(now: now)
        for line in state.takeEvents() {
            trace?("   \(line)")
            if line.contains(" died: ") { deaths += 1 }
        }
        if views[state.view.number] == nil {
            views[state.view.number] = state.view
            trace?("   view \(state.view.number) \(state.view.phase): \(state.view.workers.map(\.incarnation))")
        }
        if state.phase == .training { begin() }
        if state.phase == .failed, !state.membership.alive(.worker).isEmpty {
            breach("the job fails: \(state.outcome?.reason ?? "")")
        }
        var rest: [HeldBeat] = []
        let patience = state.phase == .saving ? .milliseconds(20) : SimulatedCluster.interval
        for entry in held {
            if entry.report.view ?? 0 < state.view.number || now - entry.since >= patience {
                let view = state.view(
                    after: entry.report.view ?? 0, for: entry.report.incarnation, entry.report.role)
                answer(.view(view), entry.node, entry.number)
            } else {
                rest.append(entry)
            }
        }
        held = rest
    }

    /// Control messages of servers always arrive: without them the job is lost, as it is to be.
    func ask(_ request: ControlRequest, _ node: SimulatedNode, _ number: Int) {
        if case .worker = node, random.chance(plan.drop / 4) { return }
        queue.add(.control(request, from: node, number: number), at: now + delay(node))
        if random.chance(plan.duplicate) {
            queue.add(.control(request, from: node, number: number), at: now + delay() * random.whole(1...20))
        }
    }

    private func answer(_ reply: ControlReply, _ node: SimulatedNode, _ number: Int) {
        if case .worker = node, random.chance(plan.drop / 4) { return }
        queue.add(.controlReply(reply, to: node, number: number), at: now + delay(node))
    }

    private func delay(_ node: SimulatedNode) -> Duration {
        if case .server = node { return min(delay(), .milliseconds(100)) }
        return delay()
    }

    func handle(_ request: ControlRequest, _ node: SimulatedNode, _ number: Int) {
        switch request {
        case .register:
            guard case .worker(let index) = node else { return }
            var registration = NodeRegistration(
                .worker, host: "host", pid: index, incarnation: workers[index].incarnation)
            // Those that begin with the job have numbers, as `launch` gives them.
            if index < plan.workers { registration.wanted = index }
            do { answer(.number(try state.register(registration, now: now)), node, number) } catch {
                answer(.refused("\(error)"), node, number)
            }
        case .heartbeat(let report):
            if state.heard(report, now: now) {
                held.append(HeldBeat(node: node, number: number, report: report, since: now))
            } else {
                answer(.refused("declared dead"), node, number)
            }
        case .work(let sums, let done):
            guard case .worker(let index) = node else { return }
            state.evaluated(sums, by: workers[index].identity)
            answer(.lease(state.lease(to: workers[index].identity, done: done, now: now)), node, number)
        case .checkpoint(let part, let server, let sequence):
            do {
                if let step = try state.note(part, of: server, sequence: sequence, now: now) {
                    checkCheckpoint(step)
                    state.checkpointFinished(step, error: nil, now: now)
                }
            } catch { breach("a checkpoint of step \(part.step) is refused: \(error)") }
        case .leave(let report): state.leave(report, now: now)
        }
        coordinate()
    }
}
