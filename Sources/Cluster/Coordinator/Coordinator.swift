internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import SwiftProtobuf
internal import Synchronization
internal import Training

/// How a coordinator runs.
public struct CoordinatorOptions: Sendable {
    /// Go on from the newest checkpoint of the job's directory; an empty one just starts.
    public var resume: Bool
    /// If no checkpoint is usable, move them aside and start anew. `resume` alone refuses that.
    public var startsAnewIfDamaged = false
    /// A CSV file "step,loss" with the mean training loss of every batch.
    public var lossesFile: String?
    /// The job's shared secret; nil: a coordinator that listens on TCP makes one and leaves it for nodes of this user.
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
    /// The file with the token that this coordinator made; nil where one was given or none is needed. It is removed when
    /// the job is over.
    public var tokenFile: String? { published.withLock { $0.first?.path } }
    /// The files with the token that this coordinator made.
    private let published: Mutex<[PublishedToken]>
    private let madeToken: String?
    private let config: JobConfig
    private let options: CoordinatorOptions
    private let socket: ReplySocket
    /// Made ready; workers of this process use it too.
    let job: PreparedJob
    private let restored: Resumption?
    /// Lines for the log, of before it runs.
    private let notes: [String]
    private let jobKey = UInt64.random(in: 1...(.max))
    private let inbox = Mutex<[Note]>([])

    private enum Note: Sendable {
        case stop(now: Bool, reason: String)
        case died(Role, pid: Int, how: String)
        case failed(String)
    }

    /// Reads the data, builds and cuts the graph, finds the checkpoint to go on from, and listens.
    ///
    /// `job` is the job of every node that this program starts, whatever `config.model.kind` says; others find theirs by
    /// its kind.
    /// - Throws: `ConfigurationError` with all mistakes of `config`; `NodeError`, `GraphError`, or what reading the data
    ///   throws.
    public init(config: JobConfig, job: any TrainingJob, listen: Address, options: CoordinatorOptions) throws {
        var config = config
        // Unless told otherwise, tensors are taken to travel as the coordinator is reached: shards are sized by that.
        config.cluster.transport =
            config.cluster.transport ?? JobConfig.Cluster.Transport(rawValue: listen.transport.rawValue)
        var options = options
        let made = listen.transport.hasPort && options.token == nil ? JobToken.random() : nil
        madeToken = made
        options.token = options.token ?? made
        self.options = options
        let rules = ConnectionRules(
            .coordinator, hasTLS: config.cluster.tls != .init() || options.tls != nil,
            hasCertificate: options.tls?.certificate != nil, isInsecure: config.cluster.insecure)
        try rules.checkListening(listen, token: options.token)
        config = try config.checked(for: job)
        var notes: [String] = []
        let choice = try CheckpointRestore.choose(config, options, &notes)
        if let manifest = choice?.manifest, let directory = config.checkpoint.directory {
            config.reading.preprocessing = try manifest.readPreprocessing(in: directory)
        }
        var prepared = try PreparedJob(config, job)
        guard !config.cluster.consistency.hasAsynchronousTables || !prepared.cut.writes.allSatisfy(\.isEmbeddingTable)
        else {
            throw NodeError(
                .configuration,
                "cluster.consistency is {sync: {sparse: async}}, but all Variables of this model are updated by rows; use async"
            )
        }
        let restored = try choice.map { try CheckpointRestore.restore($0, config, prepared, &notes) }
        if let restored {
            notes += prepared.changes(since: restored.manifest)
            try prepared.begin(restored.origin, leastSteps: restored.leastSteps, .badData)
            if restored.origin.batch > 0, config.train.decaySteps == nil, config.train.schedule != .constant {
                // Rates fall over all steps, those before included; workers build the same graph.
                config.train.decaySteps = prepared.totalSteps
                prepared = try PreparedJob(config, job)
                try prepared.begin(restored.origin, leastSteps: restored.leastSteps, .badData)
            }
        }
        (self.config, self.job, self.restored, self.notes) = (config, prepared, restored, notes)
        if let directory = config.checkpoint.directory {
            do { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
                throw NodeError(.cannotCreate, "cannot create the checkpoint directory \(directory)")
            }
        }
        do {
            socket = try ReplySocket(
                listen: listen, tls: options.tls, secret: options.token ?? "",
                maximumMessage: ControlClient.maximumMessage)
        } catch { throw NodeError(.cannotCreate, "\(error)") }
        do {
            let file = try made.map { [socket] in try TokenStore().publish($0, for: socket.boundAddress) }
            published = Mutex(file.map { [$0] } ?? [])
        } catch {
            socket.close()
            throw error
        }
    }

