import Cluster
import Training

/// A whole job in virtual time: the state machines that coordinator, servers and workers run, between them a network that
/// delays, reorders, repeats and loses messages, and workers that come, sleep, leave and die. One seed decides it all.
///
/// What must be so whatever happens is checked as it happens; the first breach ends the run.
final class SimulatedCluster {
    /// What a run came to.
    struct Outcome: Sendable {
        /// nil where the job did not end.
        var status: JobReport.Status?
        var reason: String?
        /// What must not be, in the order in which it was noticed.
        var breaches: [String]
        var events: Int
        var seconds: Double
        var leasedAgain: Int
        /// Workers taken for dead.
        var deaths: Int
        var missedExamples: Int
        var repeatedExamples: Int
        var tally: WorkerTally
        /// Of every shard, what was applied in which order with which weights: the same for two runs whose values are.
        var digest: UInt64
    }

    let plan: SimulationPlan
    var random: SimulationRandom
    var queue = EventQueue<SimulatedEvent>()
    var now = Duration.zero
    var state: JobState
    var schedule: BatchSchedule
    var servers: [SimulatedServer] = []
    var shards: [SimulatedShard] = []
    var workers: [SimulatedWorker] = []
    /// Views by number, from 1.
    var views: [UInt64: ClusterView] = [:]
    /// A heartbeat that waits for a newer view.
    struct HeldBeat {
        let node: SimulatedNode
        let number: Int
        let report: NodeReport
        let since: Duration
    }

    var held: [HeldBeat] = []
    var breaches: [String] = []
    var joinsLeft = 0
    /// That were complete.
    var checkpoints = 0
    var deaths = 0
    /// Whether nobody has died.
    var isPeaceful: Bool { plan.isPeaceful && plan.stop == nil && deaths == 0 }
    private var hasBegun = false
    private var overSince: Duration?
    private var events = 0
    let trace: ((String) -> Void)?

    /// Heartbeats are held so long, and missed after so long.
    static let interval = Duration.milliseconds(500)

    /// - Parameter trace: gets a line for each event.
    init(_ plan: SimulationPlan, trace: ((String) -> Void)? = nil) {
        self.plan = plan
        self.trace = trace
        random = SimulationRandom(seed: plan.seed ^ 0x5EED ^ plan.noise << 32)
        schedule = BatchSchedule(of: plan.examples, batch: plan.batch, seed: 1)
        state = JobState(
            JobState.Facts(
                config: plan.config, fingerprint: "", variables: [], totalSteps: plan.steps, schedule: schedule,
                evaluationBatches: plan.evaluationBatches, jobKey: 1))
    }

    /// Runs the job to its end.
    func run() -> Outcome {
        startServers()
        for _ in 0..<plan.workers { addWorker(within: 20_000) }
        queue.add(.tick, at: .zero)
        while breaches.isEmpty, !isOver, let (time, event) = queue.next() {
            now = time
            events += 1
            if events > 300_000 || now > .seconds(400) {
                breach("the job does not end: \(stall)")
                break
            }
            handle(event)
        }
        if breaches.isEmpty, !isOver { breach("nothing happens any more: \(stall)") }
        if breaches.isEmpty { checkEnd() }
        return Outcome(
            status: state.outcome?.status, reason: state.outcome?.reason, breaches: breaches, events: events,
            seconds: now / .seconds(1), leasedAgain: state.leasedAgain, deaths: deaths,
            missedExamples: state.missedExamples, repeatedExamples: state.repeatedExamples,
            tally: state.tally(), digest: shards.reduce(0) { ($0 &* 31) ^ $1.digest })
    }

    /// As `Coordinator.run` ends: every node hears of the end and leaves; the dead are not waited for.
    private var isOver: Bool {
        guard state.phase == .finished || state.phase == .failed else { return false }
        overSince = overSince ?? now
        return state.membership.nodes.allSatisfy { !$0.isAlive } || now - overSince! > .seconds(3)
    }

    private var stall: String {
        let waiting = shards.indices.flatMap { number in
            shards[number].waiting.filter { $0.value.sequence != nil }.map { token, entry in
                "worker \(entry.request.worker.worker)'s \(entry.request.request) at shard \(number) for "
                    + "\(shards[number].state.awaited(by: token))"
            }
        }
        let tasks = workers.filter { !$0.isGone }.map { "worker \($0.number ?? -1) is \($0.stage), \($0.state.task)" }
        return "\(state.phase) at step \(state.step); " + (waiting + tasks).joined(separator: "; ")
    }

