import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import Synchronization

/// What a job leaves: its report, the loss of every step, and all Variables, slots included, as bytes.
struct Trained {
    var report: JobReport
    var losses: [Int: Double] = [:]
    var values: [String: [UInt8]] = [:]

    /// Runs a job that writes its losses and its last checkpoint where it is told.
    init(
        _ config: JobConfig, _ job: some TrainingJob,
        by train: (JobConfig, CoordinatorOptions) throws -> JobReport
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trained-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var config = config
        config.checkpoint.directory = folder
        report = try train(config, CoordinatorOptions(lossesFile: "\(folder)/losses.csv", acceptsNodes: false))
        for line in try String(contentsOfFile: "\(folder)/losses.csv", encoding: .utf8).split(separator: "\n") {
            let cells = line.split(separator: ",")
            if let step = Int(cells[0]) { losses[step] = Double(cells[1]) }
        }
        guard let manifest = try Manifest.newest(in: folder) else { return }
        let reader = try CheckpointReader(manifest, directory: folder)
        for variable in try PreparedJob(config, job).variables where reader.variables.contains(variable.name) {
            let value = try reader.tensor(named: variable.name, dtype: variable.dtype, shape: variable.shape)
            values[variable.name] = value.withUnsafeBytes { [UInt8]($0) }
        }
    }
}

/// A cluster in this process whose messages, between workers and servers and between either and the coordinator, are each
/// kept for a random while.
enum DelayedCluster {
    /// - Parameters:
    ///   - seed: of the delays.
    ///   - arrivals: receives in which order gradients reached the servers, by shard and step.
    static func train(
        _ config: JobConfig, _ job: some TrainingJob, seed: UInt64, longest: Double = 0.012,
        arrivals: ([DelayingRelay.Arrival]) -> Void = { _ in }
    ) throws -> Trained {
        try Trained(config, job) { config, options in
            let name = "delayed-\(UInt64.random(in: 0...(.max)))"
            let coordinator = try Coordinator(
                config: config, job: job, listen: Address("inproc://\(name)-coordinator"), options: options)
            let gate = try DelayingRelay(
                listen: "inproc://\(name)-gate", to: "inproc://\(name)-coordinator", longest: longest, seed: seed,
                rename: { Self.relayed($0, name) })
            let relays = try (0..<config.cluster.servers).map { number in
                try DelayingRelay(
                    listen: "inproc://\(name)-relays-\(number)", to: "inproc://\(name)-server-\(number)",
                    longest: longest, seed: seed &+ UInt64(number) &+ 1)
            }
            defer { for relay in relays + [gate] { relay.end() } }
            let running = Mutex(0)
            func start(_ number: Int, _ body: @escaping @Sendable (NodeOptions) throws -> Void) {
                running.withLock { $0 += 1 }
                Thread.detachNewThread {
                    do { try body(NodeOptions(jobs: [job], number: number)) } catch {
                        coordinator.stop(now: true, reason: "\(error)")
                    }
                    running.withLock { $0 -= 1 }
                }
            }
            let door = try Address("inproc://\(name)-gate")
            for number in 0..<config.cluster.servers {
                start(number) { options in
                    let own = try Address("inproc://\(name)-server-\(number)")
                    try ServerNode(coordinator: door, listen: own, options: options).run()
                }
            }
            for number in 0..<config.cluster.workers {
                start(number) { try WorkerNode(coordinator: door, options: $0).run() }
            }
            let report = try coordinator.run(onProgress: { _ in }, onEvent: { _ in })
            let deadline = ContinuousClock.now + .seconds(3)
            while running.withLock({ $0 }) > 0, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.002) }
            arrivals(relays.flatMap(\.arrivals))
            return report
        }
    }

    /// What the coordinator tells, with the relays in place of the servers: names of the same length, so that the message
    /// stays whole.
    private static func relayed(_ answer: consuming Message, _ name: String) -> Message {
        var bytes = answer.bytes
        let (from, to) = (Array("\(name)-server-".utf8), Array("\(name)-relays-".utf8))
        var start = 0
        while start + from.count <= bytes.count {
            if bytes[start] == from[0], bytes[start..<start + from.count].elementsEqual(from) {
                bytes.replaceSubrange(start..<start + from.count, with: to)
                start += from.count
            } else {
                start += 1
            }
        }
        return Message(bytes)
    }
}