    /// Writes the token that this coordinator made, if it did, to another file until the job is over.
    /// - Throws: `NodeError` `.cannotCreate`.
    public func writeToken(to path: String) throws {
        guard let madeToken else { return }
        let file = try PublishedToken(madeToken, at: path)
        published.withLock { $0.append(file) }
    }

    private func removeTokens() { published.withLock { $0.forEach { $0.remove() } } }

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
    public func childDied(role: NodeRole, pid: Int, description: String) {
        inbox.withLock { $0.append(.died(role, pid: pid, how: description)) }
    }

    /// A node of this process has failed: the job fails.
    func nodeFailed(_ description: String) { inbox.withLock { $0.append(.failed(description)) } }

    /// Runs the job on the caller's thread until it is over and the nodes have left.
    ///
    /// - Parameters:
    ///   - stop: ends it early, in good order or at once.
    ///   - onProgress: called some times a second.
    ///   - onEvent: receives a line for the log.
    /// - Returns: the report of a job that has finished or was stopped.
    /// - Throws: `JobError` if the job fails.
    @discardableResult
    public func run(
        stop: StopSignal = StopSignal(), onProgress: (JobProgress) -> Void = { _ in },
        onEvent: (String) -> Void = { _ in }
    ) throws -> JobReport {
        try report(stop: stop, onProgress: onProgress, onEvent: onEvent).checked()
    }

    /// Runs the job; the report of one that failed, too.
    func report(
        stop: StopSignal, onProgress: (JobProgress) -> Void, onEvent: (String) -> Void
    ) throws -> JobReport {
        try stop.observed(by: { [self] in
            // Asked to end at once, the process does not unwind.
            if $0 == .now { removeTokens() }
            self.stop(now: $0 == .now, reason: $1)
        }) {
            try run(onProgress, onEvent)
        }
    }

