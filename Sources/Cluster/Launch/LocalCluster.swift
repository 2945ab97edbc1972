internal import Foundation
internal import Messaging
internal import Synchronization

/// A whole cluster in one process: coordinator, servers and workers are threads that talk over inproc.
///
/// ```swift
/// var config = JobConfig()
/// config.train.epochs = 5
/// let report = try await LocalCluster.train(config, job: Flowers()) { progress in print(progress) }
/// ```
///
/// Every node runs `job`; `config.model.kind` is ignored.
public enum LocalCluster {
    /// Trains a job to its end on a thread of its own, and suspends until then.
    ///
    /// If the task is cancelled, the job stops in good order: workers finish their steps, and servers write the last
    /// checkpoint if there is a directory for it. Then the call returns a report with the status `stopped` and the path of
    /// that checkpoint. `stop.stop(now: true)` ends the job at once.
    ///
    /// - Parameters:
    ///   - config: checked as a YAML file is.
    ///   - stop: ends the job early, in good order or at once.
    ///   - trace: collects the times of every node's operations.
    ///   - onProgress: called several times a second on the job's thread, and once at the end; the job waits for it.
    ///   - onEvent: receives lines for the log, on the job's thread.
    /// - Returns: the report of a job that has finished or was stopped.
    /// - Throws: `JobError` if the job fails; `ConfigurationError` with all mistakes of `config`; `NodeError`, `GraphError`, or
    ///   what reading the data throws.
    @discardableResult
    public static func train(
        _ config: JobConfig, job: any TrainingJob, options: CoordinatorOptions = CoordinatorOptions(),
        stop: StopSignal = StopSignal(), trace: Trace? = nil,
        onProgress: @escaping @Sendable (JobProgress) -> Void = { _ in },
        onEvent: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> JobReport {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            try run(config, job, options, stop, trace, onProgress: onProgress, onEvent: onEvent)
                        })
                }
            }
        } onCancel: {
            stop.stop(reason: "the task was cancelled")
        }
    }

    /// Trains a job to its end and blocks the caller's thread: for programs without Swift's concurrency.
    ///
    /// Arguments, results and errors are those of the other `train`; `onProgress` is called on the caller's thread.
    @discardableResult
    public static func train(
        _ config: JobConfig, job: any TrainingJob, options: CoordinatorOptions = CoordinatorOptions(),
        stop: StopSignal = StopSignal(), trace: Trace? = nil, onProgress: (JobProgress) -> Void = { _ in },
        onEvent: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> JobReport {
        try run(config, job, options, stop, trace, onProgress: onProgress, onEvent: onEvent)
    }

    private static func run(
        _ config: JobConfig, _ job: any TrainingJob, _ options: CoordinatorOptions, _ stop: StopSignal,
        _ trace: Trace?, onProgress: (JobProgress) -> Void, onEvent: @escaping @Sendable (String) -> Void
    ) throws -> JobReport {
        let config = try config.checked(for: job)
        // A unique name, so that several jobs can run in one process.
        let name = "tributary-\(UInt64.random(in: 0...(.max)))"
        var options = options
        options.acceptsNodes = false
        let coordinator = try Coordinator(
            config: config, job: job, listen: Address("inproc://\(name)"), options: options)
        let token = options.token
        let threads = Mutex<[ServiceThread]>([])
        func start(_ role: NodeRole, _ number: Int, _ body: @escaping @Sendable (NodeOptions) throws -> Void) {
            let nodeOptions = NodeOptions(
                token: token, jobs: [job], number: number, joinTimeout: config.cluster.joinTimeout,
                // The coordinator ends the servers.
                stop: role == .server ? StopSignal() : stop, profile: trace?.profile("\(role.rawValue) \(number)"))
            let thread = ServiceThread { _ in
                do { try body(nodeOptions) } catch {
                    coordinator.nodeFailed("\(role.rawValue) \(number): \(error)")
                }
            }
            threads.withLock { $0.append(thread) }
        }
        for number in 0..<config.cluster.servers {
            start(.server, number) { nodeOptions in
                try ServerNode(
                    coordinator: coordinator.address, listen: Address("inproc://\(name)-server-\(number)"),
                    options: nodeOptions
                ).run()
            }
        }
        for number in 0..<config.cluster.workers {
            start(.worker, number) { nodeOptions in
                try WorkerNode(
                    coordinator: coordinator.address, options: nodeOptions, prepared: coordinator.job
                ).run()
            }
        }
        func settle() {
            let deadline = ContinuousClock.now + .seconds(3)
            for thread in threads.withLock({ $0 }) { thread.join(for: deadline - .now) }
        }
        defer { settle() }
        return try coordinator.run(stop: stop, onProgress: onProgress, onEvent: onEvent)
    }
}
