internal import Dataflow
internal import Glibc
package import Messaging

/// A worker that trains nothing: it joins a job and exchanges values with its servers, for benchmarks.
package struct ExchangeProbe {
    private let coordinator: Address
    private let options: NodeOptions

    package init(coordinator: Address, options: NodeOptions) {
        self.coordinator = coordinator
        self.options = options
    }

    /// Joins the job and hands its exchanges to `body`: one that gets all values, and one that pushes gradients of zeros
    /// and ends when every update has been applied, with the new values if they are wanted.
    /// - Throws: `NodeError`, `GraphError`, and what `body` throws.
    package func run(
        _ body: (_ pull: () throws -> Void, _ push: (_ wantsValues: Bool) throws -> Void) throws -> Void
    ) throws {
        let control = try ControlClient(coordinator, token: options.token)
        defer { control.close() }
        let config = try NodeStart.configuration(control, options)
        guard let kind = JobRegistry(options.jobs)[config.model.kind] else {
            throw NodeError(.refused, "this program knows no model of the kind '\(config.model.kind)'")
        }
        let job = try PreparedJob(config, kind)
        var registration = WireRegisterWorker()
        registration.host = NodeStart.host
        registration.pid = Int64(getpid())
        registration.version = NodeStart.version
        registration.incarnation = UInt64.random(in: 1...(.max))
        registration.fingerprint = job.fingerprint
        registration.variables = job.variables.map(\.wire)
        guard case .workerAssigned(let assigned) = try control.ask(.registerWorker(registration)) else {
            throw control.unexpected()
        }
        let number = Int(assigned.number)
        let watcher = ViewWatcher(
            control, number: number, incarnation: registration.incarnation, cluster: config.cluster)
        defer { watcher.end() }
        let loop = WorkerLoop(
            job: job, options: options, control: control, watcher: watcher, number: number,
            incarnation: registration.incarnation, jobKey: assigned.jobKey)
        guard let view = try loop.firstView() else { return }
        let client = try loop.client(
            view, Session(job.graph, options: SessionOptions(threads: options.threads, process: nil)))
        let gradients = job.cut.writes.map { $0.pushed.mapValues { Tensor.zeros($0.dtype, $0.shape) } }
        var step = 0
        try body(
            { _ = try client.pull() },
            { wantsValues in
                _ = try client.push(
                    step: step, batch: step, examples: 1, gradients: gradients, wantsValues: wantsValues)
                step += 1
            })
    }
}
