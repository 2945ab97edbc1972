import ArgumentParser
import Cluster
import Dataflow
import Foundation
import Messaging
import Synchronization

/// Many light workers: coordinator, servers and workers as threads of this process that talk over tcp.
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Steps a second and memory of many light workers in one process.",
        discussion: "The model is one vector; what is measured is what each further worker costs.")

    @Option(help: "Parameter servers.") var servers = 4
    @Option(help: "Workers.") var workers = 256
    @Option(help: "Elements of the model's vector.") var elements = 16_384
    @Option(help: "Length of the timed part.") var seconds = 5.0
    @Option(help: "Untimed seconds first.") var warmup = 2.0

    func run() throws {
        try ProcessLimits.raiseOpenFiles()
        var config = JobConfig()
        config.model.kind = VectorJob.kind
        config.model.outputs = elements
        config.train.batch = 1
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = servers
        config.cluster.workers = workers
        config.cluster.transport = .tcp
        config.cluster.sharedMemory = false
        let before = Memory.resident
        let coordinator = try Coordinator(
            config: config, job: VectorJob(), listen: Address("tcp://127.0.0.1:0"), options: CoordinatorOptions())
        let address = coordinator.address
        let failures = Mutex<[String]>([])
        func start(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
            Thread.detachNewThread {
                do { try body() } catch { failures.withLock { $0.append("\(name): \(error)") } }
            }
        }
        let options = NodeOptions(jobs: [VectorJob()])
        for number in 0..<servers {
            start("server \(number)") {
                try ServerNode(coordinator: address, listen: Address("tcp://127.0.0.1:0"), options: options).run()
            }
        }
        for number in 0..<workers {
            start("worker \(number)") { try WorkerNode(coordinator: address, options: options).run() }
        }
        var meter = StepMeter()
        var memory = 0
        let report = try coordinator.run(
            onProgress: { progress in
                if meter.note(progress, warmup: warmup, seconds: seconds), memory == 0 {
                    memory = Memory.resident - before
                    coordinator.stop(now: true, reason: "measured")
                }
            }, onEvent: { _ in })
        guard let rate = meter.stepsPerSecond else {
            throw ValidationError(
                "the job ended before it was measured: \(report.reason ?? report.status.rawValue) \(failures.withLock { $0 })"
            )
        }
        print(
            JSONLine(
                bench: "load",
                [
                    ("servers", .integer(servers)), ("workers", .integer(workers)), ("elements", .integer(elements)),
                    ("steps_per_s", .number(rate)), ("mib", .number(Double(memory) / 1_048_576)),
                    (
                        "slowest_worker_steps", .integer(report.workers.map(\.steps).min() ?? 0)
                    ), ("fastest_worker_steps", .integer(report.workers.map(\.steps).max() ?? 0)),
                ]))
    }
}

/// What this process takes.
enum Memory {
    /// Bytes in memory now.
    static var resident: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }
}
