import Cluster
import Testing

@Suite("Membership")
struct MembershipTests {
    private static func worker(
        _ incarnation: UInt64, joins membership: inout Membership, at now: Duration = .zero
    ) throws -> Int {
        try membership.register(
            NodeRegistration(.worker, host: "h\(incarnation)", pid: 1, version: "1", incarnation: incarnation), now: now
        )
    }

    private static func server(
        _ incarnation: UInt64, joins membership: inout Membership, at now: Duration = .zero
    ) throws -> Int {
        var server = NodeRegistration(.server, host: "h\(incarnation)", pid: 1, version: "1", incarnation: incarnation)
        server.addresses = ["inproc://\(incarnation)"]
        return try membership.register(server, now: now)
    }

    @Test("who is missing is said until the cluster is complete")
    func missing() throws {
        var membership = Membership(servers: 1, workers: 2, timeout: .seconds(5))
        #expect(membership.missing == "2 of 2 workers and 1 server have not joined")
        #expect(try Self.worker(10, joins: &membership) == 0)
        #expect(membership.missing == "1 of 2 workers and 1 server have not joined")
        #expect(try Self.server(20, joins: &membership) == 0)
        #expect(membership.missing == "1 of 2 workers has not joined; server 0 is not ready")
        membership.ready(.server, 0, incarnation: 20, now: .zero)
        #expect(membership.missing == "1 of 2 workers has not joined" && !membership.isComplete)
        #expect(try Self.worker(11, joins: &membership) == 1)
        #expect(membership.missing == nil && membership.isComplete)
    }

    @Test("once complete, a cluster goes on with fewer workers, but not with none and not without a server")
    func later() throws {
        var membership = Membership(servers: 1, workers: 2, timeout: .seconds(5))
        for incarnation: UInt64 in 1...2 { _ = try Self.worker(incarnation, joins: &membership) }
        _ = try Self.server(20, joins: &membership)
        membership.ready(.server, 0, incarnation: 20, now: .zero)
        membership.declareDead(.worker, 0)
        #expect(membership.isComplete)
        membership.leave(.worker, 1, incarnation: 2)
        #expect(!membership.isComplete && membership.missing == "1 worker has not joined")
        #expect(try Self.worker(3, joins: &membership) == 0)
        #expect(membership.isComplete)
        membership.declareDead(.server, 0)
        #expect(membership.missing == "1 server has not joined")
    }

    @Test("a node gets the number it asks for, where that is free and within the job")
    func wanted() throws {
        var membership = Membership(servers: 2, workers: 2, timeout: .seconds(5))
        func node(_ role: Role, _ incarnation: UInt64, _ number: Int?) throws -> Int {
            var node = NodeRegistration(role, host: "h", pid: 1, version: "1", incarnation: incarnation)
            node.wanted = number
            return try membership.register(node, now: .zero)
        }
        func worker(_ incarnation: UInt64, wants number: Int?) throws -> Int { try node(.worker, incarnation, number) }
        func server(_ incarnation: UInt64, wants number: Int?) throws -> Int { try node(.server, incarnation, number) }
        #expect(try worker(1, wants: 1) == 1)
        #expect(try worker(2, wants: 1) == 0, "taken")
        #expect(try worker(3, wants: 7) == 7)
        #expect(try worker(4, wants: nil) == 2)
        #expect(try worker(5, wants: -1) == 3)
        #expect(try server(6, wants: 1) == 1)
        #expect(try server(7, wants: 2) == 0, "the job has two")
        #expect(throws: RegistrationRefused.self) { try server(8, wants: 0) }
    }

    @Test("numbers are the lowest free, and a repeated registration gets the same one")
    func numbers() throws {
        var membership = Membership(servers: 1, workers: 1, timeout: .seconds(5))
        for incarnation: UInt64 in 10...12 {
            #expect(try Self.worker(incarnation, joins: &membership) == Int(incarnation) - 10)
        }
        #expect(try Self.worker(11, joins: &membership) == 1)
        membership.declareDead(.worker, 1)
        #expect(try Self.worker(13, joins: &membership) == 1, "the number of the dead")
        #expect(throws: RegistrationRefused.self) { try Self.worker(11, joins: &membership) }
        #expect(membership.heard(.worker, 1, incarnation: 11, view: 1, now: .zero) == false, "the dead is told so")
        #expect(membership.heard(.worker, 1, incarnation: 13, view: 1, now: .zero) == true)
        #expect(membership.heard(.worker, 7, incarnation: 13, view: 1, now: .zero) == false)
    }

