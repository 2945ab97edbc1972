import Cluster
import Dataflow
import Foundation
import Messaging
import Training

/// A server process, and a worker in this one that exchanges with it as the benchmark says.
struct ExchangeCluster {
    let transport: BenchTransport
    /// Executors of the server.
    let executors: Int
    let job: any TrainingJob
    var batch = 1
    var isPipelined = false
    /// For the job: the elements of `VectorJob`'s Variable.
    var outputs: Int?

    /// Runs the cluster for as long as `body` takes.
    func run(_ body: (ExchangeProbe.Worker) throws -> Void) throws {
        let folder = try BenchFolder()
        defer { folder.remove() }
        var config = JobConfig()
        config.model.kind = type(of: job).kind
        config.model.outputs = outputs
        config.train.batch = batch
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = 1
        config.cluster.workers = 1
        config.cluster.transport = transport.choice
        config.cluster.consistency = .asynchronous(isPipelined: isPipelined)
        config.cluster.sharedMemory = transport.sharesMemory
        let coordinator = try Coordinator(
            config: config, job: job, listen: folder.address("coordinator", transport),
            options: CoordinatorOptions())
        let thread = Thread { _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in }) }
        thread.start()
        let server = try BenchChild([
            "server", "--coordinator", coordinator.address.description, "--listen",
            try folder.address("server", transport).description, "--threads", "\(executors)",
        ])
        defer {
            coordinator.stop(now: true, reason: "measured")
            server.end()
        }
        try ExchangeProbe(coordinator: coordinator.address, options: NodeOptions(jobs: [job])).run(body)
    }
}

/// A folder for sockets.
struct BenchFolder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "tributary-bench-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func address(_ name: String, _ transport: BenchTransport) throws -> Address {
        try Address(transport == .ipc ? "ipc://\(url.path)/\(name)" : "tcp://127.0.0.1:0")
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}

/// This program run once more.
struct BenchChild {
    private let process = Process()

    init(_ arguments: [String]) throws {
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        try process.run()
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }
}

/// One vector of `model.outputs` elements, trained by gradient descent.
struct VectorJob: TrainingJob {
    static let kind = "bench-vector"

    func data(_ config: JobConfig) throws -> DataSplit {
        let training = try Dataset(
            features: .zeros(.float32, sized: [1, 1]), labels: .zeros(.float32, sized: [1, 1]), classes: 0)
        return try DataSplit(training: training, test: training.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 1], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let shape: Shape = [config.model.outputs ?? 1]
        let vector = graph.variable(Initializer.zeros.node(in: graph, shape: shape), name: "vector")
        let loss = mean(square(y - x * mean(vector)))
        return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
    }
}
