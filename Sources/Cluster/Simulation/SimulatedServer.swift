/// A server: what its lanes act on, and its heartbeats.
struct SimulatedServer {
    let incarnation: UInt64
    var number: Int
    /// The newest view that each lane acts on, and the one that it is to act on.
    var acted: [ClusterView?]
    var ordered: [ClusterView?]
    /// Of the heartbeat that waits for an answer.
    var beat = 0
    var hasLeft = false
}

/// A bundle of Variables, and what the simulation knows of it by itself.
struct SimulatedBundle {
    struct Parked {
        /// nil while the worker, told to wait, has not asked again.
        var number: Int?
        let request: SimulatedRequest
        /// It came after its worker was gone for this lane.
        let isOfTheGone: Bool
    }

    let server: Int
    let lane: Int
    let isTable: Bool
    var state: BundleState
    var parked: [Int: Parked] = [:]
    var nextToken = 0

    // MARK: What is known without `state`

    /// Steps applied, by incarnation.
    var applied: [UInt64: Set<Int>] = [:]
    /// Examples in the values, by their positions, and how many went in.
    var positions = RangeSet<Int>()
    var examples = 0
    /// Incarnations that this lane has seen go.
    var gone: Set<UInt64> = []
    /// Those that train under bounded staleness, with the pushes that each has made.
    var clocks: [UInt64: Int] = [:]
    var pauses: [UInt64: UInt64] = [:]
    /// The number of each one's newest request: repeats of older ones come late.
    var newest: [UInt64: Int] = [:]
    var closed = 0
    /// Steps that lack the part of one that is gone, by incarnation.
    var missing: [UInt64: Int] = [:]
    var digest: UInt64 = 14_695_981_039_346_656_037

    mutating func stir(_ number: UInt64) { digest = (digest ^ number) &* 1_099_511_628_211 }
}

extension SimulatedCluster {
    func startServers() {
        bundles = plan.bundles.enumerated().map { number, place in
            let isTable = plan.tables.contains(number)
            return SimulatedBundle(
                server: place.server, lane: place.lane, isTable: isTable,
                state: BundleState(plan.config, isTable: isTable))
        }
        for index in 0..<plan.servers {
            var wire = WireRegisterServer()
            wire.incarnation = UInt64(1000 + index)
            wire.dataAddresses = ["inproc://\(index)"]
            let number = (try? state.registerServer(wire, now: now)) ?? index
            state.serverReady(number, incarnation: wire.incarnation, now: now)
            let lanes = (plan.bundles.filter { $0.server == index }.map(\.lane).max() ?? 0) + 1
            servers.append(
                SimulatedServer(
                    incarnation: wire.incarnation, number: number, acted: Array(repeating: nil, count: lanes),
                    ordered: Array(repeating: nil, count: lanes)))
            beat(server: index)
        }
    }

    // MARK: In touch with the coordinator

    private func facts(_ index: Int) -> LaneFacts {
        let view = servers[index].acted.map { $0?.number ?? 0 }.min() ?? 0
        return LaneFacts(bundles.filter { $0.server == index }.map(\.state), view: view)
    }

    private func beat(server index: Int) {
        servers[index].beat += 1
        var beat = WireHeartbeat()
        beat.role = .server
        beat.number = Int32(servers[index].number)
        beat.incarnation = servers[index].incarnation
        facts(index).tell(in: &beat)
        ask(.heartbeat(beat), .server(index), servers[index].beat)
    }

    func hear(_ reply: ControlReply, server index: Int, _ number: Int) {
        guard servers[index].beat == number, !servers[index].hasLeft else { return }
        guard case .view(let view) = reply else { return breach("server \(index) is taken for dead") }
        if view.phase == .finished || view.phase == .failed {
            servers[index].hasLeft = true
            var leave = WireLeave()
            leave.role = .server
            leave.number = Int32(servers[index].number)
            leave.incarnation = servers[index].incarnation
            facts(index).tell(in: &leave)
            return ask(.leave(leave), .server(index), number)
        }
        for lane in servers[index].ordered.indices where view.number > servers[index].ordered[lane]?.number ?? 0 {
            servers[index].ordered[lane] = view
            queue.add(.laneActs(server: index, lane: lane), at: now + random.microseconds(0...5000))
        }
        beat(server: index)
    }

