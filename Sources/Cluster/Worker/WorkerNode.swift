internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import Training

/// A worker: builds the job's graph, pulls the Variables' values, computes gradients on its batches and pushes them.
public struct WorkerNode: Sendable {
    private let coordinator: Address
    private let options: NodeOptions
    /// The job of a coordinator in this process, which need not be made ready again.
    private let prepared: PreparedJob?

    public init(coordinator: Address, options: NodeOptions) {
        self.init(coordinator: coordinator, options: options, prepared: nil)
    }

    init(coordinator: Address, options: NodeOptions, prepared: PreparedJob?) {
        self.coordinator = coordinator
        self.options = options
        self.prepared = prepared
    }

    /// Works on the caller's thread until the job ends.
    /// - Throws: `NodeError`, `GraphError`, or what reading the data throws.
    public func run() throws {
        let stops = StopWatcher()
        defer { stops.end() }
        do { try join(stops) } catch is NodeStopped { options.onEvent("stopped before the job began") }
    }

    private func join(_ stops: StopWatcher) throws {
        let (control, config) = try NodeStart.connect(coordinator, options)
        defer { control.close() }
        control.persist(for: config.cluster.heartbeatTimeout, stop: options.stop)
        let options = options.joined(by: control)
        var job = try prepared ?? WorkerNode.prepare(config, options)
        if options.stop.isStopped { throw NodeStopped() }
        let (worker, jobKey) = try WorkerNode.register(&job, control, options)
        options.onEvent("worker \(worker.worker) joined")
        let watcher = ViewWatcher(control, worker, cluster: config.cluster, stops: stops)
        defer { watcher.end() }
        let loop = WorkerLoop(
            job: job, options: options, control: control, watcher: watcher, worker: worker, jobKey: jobKey)
        do {
            do { try loop.run() } catch is WorkerStopped {} catch {
                // A worker that was taken for dead is refused by servers too, each in its own words.
                try watcher.checkNow()
                throw error
            }
            try watcher.check()
        } catch let error as NodeError {
            throw stops.explain(error, timeout: config.cluster.heartbeatTimeout)
        }
        var last = NodeReport(.worker, worker.worker, incarnation: worker.incarnation)
        last.done = watcher.pending.reports
        last.step = watcher.step
        // While others train, what it has done must be known, or they do it again.
        let isOver = [.finished, .failed].contains(watcher.view?.phase)
        _ = try? control.ask(
            .leave(last.leave), timeout: .seconds(1), limit: isOver ? ControlClient.limitOfEnd : nil)
        if let view = watcher.view, view.phase == .failed { throw NodeError(.failed, "the job failed: \(view.reason)") }
    }

    /// Makes the configured job ready.
    static func prepare(_ config: JobConfig, _ options: NodeOptions) throws -> PreparedJob {
        guard let kind = JobRegistry(options.jobs)[config.model.kind] else {
            throw NodeError(
                .refused,
                "this program knows no model of the kind '\(config.model.kind)'; start the workers from the program that brings it"
            )
        }
        return try PreparedJob(config, kind)
    }

    /// Registers a worker, and takes over what the coordinator says of the order of batches.
    static func register(
        _ job: inout PreparedJob, _ control: ControlClient, _ options: NodeOptions
    ) throws -> (worker: WorkerIdentity, jobKey: UInt64) {
        var registration = NodeRegistration(
            .worker, host: NodeStart.host, pid: Int(getpid()), version: NodeStart.version,
            incarnation: UInt64.random(in: 1...(.max)))
        registration.wanted = options.number
        registration.corePool = CPUDevice.corePool
        guard case .workerAssigned(let assigned) = try control.ask(.registerWorker(registration.worker(job))) else {
            throw control.unexpected()
        }
        try job.begin(assigned)
        let number = try Limit.node.check(assigned.number, "WorkerAssigned.number")
        return (WorkerIdentity(worker: number, incarnation: registration.incarnation), assigned.jobKey)
    }
}

extension WorkerNode: CustomStringConvertible {
    public var description: String { "a worker of the job at \(coordinator)" }
}
