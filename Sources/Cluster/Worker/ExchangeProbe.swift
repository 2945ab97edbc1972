internal import Dataflow
package import Messaging
internal import Training

/// A worker that trains nothing: it joins a job and exchanges values with its servers, for benchmarks.
package struct ExchangeProbe {
    private let coordinator: Address
    private let options: NodeOptions

    package init(coordinator: Address, options: NodeOptions) {
        self.coordinator = coordinator
        self.options = options
    }

    /// What a worker does, one thing at a time.
    package struct Worker {
        fileprivate let client: ParameterClient
        fileprivate let session: Session
        fileprivate let job: PreparedJob
        fileprivate let feeds: Feeds
        fileprivate let pushed: [Node]
        fileprivate let steps: Steps

        /// How many steps were pushed.
        fileprivate final class Steps {
            var count = 0
        }

        /// Gets all values.
        package func pull() throws { _ = try client.pull() }

        /// Pushes the gradients at hand; ends when every update has been applied, with the new values if they are wanted.
        package func push(wantsValues: Bool) throws {
            try begin(wantsValues: wantsValues)
            try client.pushRest()
            try client.settle()
        }

        /// Computes gradients, and exchanges nothing.
        package func compute() throws { _ = try session.run(pushed, feeds: feeds) }

        /// A training step: computes gradients and pushes them as they are made. Its answers are taken in the next step, or
        /// by `settle`.
        package func step() throws {
            try begin(wantsValues: true)
            _ = try session.run(pushed, feeds: feeds, exchange: client.runExchange)
            try client.pushRest()
        }

        package func settle() throws { try client.settle() }

        private func begin(wantsValues: Bool) throws {
            try client.begin(
                GradientPush(
                    step: steps.count, batch: steps.count, examples: 1, basis: .updates(0), wantsValues: wantsValues))
            steps.count += 1
        }
    }

    /// Joins the job, gets all values, and hands its worker to `body`; gradients are zeros at first.
    /// - Throws: `NodeError`, `GraphError`, and what `body` throws.
    package func run(_ body: (Worker) throws -> Void) throws {
        let (control, config) = try NodeStart.connect(coordinator, options)
        defer { control.close() }
        let options = options.joined(by: control)
        var job = try WorkerNode.prepare(config, options)
        let (identity, jobKey) = try WorkerNode.register(&job, control, options)
        let watcher = ViewWatcher(control, identity, cluster: config.cluster)
        defer { watcher.end() }
        let loop = WorkerLoop(
            job: job, options: options, control: control, watcher: watcher, worker: identity, jobKey: jobKey)
        guard let view = try loop.firstView() else { return }
        let session = try Session(
            job.graph, options: try config.sessionOptions(for: .host, threads: options.threads ?? 1))
        let client = try loop.client(view, session)
        client.clearGradients()
        _ = try client.pull()
        let examples = (0..<min(config.train.batch, job.data.training.count)).map { Int32($0) }
        try body(
            Worker(
                client: client, session: session, job: job,
                feeds: job.feeds(job.data.training, examples, training: true), pushed: job.cut.pushedNodes,
                steps: Worker.Steps()))
    }
}