    private func run(_ onProgress: (JobProgress) -> Void, _ onEvent: (String) -> Void) throws -> JobReport {
        defer {
            removeTokens()
            socket.close()
        }
        var clock = PatientClock()
        var facts = JobState.Facts(
            config: config, fingerprint: job.fingerprint, variables: job.variables, totalSteps: job.totalSteps,
            schedule: job.schedule, evaluationBatches: job.evaluationBatches,
            done: restored?.manifest.doneBatches ?? RangeSet(), jobKey: jobKey)
        if let restored = restored?.manifest {
            facts.leastLabel = restored.mostUpdates
            let steps = RangeSet(0..<job.totalSteps)
            facts.ahead = (restored.ahead ?? [:]).keys.map {
                restored.doneBatches(ofShard: $0).subtracting(restored.doneBatches).intersection(steps)
            }
            facts.missed = restored.missedExamples.intersection(RangeSet(0..<job.totalExamples))
        }
        facts.acceptsNodes = options.acceptsNodes
        var service = try CoordinatorService(
            state: JobState(facts), job: job, restored: restored)
        if !facts.missed.isEmpty, !service.state.makesUp {
            onEvent(
                "examples that dead workers missed before the checkpoint stay missed: only cluster.consistency sync makes up for them"
            )
        }
        for note in job.data.notes { onEvent(note) }
        if let note = job.model.note { onEvent(note) }
        if config.cluster.consistency.isSynchronous, config.cluster.workers > 1 { job.cut.notes.forEach(onEvent) }
        if config.cluster.consistency.hasAsynchronousTables, config.cluster.workers > 1 {
            onEvent(
                "tables take each worker's part by itself, so what comes between a gradient and its update, such as clipping, is "
                    + "computed by each worker of its own part")
        }
        notes.forEach(onEvent)
        if let manifest = restored?.manifest {
            onEvent("going on from step \(manifest.step) of \(config.checkpoint.directory ?? "")")
            if manifest.mostUpdates >= job.totalSteps, config.train.steps ?? 0 <= job.totalSteps {
                onEvent("the checkpoint has all \(job.totalSteps) steps of the job: nothing is left to train")
            }
        }
        var losses = try LossFile(options.lossesFile)
        defer { losses.finish() }
        var lastProgress = Duration.seconds(-1)
        var overSince: Duration?
        // When all was told but what is still to be written of the losses.
        var toldSince: Duration?
        var endsAtOnce = false
        let ticker = ServiceThread(every: .milliseconds(5)) { [socket] in socket.wake() }
        defer { ticker.cancel() }
        while true {
            let request = try socket.receive()
            let now = clock.now
            for note in takeNotes() {
                switch note {
                case .stop(let immediately, let reason):
                    endsAtOnce = endsAtOnce || immediately
                    service.state.stop(now: immediately, reason, now: now)
                case .died(let role, let pid, let how): service.state.declareDead(role, pid: pid, how, now: now)
                case .failed(let description): service.state.fail(description, now: now)
                }
            }
            if let request { try service.handle(request, now: now) }
            service.state.advance(now: now)
            try service.releaseHeld(now: now)
            if let error = losses.write(service.state.takeFinishedBatches()) { onEvent(error) }
            for event in service.state.takeEvents() { onEvent(event) }
            if toldSince == nil, now - lastProgress > .milliseconds(100) {
                lastProgress = now
                onProgress(service.progress(now: now))
            }
            guard service.state.phase == .finished || service.state.phase == .failed else { continue }
            overSince = overSince ?? now
            // Every node hears of the end and leaves; the dead and the slow are not waited for.
            let isLeft = service.state.membership.nodes.allSatisfy { !$0.isAlive }
            guard isLeft || now - overSince! > .seconds(3) else { continue }
            if toldSince == nil {
                toldSince = now
                if let error = losses.write(service.state.takeFinishedBatches(isLast: true)) { onEvent(error) }
                losses.finish()
                if service.state.hasTrainedNothing {
                    onEvent(
                        "none of the \(service.state.stepsOfRun) updates has changed a Variable: is the learning rate 0, or do no "
                            + "gradients reach the Variables?")
                }
                service.removeUnfinishedCheckpoints()
                onProgress(service.progress(now: now))
            }
            // Losses may wait for a reader. Until it has them, the coordinator goes on answering.
            if !losses.isWritten, !endsAtOnce || now - toldSince! < .milliseconds(100) {
                if let note = losses.waits(since: toldSince!, now: now) { onEvent(note) }
                continue
            }
            if let error = losses.end() { onEvent(error) }
            var report = service.report(now: now)
            report.lossesError = losses.error
            return report
        }
    }
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

extension Coordinator: CustomStringConvertible {
    public var description: String { "the coordinator of job '\(config.job)' at \(address)" }
}

extension CoordinatorOptions: CustomStringConvertible {
    /// Without its token.
    public var description: String {
        let parts = [
            resume ? "goes on from the newest checkpoint" : "starts anew", lossesFile.map { "losses to \($0)" },
            acceptsNodes ? "takes nodes that come later" : nil,
        ]
        return "a coordinator that " + parts.compactMap { $0 }.joined(separator: ", ")
    }
}
