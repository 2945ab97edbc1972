import Cluster
import Foundation
import Testing
import Training

@Suite("A job that is asked to end")
struct StoppingTests {
    /// A job of one server and two workers that trains, as its coordinator sees it.
    private struct Job {
        var state: JobState
        var now = Duration.zero

        init(_ keys: String = "checkpoint.directory=/nowhere") throws {
            let config = try JobConfig.parse(
                yaml: "train: {batch: 10, steps: 40}\ncluster: {servers: 1, workers: 2}",
                overrides: keys.split(separator: " ").map(String.init))
            state = JobState(
                JobState.Facts(
                    config: config, fingerprint: "", variables: [], totalSteps: 40,
                    schedule: BatchSchedule(of: 75, batch: 10, seed: 1), evaluationBatches: 0, jobKey: 1))
            var server = NodeRegistration(.server, incarnation: 1)
            server.addresses = ["inproc://1"]
            state.serverReady(try state.register(server, now: now), incarnation: 1, now: now)
            for incarnation in [2, 3] as [UInt64] {
                _ = try state.register(
                    NodeRegistration(.worker, pid: Int(incarnation), incarnation: incarnation), now: now)
            }
            advance(.zero)
        }

        mutating func advance(_ time: Duration) {
            now += time
            state.advance(now: now)
        }

        mutating func beat(_ role: Role, _ number: Int, leaving: Bool = false, lead: LeadReport? = nil) {
            var beat = NodeReport(role, number, incarnation: role == .server ? 1 : UInt64(number) + 2)
            (beat.view, beat.isLeaving) = (state.view.number, leaving)
            if role == .server {
                beat.server = ServerReport()
                beat.server?.lead = lead
            }
            _ = state.heard(beat, now: now)
            state.advance(now: now)
        }

        mutating func leave(_ number: Int) {
            state.leave(NodeReport(.worker, number, incarnation: UInt64(number) + 2), now: now)
            state.advance(now: now)
        }
    }

    @Test("a synchronous job is saved as its lead shard has closed it, whoever was to bring that to the others")
    func synchronous() throws {
        var job = try Job("checkpoint.directory=/nowhere cluster.consistency=sync")
        job.state.stop(now: false, "interrupted", now: job.now)
        for worker in [0, 1] { job.leave(worker) }
        #expect(job.state.phase == .closing)
        job.advance(.milliseconds(10))
        #expect(job.state.phase == .closing, "the servers have not said which step was the last")
        let members = [WorkerIdentity(worker: 1, incarnation: 3)]
        let absent = AbsentPart(step: 4, rank: 0, parts: 2)
        job.beat(.server, 0, lead: LeadReport(steps: 5, members: members, absent: [absent]))
        #expect(job.state.phase == .saving && job.state.view.checkpointStep == 5)
        #expect(job.state.view.closed == ClosedStep(step: 4, members: members))
        #expect(job.state.missing(inCheckpoint: 5) == RangeSet(40..<45) && job.state.missedExamples == 5)
    }

    @Test("a synchronous job of which no step is closed is saved as it began")
    func synchronousAtOnce() throws {
        var job = try Job("checkpoint.directory=/nowhere cluster.consistency=sync")
        job.state.stop(now: false, "interrupted", now: job.now)
        for worker in [0, 1] { job.leave(worker) }
        job.beat(.server, 0, lead: LeadReport(steps: 0))
        #expect(job.state.phase == .saving && job.state.view.closed == nil)
    }

    @Test("a server that was asked to end has the whole job saved, however often it says so")
    func serverAsked() throws {
        var job = try Job()
        #expect(job.state.phase == .training)
        job.beat(.server, 0, leaving: true)
        #expect(job.state.phase == .stopping && job.state.view.reason == "server 0 was asked to end")
        job.leave(0)
        job.beat(.server, 0, leaving: true)
        #expect(job.state.phase == .stopping)
        job.leave(1)
        #expect(job.state.phase == .saving)
    }

    @Test("asked before training, nothing is to be saved")
    func serverAskedEarly() throws {
        var job = try Job("cluster.workers=3 checkpoint.directory=/nowhere")
        #expect(job.state.phase == .waiting)
        job.beat(.server, 0, leaving: true)
        #expect(job.state.phase == .finished)
    }

    @Test("a step that takes long is waited for, a worker that is silent is not")
    func slowWorker() throws {
        var job = try Job()
        job.state.stop(now: false, "interrupted", now: job.now)
        job.leave(0)
        for _ in 0..<12 {
            job.advance(.milliseconds(500))
            job.beat(.server, 0)
            job.beat(.worker, 1)
        }
        #expect(job.state.phase == .stopping)
        job.advance(.milliseconds(1400))
        #expect(job.state.phase == .saving)
    }