    func breach(_ sentence: @autoclosure () -> String) {
        breaches.append("\(now / .milliseconds(1)) ms: \(sentence())")
    }

    // MARK: Events

    private func handle(_ event: SimulatedEvent) {
        if let sleeper = sleeper(of: event) { return queue.add(event, at: workers[sleeper].sleepsUntil) }
        if let trace {
            if case .tick = event {} else { trace("\(now / .milliseconds(1)) ms: \(event)") }
        }
        switch event {
        case .tick:
            coordinate()
            queue.add(.tick, at: now + .milliseconds(100))
        case .fault(let fault): strike(fault)
        case .stop:
            state.stop(now: false, "asked", now: now)
            coordinate()
        case .request(let request): serve(request)
        case .reply(let reply, let worker): hear(reply, worker)
        case .control(let request, let node, let number): handle(request, node, number)
        case .controlReply(let reply, let node, let number):
            switch node {
            case .server(let index): hear(reply, server: index, number)
            case .worker(let index): hear(reply, worker: index, number)
            }
        case .executorActs(let server, let executor): act(server, executor)
        case .patience(let shard, let token): answerPatience(shard, token)
        case .timeout(let worker, let shard, let sequence): retry(worker, shard, sequence)
        case .controlTimeout(let node, let number):
            if case .worker(let index) = node { retryControl(index, number) }
        case .exited(let pid):
            state.declareDead(.worker, pid: pid, "was killed", now: now)
            coordinate()
        case .woke(let worker, let turn):
            if workers[worker].turn == turn { wake(worker) }
        }
    }

    /// The worker that an event is for, if it sleeps.
    private func sleeper(of event: SimulatedEvent) -> Int? {
        let worker: Int
        switch event {
        case .reply(_, let index), .timeout(let index, _, _), .woke(let index, _): worker = index
        case .controlReply(_, .worker(let index), _), .controlTimeout(.worker(let index), _): worker = index
        default: return nil
        }
        return workers[worker].sleepsUntil > now ? worker : nil
    }

    private func strike(_ fault: SimulationPlan.Fault) {
        if fault == .join {
            joinsLeft -= 1
            if state.phase == .training { addWorker(within: 1000) }
            return
        }
        let living = workers.indices.filter {
            !workers[$0].isGone && !workers[$0].isAskedToLeave && workers[$0].sleepsUntil <= now
        }
        // Somebody has to do the work.
        guard living.count > 1 || joinsLeft > 0 && !living.isEmpty, state.phase == .training else { return }
        let victim = living[random.whole(0...living.count - 1)]
        switch fault {
        case .crash(let isSeen):
            end(victim, isSeen: isSeen)
        case .sleep: workers[victim].sleepsUntil = now + random.microseconds(3_000_000...20_000_000)
        case .leave: workers[victim].isAskedToLeave = true
        case .join: break
        }
    }

    /// What the plan holds for a job that trains begins when it does.
    func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        joinsLeft = plan.faults.count { $0.fault == .join }
        for (time, fault) in plan.faults { queue.add(.fault(fault), at: now + time) }
        if let stop = plan.stop { queue.add(.stop, at: now + stop) }
    }

    // MARK: The network

    /// How long a message takes.
    func delay() -> Duration {
        guard random.chance(plan.straggle) else { return random.microseconds(50...500) }
        return random.chance(0.02) ? random.microseconds(100_000...4_000_000) : random.microseconds(500...40_000)
    }

    /// Sends between workers and servers: 0, 1 or 2 copies arrive. `expires` is added if none may arrive in time.
    func send(_ event: SimulatedEvent, orElse expires: SimulatedEvent) {
        if random.chance(plan.drop) { return queue.add(expires, at: now + .seconds(3)) }
        let delay = delay()
        queue.add(event, at: now + delay)
        if delay > .seconds(2) { queue.add(expires, at: now + .seconds(3)) }
        if random.chance(plan.duplicate) { queue.add(event, at: now + delay + self.delay() * random.whole(1...20)) }
    }
}
