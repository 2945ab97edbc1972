import Cluster

/// A server: what its executors act on, and its heartbeats.
struct SimulatedServer {
    let incarnation: UInt64
    var number: Int
    /// The newest view that each executor acts on, and the one that it is to act on.
    var acted: [ClusterView?]
    var ordered: [ClusterView?]
    /// Of the heartbeat that waits for an answer.
    var beat = 0
    var hasLeft = false
    /// Reports of checkpoints.
    var sequence: UInt64 = 0
    /// By step, the shards that have been saved.
    var saved: [Int: [Int: ShardSnapshot]] = [:]
}

/// A shard, and what the simulation knows of it by itself.
struct SimulatedShard {
    struct Waiting {
        /// nil if it is answered, or while the worker, told to wait, has not asked again.
        var sequence: UInt64?
        let request: SimulatedRequest
        /// It came after its worker had departed for this executor.
        let isLate: Bool
    }

    let server: Int
    let executor: Int
    let isEmbeddingTable: Bool
    var state: ShardState
    var waiting: [Int: Waiting] = [:]
    var nextToken = 0

    // MARK: What is known without `state`

    /// Steps applied, by incarnation.
    var applied: [UInt64: Set<Int>] = [:]
    /// Examples in the values, by their positions, and how many went in.
    var positions = RangeSet<Int>()
    var examples = 0
    /// Incarnations that have departed for this executor.
    var departed: Set<UInt64> = []
    /// Those that train under bounded staleness, with the pushes that each has made.
    var clocks: [UInt64: Int] = [:]
    var pauses: [UInt64: Int] = [:]
    /// The number of each one's newest request: repeats of older ones come late.
    var newest: [UInt64: UInt64] = [:]
    /// By step, whose gradients it has.
    var members: [[WorkerIdentity]] = []
    /// The examples in the values of each checkpoint.
    var saved: [Int: RangeSet<Int>] = [:]
    var digest: UInt64 = 14_695_981_039_346_656_037

    mutating func stir(_ number: UInt64) { digest = (digest ^ number) &* 1_099_511_628_211 }
}

extension SimulatedCluster {
    func startServers() {
        shards = plan.shards.enumerated().map { number, place in
            let isEmbeddingTable = plan.embeddings.contains(number)
            return SimulatedShard(
                server: place.server, executor: place.executor, isEmbeddingTable: isEmbeddingTable,
                state: ShardState(
                    ShardState.Rule(plan.config, isLead: number == plan.lead, isEmbeddingTable: isEmbeddingTable),
                    saving: CheckpointSchedule(everySteps: plan.checkpointEvery)))
        }
        state.checkpoints.writers = Set(plan.shards.map(\.server))
        for index in 0..<plan.servers {
            var node = NodeRegistration(.server, incarnation: UInt64(1000 + index))
            node.addresses = ["inproc://\(index)"]
            node.wanted = index
            let number = (try? state.register(node, now: now)) ?? index
            state.serverReady(number, incarnation: node.incarnation, now: now)
            let executors = (plan.shards.filter { $0.server == index }.map(\.executor).max() ?? 0) + 1
            servers.append(
                SimulatedServer(
                    incarnation: node.incarnation, number: number, acted: Array(repeating: nil, count: executors),
                    ordered: Array(repeating: nil, count: executors)))
            beat(server: index)
        }
    }

    // MARK: In touch with the coordinator

    private func report(_ index: Int) -> NodeReport {
        let view = servers[index].acted.map { $0?.number ?? 0 }.min() ?? 0
        var report = NodeReport(.server, servers[index].number, incarnation: servers[index].incarnation)
        let server = ServerReport(shards.filter { $0.server == index }.map(\.state), view: view)
        (report.server, report.view, report.step) = (server, view, server.step ?? 0)
        return report
    }

    private func beat(server index: Int) {
        servers[index].beat += 1
        ask(.heartbeat(report(index)), .server(index), servers[index].beat)
    }

    func hear(_ reply: ControlReply, server index: Int, _ number: Int) {
        guard servers[index].beat == number, !servers[index].hasLeft else { return }
        guard case .view(let view) = reply else { return breach("server \(index) is taken for dead") }
        if view.phase == .finished || view.phase == .failed {
            servers[index].hasLeft = true
            var last = report(index)
            last.view = nil
            return ask(.leave(last), .server(index), number)
        }
        for executor in servers[index].ordered.indices
        where view.number > servers[index].ordered[executor]?.number ?? 0 {
            servers[index].ordered[executor] = view
            queue.add(.executorActs(server: index, executor: executor), at: now + random.microseconds(0...5000))
        }
        beat(server: index)
    }