    @Test("half of the time is kept for the servers, and then the job ends all the same")
    func deadline() throws {
        var job = try Job("cluster.stop_timeout=8 checkpoint.directory=/nowhere")
        job.state.stop(now: false, "interrupted", now: job.now)
        var phases: [Int: Phase] = [:]
        for half in 1...17 {
            job.advance(.milliseconds(500))
            job.beat(.server, 0)
            for worker in [0, 1] as [Int] { job.beat(.worker, worker) }
            phases[half] = job.state.phase
        }
        #expect(phases[7] == .stopping && phases[8] == .saving && phases[16] == .saving && phases[17] == .finished)
    }

    @Test(
        "a server that dies while the last checkpoint is written ends the wait for it", arguments: ["async", "sync"])
    func serverDies(consistency: String) throws {
        var job = try Job("checkpoint.directory=/nowhere cluster.consistency=\(consistency)")
        job.state.stop(now: false, "interrupted", now: job.now)
        for worker in [0, 1] as [Int] { job.leave(worker) }
        #expect(job.state.phase == (consistency == "sync" ? .closing : .saving))
        job.state.declareDead(.server, pid: 0, "was killed by SIGKILL", now: job.now)
        #expect(job.state.phase == .finished)
    }

    @Test("a job that has lost all its workers is saved before it fails")
    func noWorker() throws {
        var job = try Job("cluster.join_timeout=5 checkpoint.directory=/nowhere")
        for worker in [0, 1] as [Int] { job.leave(worker) }
        for _ in 0..<2 {
            job.advance(.seconds(2))
            job.beat(.server, 0)
        }
        #expect(job.state.phase == .training)
        job.advance(.seconds(2))
        #expect(job.state.phase == .saving)
        var unsaved = try Job("cluster.join_timeout=5")
        for worker in [0, 1] as [Int] { unsaved.leave(worker) }
        for _ in 0..<4 {
            unsaved.advance(.seconds(2))
            unsaved.beat(.server, 0)
        }
        #expect(unsaved.state.phase == .failed)
    }

    @Test("workers of the same cores are told how many they are")
    func sharing() throws {
        var membership = Membership(servers: 1, workers: 2, timeout: .seconds(10))
        for (incarnation, pool) in [(1, "a"), (2, "b"), (3, "a"), (4, ""), (5, "")] as [(UInt64, String)] {
            var worker = NodeRegistration(.worker, host: "h", pid: 1, incarnation: incarnation)
            worker.corePool = pool
            _ = try membership.register(worker, now: .zero)
        }
        #expect(membership.view(number: 1, phase: .training).workers.map(\.sharing) == [2, 1, 2, 1, 1])
        _ = membership.declareDead(.worker, 2)
        #expect(membership.view(number: 2, phase: .training).workers.map(\.sharing) == [1, 1, 1, 1])
    }
}

@Suite("A node's own pause")
struct PauseRecordTests {
    @Test("the last long pause is known until the coordinator answers what was asked after it")
    func pauses() {
        var record = PauseRecord()
        record.slept(from: .zero, to: .milliseconds(400))
        #expect(record.pause == nil)
        record.slept(from: .seconds(1), to: .seconds(21))
        #expect(record.pause == .seconds(20))
        record.answered(began: .seconds(1))
        record.slept(from: .seconds(21), to: .seconds(21.1))
        #expect(record.pause == .seconds(20))
        record.answered(began: .seconds(22))
        #expect(record.pause == nil)
    }

    @Test("a pause counts from the moment the process goes on, before its short sleep is noted as over")
    func ongoing() {
        var record = PauseRecord()
        record.sleeps(from: .seconds(10))
        #expect(record.pause(at: .seconds(10.1)) == nil)
        #expect(record.pause(at: .seconds(14)) == .seconds(4))
        record.slept(from: .seconds(10), to: .seconds(14))
        #expect(record.pause(at: .seconds(14.2)) == .seconds(4))
    }
}

@Suite("Folders for sockets")
struct TemporaryDirectoryTests {
    @Test(
        "names may have spaces and signs; what is too long for a socket is not used",
        arguments: [
            ("/tmp/a b", "/tmp/a b"), ("/tmp/x%20#?:'\"$ä\\/", "/tmp/x%20#?:'\"$ä\\"), ("/", ""),
            ("/" + String(repeating: "x", count: 72), "/" + String(repeating: "x", count: 72)),
            ("/" + String(repeating: "x", count: 73), nil), ("/tmp/a\nb", nil), ("/tmp/a\u{7f}", nil),
        ] as [(String, String?)])
    func usable(folder: String, path: String?) {
        switch TemporaryDirectory.usable(folder) {
        case .success(let found): #expect(found == path)
        case .failure(let fault): #expect(path == nil && !fault.reason.isEmpty)
        }
    }

    @Test("a relative one is taken from where the program runs")
    func relative() throws {
        let here = FileManager.default.currentDirectoryPath
        #expect(try TemporaryDirectory.usable("x y").get() == "\(here)/x y" || here.utf8.count > 69)
    }
}
