internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import SwiftProtobuf
internal import Synchronization
internal import Training

/// How a coordinator runs.
public struct CoordinatorOptions: Sendable {
    /// Go on from the newest checkpoint of the job's directory.
    public var resume: Bool
    /// A CSV file "step,loss" with the mean training loss of every batch.
    public var lossesFile: String?
    /// The job's shared secret; nil for none.
    public var token: String?
    public var tls: TLS?
    /// Whether nodes may come that were not started with the job; a job that has lost all its workers waits for them.
    public var acceptsNodes: Bool

    public init(
        resume: Bool = false, lossesFile: String? = nil, token: String? = nil, tls: TLS? = nil,
        acceptsNodes: Bool = true
    ) {
        self.acceptsNodes = acceptsNodes
        self.resume = resume
        self.lossesFile = lossesFile
        self.token = token
        self.tls = tls
    }
}

/// The only address of a job that anyone must know: hands out numbers, subgraphs, views and leases, notices the dead,
/// writes checkpoints' manifests, and decides the end.
public final class Coordinator: Sendable {
    /// Where it listens, with the real port where 0 was asked for.
    public var address: Address { socket.boundAddress }
    private let config: JobConfig
    private let options: CoordinatorOptions
    private let socket: ReplySocket
    private let job: PreparedJob
    private let restored: Manifest?
    /// What of data and configuration is no longer as the checkpoint has it: lines for the log.
    private let changes: [String]
    private let jobKey = UInt64.random(in: 1...(.max))
    private let inbox = Mutex<[Note]>([])

    private enum Note: Sendable {
        case stop(now: Bool, reason: String)
        case died(Role, pid: Int, how: String)
        case failed(String)
    }

    /// Reads the data, builds and cuts the graph, finds the checkpoint to go on from, and listens.
    /// - Throws: `NodeError`, `GraphError`, or what reading the data throws.
    public init(config: JobConfig, job: any TrainingJob, listen: Address, options: CoordinatorOptions) throws {
        var config = config
        // Unless told otherwise, tensors are taken to travel as the coordinator is reached: bundles are sized by that.
        config.cluster.transport =
            config.cluster.transport ?? JobConfig.Cluster.Transport(rawValue: listen.transport.rawValue)
        self.options = options
        try listen.checkSecurity(config, token: options.token, what: "a job")
        let newest = try Coordinator.newest(config, options)
        if let newest, let directory = config.checkpoint.directory {
            config.reading.preprocessing = try newest.readPreprocessing(in: directory)
        }
        self.config = config
        self.job = try PreparedJob(config, job)
        guard !config.cluster.consistency.hasAsynchronousTables || !self.job.cut.writes.allSatisfy(\.isTable) else {
            throw NodeError(
                .configuration,
                "cluster.consistency is {sync: {sparse: async}}, but all Variables of this model are updated by rows; use async"
            )
        }
        if let newest { try Coordinator.check(newest, config, self.job) }
        restored = newest
        if let newest { changes = self.job.changes(since: newest) } else { changes = [] }
        if let directory = config.checkpoint.directory {
            do { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
                throw NodeError(.cannotCreate, "cannot create the checkpoint directory \(directory)")
            }
        }
        do {
            socket = try ReplySocket(listen: listen, tls: options.tls, maximumMessage: ControlClient.maximumMessage)
        } catch { throw NodeError(.cannotCreate, "\(error)") }
    }

    /// The checkpoint to go on from; nil where there is none, or none is asked for.
    private static func newest(_ config: JobConfig, _ options: CoordinatorOptions) throws -> Manifest? {
        guard options.resume else { return nil }
        guard let directory = config.checkpoint.directory else {
            throw NodeError(.configuration, "--resume needs checkpoint.directory, or --checkpoint DIR")
        }
        return try Manifest.newest(in: directory)
    }

    /// Throws where the job cannot go on from the checkpoint.
    private static func check(_ manifest: Manifest, _ config: JobConfig, _ job: PreparedJob) throws {
        let directory = config.checkpoint.directory ?? ""
        guard manifest.fingerprint == job.modelFingerprint else {
            throw NodeError(
                .badData,
                "the checkpoint at step \(manifest.step) in \(directory) is of another model than this configuration's; change one of them, or start without --resume"
            )
        }
        guard manifest.seed == config.seed, manifest.batch == config.train.batch else {
            throw NodeError(
                .badData,
                "the checkpoint in \(directory) was made with seed \(manifest.seed) and train.batch \(manifest.batch), this job has \(config.seed) and \(config.train.batch); the order of batches would differ"
            )
        }
        let done = manifest.doneBatches
        let isWhole = manifest.ahead == nil && done == RangeSet(0..<done.total)
        guard !config.cluster.consistency.isSynchronous || isWhole else {
            throw NodeError(
                .badData,
                "the checkpoint in \(directory) was made asynchronously and lacks batches before its last, or some Variables do; go on with cluster.consistency: async"
            )
        }
    }

    private func takeNotes() -> [Note] {
        inbox.withLock { notes in
            defer { notes.removeAll() }
            return notes
        }
    }

