import Cluster
import Dataflow
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization
import Training

/// A job in this process, with one server of two executors and a worker that joins and then only sends what the fuzzer makes.
final class FuzzJob {
    let control: ControlClient
    let prepared: PreparedJob
    let layout: ShardLayout
    let executors: [RequestSocket]
    let jobKey: UInt64
    let incarnation = UInt64.random(in: 1...(.max))
    let worker: Int
    let view: UInt64
    /// Of its server.
    let serverIncarnation: UInt64
    static let token = "fuzz"
    private let coordinator: Coordinator
    /// The coordinator has ended, as some requests ask it to.
    var isOver: Bool { hasEnded.value.withLock { $0 } }
    private let hasEnded: Flag

    /// What a thread sets.
    private final class Flag: Sendable {
        let value = Mutex(false)
    }

    /// Batches that the worker has and has not reported.
    private var leased: [WireIndexRange] = []
    /// Where it saves; nil: nowhere.
    private let directory: String?

    /// - Parameter saves: whether it has a directory for checkpoints.
    init(_ consistency: JobConfig.Cluster.Consistency, saves: Bool = false) throws {
        var config = JobConfig()
        config.model.kind = FuzzModel.kind
        config.train.batch = 1
        config.train.length = .steps(1_000_000_000)
        // Held-out batches are leased between any two steps.
        config.train.evaluateEverySteps = 1
        directory = saves ? FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID())").path : nil
        config.checkpoint.directory = directory
        config.cluster.servers = 1
        config.cluster.workers = 1
        config.cluster.consistency = consistency
        config.cluster.token = FuzzJob.token
        config.cluster.heartbeatInterval = .milliseconds(1)
        // Nobody is dead for being silent.
        config.cluster.heartbeatTimeout = .seconds(86_400)
        let name = "fuzz-\(UUID())"
        let coordinator = try Coordinator(
            config: config, job: FuzzModel(), listen: Address("inproc://\(name)"),
            options: CoordinatorOptions(token: FuzzJob.token))
        let hasEnded = Flag()
        Thread.detachNewThread {
            _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in })
            hasEnded.value.withLock { $0 = true }
        }
        let options = NodeOptions(token: FuzzJob.token, threads: 2, jobs: [FuzzModel()])
        let server = try Address("inproc://\(name)-server")
        let address = coordinator.address
        Thread.detachNewThread { try? ServerNode(coordinator: address, listen: server, options: options).run() }
        self.coordinator = coordinator
        self.hasEnded = hasEnded
        prepared = try PreparedJob(config, FuzzModel())
        control = try ControlClient(address, token: FuzzJob.token)
        var registration = WireRegisterWorker()
        registration.version = NodeStart.version
        registration.incarnation = incarnation
        registration.fingerprint = prepared.fingerprint
        guard case .workerAssigned(let assigned) = try control.ask(.registerWorker(registration)) else {
            throw Finding("the worker is not let in")
        }
        (worker, jobKey) = (Int(assigned.number), assigned.jobKey)
        var found: WireView?
        for _ in 0..<2000 where found == nil {
            var beat = WireHeartbeat()
            beat.role = .worker
            beat.number = assigned.number
            beat.incarnation = incarnation
            if case .view(let view) = try control.ask(.heartbeat(beat)), view.phase == "training" { found = view }
        }
        guard let found, let addresses = found.servers.first?.addresses else {
            throw Finding("training does not begin")
        }
        view = found.number
        serverIncarnation = found.servers[0].incarnation
        executors = try addresses.map {
            try RequestSocket(
                dial: Address($0), secret: FuzzJob.token, maximumMessage: ControlClient.maximumMessage)
        }
        layout = ShardLayout(prepared.cut, executors: [addresses.count])
    }

    /// Has the worker train until it is given held-out batches; nil if it is given none, as of a job that has ended.
    func evaluationLease() -> WireEvaluationLease? {
        for _ in 0..<8 {
            var ask = WireLeaseBatches()
            (ask.worker, ask.incarnation) = (Int32(worker), incarnation)
            ask.done = leased.flatMap { range in
                (range.first..<range.first + min(range.count, 16)).map { batch in
                    var result = WireStepResult()
                    (result.batch, result.examples, result.view) = (batch, 1, view)
                    return result
                }
            }
            guard case .lease(let lease)? = try? control.ask(.leaseBatches(ask), timeout: .seconds(2)) else {
                return nil
            }
            if lease.hasEvaluation { return lease.evaluation }
            leased = lease.ranges
        }
        return nil
    }

    func end() {
        coordinator.stop(now: true, reason: "over")
        executors.forEach { $0.close() }
        control.close()
        if let directory { try? FileManager.default.removeItem(atPath: directory) }
    }
}

/// A model of two small Variables.
struct FuzzModel: TrainingJob {
    static let kind = "fuzz"

    func data(_ config: JobConfig) throws -> DataSplit {
        let training = try Dataset(
            features: .zeros(.float32, sized: [1, 3]), labels: .zeros(.float32, sized: [1, 2]), classes: 0)
        // Three held-out batches.
        let test = try Dataset(
            features: .zeros(.float32, sized: [600, 3]), labels: .zeros(.float32, sized: [600, 2]), classes: 0)
        return try DataSplit(training: training, test: test)
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 3], name: "x")
        let y = graph.placeholder(.float32, [nil, 2], name: "y")
        let weights = graph.variable(Tensor(repeating: Float(0.5), sized: [3, 2]), name: "weights")
        let bias = graph.variable(Tensor(repeating: Float(0), sized: [2]), name: "bias")
        let loss = mean(square(y - (matmul(x, weights) + bias)))
        return TrainingModel(features: x, labels: y, loss: loss, train: Adam(learningRate: 0.01).minimize(loss))
    }
}
