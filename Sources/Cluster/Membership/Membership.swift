/// Who has joined, who lives, and who is still awaited.
///
/// Time is passed in as the duration since the coordinator's start.
package struct Membership: Sendable {
    package let servers: Int
    package private(set) var workers: Int
    /// A node that is silent for longer is dead.
    package let timeout: Duration

    private var nodesByRole: [Role: [Int: Member]] = [.server: [:], .worker: [:]]
    private var ended: Set<UInt64> = []
    private var wasComplete = false

    package init(servers: Int, workers: Int, timeout: Duration) {
        if servers < 1 || workers < 1 { fatalError("a cluster of \(servers) servers and \(workers) workers") }
        self.servers = servers
        self.workers = workers
        self.timeout = timeout
    }

    /// All nodes, also those that left or died and have no successor: servers, then workers, by number.
    package var nodes: [Member] {
        [Role.server, .worker].flatMap { role in nodesByRole[role, default: [:]].values.sorted { $0.number < $1.number }
        }
    }

    package func node(_ role: Role, _ number: Int) -> Member? { nodesByRole[role]?[number] }

    /// Whether this node has joined and neither left nor died.
    package func hasLiving(_ role: Role, _ number: Int, incarnation: UInt64) -> Bool {
        node(role, number).map { $0.incarnation == incarnation && $0.isAlive } ?? false
    }

    /// The living of one role, by number.
    package func alive(_ role: Role) -> [Member] { nodes.filter { $0.role == role && $0.isAlive } }

    /// Begins with one worker less than configured, because one has died before the cluster was complete.
    package mutating func expectOneWorkerLess() { workers = max(workers - 1, 1) }

    // MARK: Joining

    /// Gives a node the number it wants, or where that is taken the lowest free one, which may be that of a dead node; the same
    /// node gets the same again.
    ///
    /// Workers beyond the configured number are welcome.
    ///
    /// - Throws: `RegistrationRefused` if the job has all its servers, if this incarnation has ended, or if numbers have run out.
    package mutating func register(
        _ registration: NodeRegistration, now: Duration
    ) throws(RegistrationRefused) -> Int {
        let node = Member(
            role: registration.role, number: 0, host: registration.host, pid: registration.pid,
            addresses: registration.addresses, version: registration.version, corePool: registration.corePool,
            incarnation: registration.incarnation, lastHeard: now)
        return try register(
            node, wanted: registration.wanted,
            atMost: registration.role == .server ? servers : Limit.node.range.count)
    }

    private mutating func register(
        _ newcomer: Member, wanted: Int?, atMost limit: Int
    ) throws(RegistrationRefused) -> Int {
        let known = nodesByRole[newcomer.role, default: [:]]
        guard !ended.contains(newcomer.incarnation) else {
            throw RegistrationRefused(
                description:
                    "this \(newcomer.role.rawValue) on \(newcomer.host) has left the job or was declared dead; "
                    + "start a new process")
        }
        if let same = known.values.first(where: { $0.incarnation == newcomer.incarnation }) {
            nodesByRole[newcomer.role]?[same.number]?.lastHeard = newcomer.lastHeard
            return same.number
        }
        func isFree(_ number: Int) -> Bool { known[number]?.isAlive != true }
        var number = 0
        if let wanted, (0..<limit).contains(wanted), isFree(wanted) { number = wanted }
        while !isFree(number) { number += 1 }
        guard number < limit else {
            guard newcomer.role == .server else {
                throw RegistrationRefused(description: "the job has \(limit) workers; it takes no more")
            }
            let taken = known.values.filter(\.isAlive).sorted { $0.number < $1.number }
            throw RegistrationRefused(
                description: "the job has all its \(limit) servers (on \(taken.map(\.host).joined(separator: ", "))); "
                    + "set cluster.servers to \(limit + 1) to use one more")
        }
        var node = newcomer
        node.number = number
        nodesByRole[node.role]?[number] = node
        noteCompleteness()
        return number
    }

    // MARK: Living

    /// Notes that a server has its values, or that a worker has pulled them; false for an unknown or ended incarnation.
    @discardableResult
    package mutating func ready(_ role: Role, _ number: Int, incarnation: UInt64, now: Duration) -> Bool {
        update(role, number, incarnation) { node in
            node.state = .ready
            node.lastHeard = max(node.lastHeard, now)
        }
    }

    /// Notes a sign of life; false for an unknown or ended incarnation, which is then told so.
    ///
    /// - Parameters:
    ///   - view: the newest view that the node acts on.
    ///   - steps: its updates so far, if it says.
    package mutating func heard(
        _ role: Role, _ number: Int, incarnation: UInt64, view: UInt64, steps: Int? = nil, now: Duration
    ) -> Bool {
        update(role, number, incarnation) { node in
            node.lastHeard = max(node.lastHeard, now)
            node.view = max(node.view, view)
            // A heartbeat that comes late takes nothing back.
            node.steps = max(steps ?? 0, node.steps)
        }
    }

    /// Notes that a worker is to have no part of steps that later views divide; true if that is new.
    package mutating func beginLeaving(_ number: Int, incarnation: UInt64) -> Bool {
        guard node(.worker, number)?.isLeaving == false else { return false }
        return update(.worker, number, incarnation) { $0.isLeaving = true }
    }

    /// Whether this incarnation has left or was declared dead.
    package func hasEnded(_ incarnation: UInt64) -> Bool { ended.contains(incarnation) }

    /// Ends a node in good order; false for an unknown or ended incarnation.
    @discardableResult
    package mutating func leave(_ role: Role, _ number: Int, incarnation: UInt64) -> Bool {
        update(role, number, incarnation) { $0.state = .left }
    }

    /// Declares dead who was silent for longer than `timeout`, and returns them.
    package mutating func expire(now: Duration) -> [Member] {
        nodes.filter { $0.isAlive && now - $0.lastHeard > timeout }
            .compactMap { declareDead($0.role, $0.number) }
    }

    /// Declares a node dead and returns it; nil if it wasn't alive.
    @discardableResult
    package mutating func declareDead(_ role: Role, _ number: Int) -> Member? {
        guard let node = node(role, number), node.isAlive else { return nil }
        _ = update(role, number, node.incarnation) { $0.state = .dead }
        return self.node(role, number)
    }

    private mutating func update(
        _ role: Role, _ number: Int, _ incarnation: UInt64, _ change: (inout Member) -> Void
    ) -> Bool {
        guard var node = nodesByRole[role]?[number], node.incarnation == incarnation, node.isAlive else { return false }
        change(&node)
        nodesByRole[role]?[number] = node
        if !node.isAlive { ended.insert(incarnation) }
        noteCompleteness()
        return true
    }

    // MARK: The whole

    private mutating func noteCompleteness() { wasComplete = wasComplete || isComplete }

    /// Every configured server is ready, and every configured worker has joined; after that was so once, one is enough.
    package var isComplete: Bool {
        alive(.server).count(where: { $0.state == .ready }) == servers
            && alive(.worker).count >= (wasComplete ? 1 : workers)
    }

    /// What keeps the cluster from being complete, as in "1 of 2 workers and 1 server have not joined"; nil if nothing does.
    package var missing: String? {
        let serversJoined = alive(.server)
        let workersNeeded = wasComplete ? 1 : workers
        var parts: [String] = []
        let absentWorkers = workersNeeded - alive(.worker).count
        if absentWorkers > 0 { parts.append(Self.part(absentWorkers, of: workersNeeded, "worker")) }
        let absentServers = servers - serversJoined.count
        if absentServers > 0 { parts.append(Self.part(absentServers, of: servers, "server")) }
        let isOne = max(absentWorkers, 0) + absentServers == 1
        var sentences: [String] = []
        if !parts.isEmpty {
            sentences.append(parts.joined(separator: " and ") + (isOne ? " has not joined" : " have not joined"))
        }
        let unready = serversJoined.filter { $0.state != .ready }
        if !unready.isEmpty {
            sentences.append(
                unready.map(\.name).joined(separator: " and ") + (unready.count == 1 ? " is" : " are") + " not ready")
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
    }

    private static func part(_ absent: Int, of all: Int, _ noun: String) -> String {
        all == 1 ? "1 \(noun)" : "\(absent) of \(all) \(noun)s"
    }

    /// The living as a view: servers that are ready, and workers with ranks in the order of their numbers.
    package func view(number: UInt64, phase: Phase, reason: String = "") -> ClusterView {
        var sharing: [String: Int] = [:]
        for worker in alive(.worker) { sharing[worker.corePool, default: 0] += 1 }
        return ClusterView(
            number: number, phase: phase, reason: reason,
            servers: alive(.server).filter { $0.state == .ready }.map {
                .init(number: $0.number, addresses: $0.addresses, incarnation: $0.incarnation)
            },
            workers: alive(.worker).filter { !$0.isLeaving }.enumerated().map { rank, node in
                .init(
                    number: node.number, rank: rank, incarnation: node.incarnation,
                    sharing: node.corePool.isEmpty ? 1 : sharing[node.corePool] ?? 1)
            },
            leaving: alive(.worker).filter(\.isLeaving).map {
                WorkerIdentity(worker: $0.number, incarnation: $0.incarnation)
            })
    }

    /// Every configured server lives and acts on this view or a newer one, so that all refuse whom it lacks.
    package func allServersActOn(view: UInt64) -> Bool {
        let living = alive(.server)
        return living.count == servers && living.allSatisfy { $0.view >= view }
    }
}