    /// Ends the job, from any thread: after a last checkpoint, or at once.
    public func stop(now: Bool = false, reason: String) {
        inbox.withLock { $0.append(.stop(now: now, reason: reason)) }
    }

    /// Tells that a node's process has ended, sooner than missed heartbeats would.
    /// - Parameter role: "server" or "worker".
    public func childDied(role: String, pid: Int, description: String) {
        guard let role = Role(rawValue: role) else { return }
        inbox.withLock { $0.append(.died(role, pid: pid, how: description)) }
    }

    /// A node of this process has failed: the job fails.
    func nodeFailed(_ description: String) { inbox.withLock { $0.append(.failed(description)) } }

    /// Runs the job on the caller's thread until it is over and the nodes have left.
    ///
    /// - Parameters:
    ///   - onProgress: called some times a second.
    ///   - onEvent: receives a line for the log.
    public func run(onProgress: (Progress) -> Void, onEvent: (String) -> Void) throws -> JobReport {
        defer { socket.close() }
        var clock = PatientClock()
        var facts = JobState.Facts(
            config: config, fingerprint: job.fingerprint, variables: job.variables, totalSteps: job.totalSteps,
            schedule: job.schedule, evaluationBatches: job.evaluationBatches,
            done: restored?.doneBatches ?? RangeSet(), jobKey: jobKey)
        if let restored {
            let steps = RangeSet(0..<job.totalSteps)
            facts.ahead = (restored.ahead ?? [:]).keys.map {
                restored.doneBatches(ofBundle: $0).subtracting(restored.doneBatches).intersection(steps)
            }
            facts.missed = restored.missedExamples.intersection(RangeSet(0..<job.totalExamples))
        }
        facts.acceptsNodes = options.acceptsNodes
        var service = try CoordinatorService(
            state: JobState(facts), job: job, options: options, restored: restored)
        if !facts.missed.isEmpty, !service.state.makesUp {
            onEvent(
                "examples that dead workers missed before the checkpoint stay missed: only cluster.consistency sync makes up for them"
            )
        }
        for note in job.data.notes { onEvent(note) }
        if let note = job.model.note { onEvent(note) }
        if let restored { onEvent("going on from step \(restored.step) of \(config.checkpoint.directory ?? "")") }
        for change in changes { onEvent(change) }
        let losses = try LossFile(options.lossesFile)
        var lastProgress = Duration.seconds(-1)
        var overSince: Duration?
        let ticker = Ticker(every: 0.005) { [socket] in socket.wake() }
        defer { ticker.end() }
        while true {
            let request = try socket.receive()
            let now = clock.now
            for note in takeNotes() {
                switch note {
                case .stop(let immediately, let reason): service.state.stop(now: immediately, reason, now: now)
                case .died(let role, let pid, let how): service.state.declareDead(role, pid: pid, how, now: now)
                case .failed(let description): service.state.fail(description, now: now)
                }
            }
            if let request { try service.handle(request, now: now) }
            service.state.advance(now: now)
            try service.releaseHeld(now: now)
            try losses.write(service.state.takeFinishedBatches())
            for event in service.state.takeEvents() { onEvent(event) }
            if now - lastProgress > .milliseconds(100) {
                lastProgress = now
                onProgress(service.progress(now: now))
            }
            guard service.state.phase == .finished || service.state.phase == .failed else { continue }
            overSince = overSince ?? now
            // Every node hears of the end and leaves; the dead and the slow are not waited for.
            let isLeft = service.state.membership.nodes.allSatisfy { !$0.isAlive }
            if isLeft || now - overSince! > .seconds(3) {
                try losses.write(service.state.takeFinishedBatches(isLast: true))
                onProgress(service.progress(now: now))
                return service.report(now: now)
            }
        }
    }
}

/// Does something again and again, on a thread of its own.
private final class Ticker: Sendable {
    private let isOver = Atomic(false)

    /// - Parameter interval: in seconds.
    init(every interval: Double, _ tick: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [self] in
            while !isOver.load(ordering: .acquiring) {
                Thread.sleep(forTimeInterval: interval)
                tick()
            }
        }
    }

    func end() { isOver.store(true, ordering: .releasing) }
}

/// The time since the job's start, without pauses of this process: one that was stopped for a while must not take all
/// others for dead when it goes on.
private struct PatientClock {
    private var last = ContinuousClock.now
    private var elapsed = Duration.zero

    var now: Duration {
        mutating get {
            let time = ContinuousClock.now
            elapsed += min(time - last, .seconds(1))
            last = time
            return elapsed
        }
    }
}

/// Writes "step,loss" lines.
struct LossFile {
    private let handle: FileHandle?

    init(_ path: String?) throws {
        guard let path else {
            handle = nil
            return
        }
        guard FileManager.default.createFile(atPath: path, contents: Data("step,loss\n".utf8)),
            let opened = FileHandle(forWritingAtPath: path)
        else { throw NodeError(.cannotCreate, "cannot write the losses to \(path)") }
        try opened.seekToEnd()
        handle = opened
    }

    func write(_ entries: [TrainingRecord.Entry]) throws {
        guard let handle, !entries.isEmpty else { return }
        try handle.write(contentsOf: Data(entries.map { "\($0.batch),\($0.meanLoss)\n" }.joined().utf8))
    }
}