    @Test("a server more than configured is refused with a sentence; one that died is replaced")
    func servers() throws {
        var membership = Membership(servers: 2, workers: 1, timeout: .seconds(5))
        for incarnation: UInt64 in 1...2 { _ = try Self.server(incarnation, joins: &membership) }
        let refusal = #expect(throws: RegistrationRefused.self) { try Self.server(3, joins: &membership) }
        #expect(
            refusal?.description
                == "the job has all its 2 servers (on h1, h2); set cluster.servers to 3 to use one more")
        membership.declareDead(.server, 0)
        #expect(try Self.server(3, joins: &membership) == 0)
    }

    @Test("who is silent for longer than the timeout is dead, once")
    func expiry() throws {
        var membership = Membership(servers: 1, workers: 1, timeout: .seconds(5))
        for incarnation: UInt64 in 1...3 { _ = try Self.worker(incarnation, joins: &membership) }
        #expect(membership.heard(.worker, 1, incarnation: 2, view: 0, steps: 7, now: .seconds(4)) == true)
        membership.leave(.worker, 2, incarnation: 3)
        #expect(membership.expire(now: .seconds(5)).isEmpty)
        let dead = membership.expire(now: .seconds(6))
        #expect(dead.map(\.name) == ["worker 0"] && dead.map(\.state) == [.dead])
        #expect(membership.expire(now: .seconds(7)).isEmpty)
        #expect(membership.heard(.worker, 0, incarnation: 1, view: 0, now: .seconds(7)) == false)
        #expect(membership.nodes.map(\.state) == [.dead, .joined, .left])
        #expect(membership.node(.worker, 1)?.steps == 7)
    }

    @Test("a view has the ready servers, and workers with ranks without gaps")
    func view() throws {
        var membership = Membership(servers: 2, workers: 3, timeout: .seconds(5))
        for incarnation: UInt64 in 10...12 { _ = try Self.worker(incarnation, joins: &membership) }
        for incarnation: UInt64 in 20...21 { _ = try Self.server(incarnation, joins: &membership) }
        membership.ready(.server, 1, incarnation: 21, now: .zero)
        membership.declareDead(.worker, 1)
        let expected = ClusterView(
            number: 4, phase: .training, reason: "worker 1 died",
            servers: [.init(number: 1, addresses: ["inproc://21"], incarnation: 21)],
            workers: [.init(number: 0, rank: 0, incarnation: 10), .init(number: 2, rank: 1, incarnation: 12)])
        #expect(membership.view(number: 4, phase: .training, reason: "worker 1 died") == expected)
    }

    @Test("a worker that is leaving has no rank, and its wish counts once and only while it lives")
    func leaving() throws {
        var membership = Membership(servers: 1, workers: 3, timeout: .seconds(5))
        for incarnation: UInt64 in 10...12 { _ = try Self.worker(incarnation, joins: &membership) }
        #expect(membership.beginLeaving(1, incarnation: 11) == true)
        #expect(membership.beginLeaving(1, incarnation: 11) == false)
        #expect(membership.beginLeaving(2, incarnation: 99) == false)
        let view = membership.view(number: 2, phase: .training)
        #expect(view.workers.map(\.number) == [0, 2] && view.workers.map(\.rank) == [0, 1])
        #expect(view.leaving == [WorkerIdentity(worker: 1, incarnation: 11)] && view.present.count == 3)
        membership.leave(.worker, 1, incarnation: 11)
        #expect(membership.view(number: 3, phase: .training).leaving == [])
    }

    @Test("a view is in force once every configured server acts on it")
    func acknowledgedView() throws {
        var membership = Membership(servers: 2, workers: 1, timeout: .seconds(5))
        _ = try Self.server(1, joins: &membership)
        #expect(membership.heard(.server, 0, incarnation: 1, view: 4, now: .zero) == true)
        #expect(!membership.allServersActOn(view: 3))
        _ = try Self.server(2, joins: &membership)
        #expect(!membership.allServersActOn(view: 3))
        #expect(membership.heard(.server, 1, incarnation: 2, view: 3, now: .zero) == true)
        #expect(membership.allServersActOn(view: 3) && !membership.allServersActOn(view: 4))
        #expect(membership.heard(.server, 0, incarnation: 1, view: 2, now: .zero) == true, "late news")
        #expect(membership.allServersActOn(view: 3))
    }
}
