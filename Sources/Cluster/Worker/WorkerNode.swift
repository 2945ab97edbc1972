internal import Dataflow
internal import Foundation
internal import Interchange
public import Messaging
internal import Training

/// A worker: builds the job's graph, pulls the Variables' values, computes gradients on its batches and pushes them.
public struct WorkerNode: Sendable {
    private let coordinator: Address
    private let options: NodeOptions

    public init(coordinator: Address, options: NodeOptions) {
        self.coordinator = coordinator
        self.options = options
    }

    /// Works on the caller's thread until the job ends.
    /// - Throws: `NodeError`, `GraphError`, or what reading the data throws.
    public func run() throws {
        let pauses = PauseWatch()
        defer { pauses.end() }
        do { try join(pauses) } catch is NodeStopped { options.onEvent("stopped before the job began") }
    }

    private func join(_ pauses: PauseWatch) throws {
        let (control, config) = try NodeStart.connect(coordinator, options)
        defer { control.close() }
        control.persist(for: config.cluster.heartbeatTimeout, stop: options.stop)
        let options = options.joined(by: control)
        guard let job = JobRegistry(options.jobs)[config.model.kind] else {
            throw NodeError(
                .refused,
                "this program knows no model of the kind '\(config.model.kind)'; start the workers from the program that brings it"
            )
        }
        var prepared = try PreparedJob(config, job)
        if options.stop.isStopped { throw NodeStopped() }
        var registration = WireRegisterWorker()
        registration.host = NodeStart.host
        registration.pid = Int64(getpid())
        registration.version = NodeStart.version
        if let number = options.number { registration.number = Int32(clamping: number) }
        registration.incarnation = UInt64.random(in: 1...(.max))
        registration.corePool = CPUDevice.corePool
        registration.fingerprint = prepared.fingerprint
        registration.variables = prepared.variables.map(\.wire)
        guard case .workerAssigned(let assigned) = try control.ask(.registerWorker(registration)) else {
            throw control.unexpected()
        }
        let number = try Limit.node.check(assigned.number, "WorkerAssigned.number")
        try prepared.begin(assigned)
        options.onEvent("worker \(number) joined")
        let watcher = ViewWatcher(
            control, number: number, incarnation: registration.incarnation,
            cluster: config.cluster, pauses: pauses)
        defer { watcher.end() }
        let loop = WorkerLoop(
            job: prepared, options: options, control: control, watcher: watcher, number: number,
            incarnation: registration.incarnation, jobKey: assigned.jobKey)
        do {
            do { try loop.run() } catch is WorkerStopped {} catch {
                // A worker that was taken for dead is refused by servers too, each in its own words.
                try watcher.checkNow()
                throw error
            }
            try watcher.check()
        } catch let error as NodeError {
            throw pauses.explain(error, timeout: config.cluster.heartbeatTimeout)
        }
        var leave = WireLeave()
        leave.role = .worker
        leave.number = assigned.number
        leave.incarnation = registration.incarnation
        leave.done = watcher.untold.results
        leave.step = Int64(watcher.step)
        // While others train, what it has done must be known, or they do it again.
        let isOver = [.finished, .failed].contains(watcher.view?.phase)
        _ = try? control.ask(
            .leave(leave), timeout: .seconds(1), limit: isOver ? ControlClient.limitOfEnd : nil)
        if let view = watcher.view, view.phase == .failed { throw NodeError(.failed, "the job failed: \(view.reason)") }
    }
}

extension VariableInfo {
    package var wire: WireVariableInfo {
        var info = WireVariableInfo()
        info.name = name
        info.dtype = dtype.rawValue
        info.shape = shape.dimensions?.map { Int64($0 ?? -1) } ?? []
        return info
    }

    init?(_ wire: WireVariableInfo) {
        guard let dtype = DType(rawValue: wire.dtype), wire.shape.allSatisfy({ $0 >= -1 }) else { return nil }
        self.init(name: wire.name, dtype: dtype, shape: Shape(wire.shape.map { $0 < 0 ? nil : Int($0) }))
    }
}

extension WorkerNode: CustomStringConvertible {
    public var description: String { "a worker of the job at \(coordinator)" }
}
