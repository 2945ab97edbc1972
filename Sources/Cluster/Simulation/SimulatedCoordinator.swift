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
        var rest: [(node: SimulatedNode, number: Int, beat: WireHeartbeat, since: Duration)] = []
        for entry in held {
            if entry.beat.view < state.view.number || now - entry.since >= SimulatedCluster.interval {
                let role: Role = entry.beat.role == .server ? .server : .worker
                tell(
                    .view(state.view(after: entry.beat.view, for: entry.beat.incarnation, role)), entry.node,
                    entry.number)
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

    func tell(_ reply: ControlReply, _ node: SimulatedNode, _ number: Int) {
        if case .worker = node, random.chance(plan.drop / 4) { return }
        queue.add(.controlReply(reply, to: node, number: number), at: now + delay(node))
    }

    private func delay(_ node: SimulatedNode) -> Duration {
        if case .server = node { return min(delay(), .milliseconds(100)) }
        return delay()
    }

    func answer(_ request: ControlRequest, _ node: SimulatedNode, _ number: Int) {
        switch request {
        case .register:
            guard case .worker(let index) = node else { return }
            var wire = WireRegisterWorker()
            wire.incarnation = workers[index].incarnation
            wire.pid = Int64(index)
            wire.host = "host"
            // Those that begin with the job have numbers, as `launch` gives them.
            if index < plan.workers { wire.number = Int32(index) }
            do { tell(.number(try state.registerWorker(wire, now: now)), node, number) } catch {
                tell(.refused("\(error)"), node, number)
            }
        case .heartbeat(let beat):
            guard let news = try? NodeNews(beat) else { return breach("a node tells of numbers that cannot be") }
            if state.heard(news, now: now) {
                held.append((node, number, beat, now))
            } else {
                tell(.refused("declared dead"), node, number)
            }
        case .work(let sums, let ask):
            do {
                if let sums { try state.evaluated(sums) }
                tell(.lease(try state.lease(ask, now: now)), node, number)
            } catch { breach("a worker tells of numbers that cannot be: \(error)") }
        case .leave(let wire):
            guard let word = try? NodeNews(wire) else { return breach("a node leaves with numbers that cannot be") }
            state.leave(word, now: now)
        }
        coordinate()
    }
}