    func act(_ server: Int, _ lane: Int) {
        guard let view = servers[server].ordered[lane], servers[server].acted[lane] != view else { return }
        let present = Set(view.present.map(\.incarnation))
        let before = servers[server].acted[lane]?.present.map(\.incarnation) ?? []
        servers[server].acted[lane] = view
        for number in bundles.indices where bundles[number].server == server && bundles[number].lane == lane {
            bundles[number].gone.formUnion(before.filter { !present.contains($0) })
            for incarnation in bundles[number].gone { bundles[number].clocks[incarnation] = nil }
            perform(bundles[number].state.act(on: view), number)
        }
    }

    // MARK: Requests

    func serve(_ request: SimulatedRequest) {
        let number = request.bundle
        bundles[number].nextToken += 1
        let token = bundles[number].nextToken
        let holder = request.holder
        bundles[number].parked[token] = SimulatedBundle.Parked(
            number: request.number, request: request, isOfTheGone: bundles[number].gone.contains(holder.incarnation))
        let actions: [BundleState.Action]
        switch request.kind {
        case .pull:
            actions = bundles[number].state.pull(
                holder, pauses: request.clock, from: request.step > 0 ? request.step - 1 : nil, token: token)
        case .wait:
            actions = bundles[number].state.wait(
                holder, step: request.step, examples: request.examples, token: token)
        case .pause: actions = bundles[number].state.pause(holder, pauses: request.clock, token: token)
        case .push, .pushOnly:
            actions = bundles[number].state.push(
                BundleState.Push(
                    holder: holder, step: request.step, batch: request.batch, examples: request.examples,
                    clock: request.clock, wantsValues: request.kind == .push, token: token))
        }
        note(request, number)
        perform(actions, number)
        if bundles[number].parked[token] != nil {
            queue.add(.patience(bundle: number, token: token), at: now + .seconds(2))
        }
    }

    private func perform(_ actions: [BundleState.Action], _ number: Int) {
        for action in actions {
            trace?("   bundle \(number): \(action)")
            switch action {
            case .apply(let update): checkApply(update, number)
            case .answer(let token, let reply):
                guard let waiting = bundles[number].parked.removeValue(forKey: token) else {
                    return breach("bundle \(number) answers a request that does not wait")
                }
                checkAnswer(reply, waiting.request, number)
                let kind: SimulatedReply.Kind
                switch reply.kind {
                case .values: kind = .values
                case .late: kind = .late
                case .done: kind = .done
                }
                respond(
                    waiting, SimulatedReply(kind: kind, number: 0, bundle: number, step: reply.step, clock: reply.clock)
                )
            case .refuse(let token, let reason):
                guard let waiting = bundles[number].parked.removeValue(forKey: token) else {
                    return breach("bundle \(number) refuses a request that does not wait")
                }
                respond(waiting, SimulatedReply(kind: .refused(reason), number: 0, bundle: number))
            case .renew(let token, let by):
                let newer = bundles[number].parked.removeValue(forKey: by)
                forget(bundles[number].parked[token], number)
                bundles[number].parked[token]?.number = newer?.number
                queue.add(.patience(bundle: number, token: token), at: now + .seconds(2))
            case .letGo(let token):
                forget(bundles[number].parked.removeValue(forKey: token), number)
            }
        }
        checkWaiting(number)
    }

    /// A request is not answered: its worker asks again after a while, if it was its newest.
    private func forget(_ waiting: SimulatedBundle.Parked?, _ number: Int) {
        guard let waiting, let asked = waiting.number else { return }
        queue.add(.timeout(worker: waiting.request.worker, bundle: number, number: asked), at: now + .seconds(3))
    }

    func tellWaiting(_ number: Int, _ token: Int) {
        guard let waiting = bundles[number].parked[token], waiting.number != nil else { return }
        respond(waiting, SimulatedReply(kind: .waiting, number: 0, bundle: number))
        bundles[number].parked[token]?.number = nil
    }

    private func respond(_ waiting: SimulatedBundle.Parked, _ reply: SimulatedReply) {
        guard let asked = waiting.number else { return }
        var reply = reply
        reply.number = asked
        let worker = waiting.request.worker
        send(
            .reply(reply, worker: worker),
            orElse: .timeout(worker: worker, bundle: waiting.request.bundle, number: asked))
    }
}