    func act(_ server: Int, _ executor: Int) {
        guard let view = servers[server].ordered[executor], servers[server].acted[executor] != view else { return }
        let present = Set(view.present.map(\.incarnation))
        let before = servers[server].acted[executor]?.present.map(\.incarnation) ?? []
        servers[server].acted[executor] = view
        for number in shards.indices where shards[number].server == server && shards[number].executor == executor {
            shards[number].departed.formUnion(before.filter { !present.contains($0) })
            for incarnation in shards[number].departed { shards[number].clocks[incarnation] = nil }
            perform(shards[number].state.act(on: view), number)
        }
    }

    private func save(_ number: Int, step: Int) {
        let server = shards[number].server
        shards[number].saved[step] = shards[number].positions
        servers[server].saved[step, default: [:]][number] = ShardSnapshot(
            blocks: "\(number)", applied: shards[number].state.appliedBatches(atStep: step),
            absent: shards[number].state.closing?.absent ?? [])
        guard let saved = servers[server].saved[step],
            saved.count == shards.count(where: { $0.server == server })
        else { return }
        servers[server].sequence += 1
        var part = CheckpointPart(step: step, shards: saved.sorted { $0.key < $1.key }.map(\.value))
        part.bytes = 1
        ask(
            .checkpoint(part, server: servers[server].number, sequence: servers[server].sequence), .server(server), 0)
    }

    // MARK: Requests

    func serve(_ request: SimulatedRequest) {
        let number = request.shard
        shards[number].nextToken += 1
        let token = shards[number].nextToken
        shards[number].waiting[token] = SimulatedShard.Waiting(
            sequence: request.sequence, request: request,
            isLate: shards[number].departed.contains(request.worker.incarnation))
        let actions = shards[number].state.handle(request.request, of: request.worker, token: token)
        note(request, number)
        perform(actions, number)
        if shards[number].waiting[token]?.sequence != nil {
            queue.add(.patience(shard: number, token: token), at: now + .seconds(2))
        }
    }

    private func perform(_ actions: [ShardState.Action], _ number: Int) {
        for action in actions {
            trace?("   shard \(number): \(action)")
            switch action {
            case .apply(let update): checkApply(update, number)
            case .save(let step): save(number, step: step)
            case .answer(let token, let reply):
                guard let waiting = shards[number].waiting[token] else {
                    breach("shard \(number) answers a request that does not wait")
                    return
                }
                checkAnswer(reply, waiting.request, number)
                if let sequence = waiting.sequence {
                    respond(SimulatedReply(shard: number, sequence: sequence, reply: reply), waiting.request.index)
                }
                shards[number].waiting[token]?.sequence = nil
                if reply != .held { shards[number].waiting[token] = nil }
            case .renew(let token, let by):
                let newer = shards[number].waiting.removeValue(forKey: by)
                forget(shards[number].waiting[token], number)
                shards[number].waiting[token]?.sequence = newer?.sequence
                queue.add(.patience(shard: number, token: token), at: now + .seconds(2))
            case .drop(let token): forget(shards[number].waiting.removeValue(forKey: token), number)
            }
        }
        checkWaiting(number)
    }

    /// A request is not answered: its worker asks again after a while, if it was its newest.
    private func forget(_ waiting: SimulatedShard.Waiting?, _ number: Int) {
        guard let waiting, let sequence = waiting.sequence else { return }
        queue.add(
            .timeout(worker: waiting.request.index, shard: number, sequence: sequence), at: now + .seconds(3))
    }

    func answerPatience(_ number: Int, _ token: Int) {
        guard let waiting = shards[number].waiting[token], let sequence = waiting.sequence else { return }
        respond(SimulatedReply(shard: number, sequence: sequence, reply: .waiting("")), waiting.request.index)
        shards[number].waiting[token]?.sequence = nil
    }

    private func respond(_ reply: SimulatedReply, _ worker: Int) {
        send(
            .reply(reply, worker: worker),
            orElse: .timeout(worker: worker, shard: reply.shard, sequence: reply.sequence))
    }
}
