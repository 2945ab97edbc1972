internal import Foundation
internal import Messaging
internal import Synchronization

/// A whole cluster in one process: the same coordinator, servers and workers, as threads that talk over inproc.
public enum LocalCluster {
    /// Trains a job to its end on the caller's thread.
    ///
    /// - Parameters:
    ///   - job: the kind of model that `config` names.
    ///   - stop: ends it early, in good order or at once.
    ///   - trace: collects what the operations of every node take.
    /// - Throws: `NodeError`, `GraphError`, or what reading the data throws.
    public static func train(
        config: JobConfig, job: any TrainingJob, options: CoordinatorOptions = CoordinatorOptions(),
        stop: StopSignal = StopSignal(), trace: Trace? = nil, onProgress: (Progress) -> Void = { _ in },
        onEvent: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> JobReport {
        // The process is its own host: names are unique, so that several jobs fit.
        let name = "tributary-\(UInt64.random(in: 0...(.max)))"
        var options = options
        options.acceptsNodes = false
        let coordinator = try Coordinator(
            config: config, job: job, listen: Address("inproc://\(name)"), options: options)
        let token = options.token
        let failures = Mutex<[String]>([])
        let running = Mutex(0)
        func start(_ role: String, _ number: Int, _ body: @escaping @Sendable (NodeOptions) throws -> Void) {
            running.withLock { $0 += 1 }
            let nodeOptions = NodeOptions(
                token: token, jobs: [job], number: number, joinTimeout: config.cluster.joinTimeout,
                // Servers end with the job, which the coordinator stops.
                stop: role == "server" ? StopSignal() : stop, profile: trace?.profile("\(role) \(number)"))
            Thread.detachNewThread {
                do { try body(nodeOptions) } catch {
                    failures.withLock { $0.append("\(role) \(number): \(error)") }
                    coordinator.nodeFailed("\(role) \(number): \(error)")
                }
                running.withLock { $0 -= 1 }
            }
        }
        for number in 0..<config.cluster.servers {
            start("server", number) { nodeOptions in
                try ServerNode(
                    coordinator: coordinator.address, listen: Address("inproc://\(name)-server-\(number)"),
                    options: nodeOptions
                ).run()
            }
        }
        for number in 0..<config.cluster.workers {
            start("worker", number) { nodeOptions in
                try WorkerNode(coordinator: coordinator.address, options: nodeOptions).run()
            }
        }
        let report = try coordinator.run(stop: stop, onProgress: onProgress, onEvent: onEvent)
        let deadline = ContinuousClock.now + .seconds(3)
        while running.withLock({ $0 }) > 0, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.002) }
        return report
    }
}
