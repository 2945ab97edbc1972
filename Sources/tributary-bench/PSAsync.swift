import ArgumentParser
import Cluster
import Dataflow
import Training

/// Asynchronous parameter-server training of the network of `mlp`: every node a process with one thread.
struct PSAsync: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps-async", abstract: "Asynchronous training on parameter servers, a process for each node.")

    @Option(help: "Parameter servers.") var servers = 1
    @Option(help: "Workers.") var workers = 2
    @Option(help: "ipc or tcp.") var transport = BenchTransport.tcp
    @Option(help: "Threads of each process.") var threads = 1
    @Option(help: "Length of the timed part.") var seconds = 12.0
    @Option(help: "Untimed seconds first.") var warmup = 2.0
    @Option(help: "Examples of a step.") var batch = 128
    @Flag(
        inversion: .prefixedNo,
        help: "Whether a worker computes its next step while its last push travels ({async: {pipeline: true}}).")
    var pipeline = true
    @Option(help: "Seed of the data and the initial values.") var seed = 1

    func run() throws {
        var config = JobConfig()
        config.seed = seed
        config.model.kind = BenchJob.kind
        config.train.batch = batch
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = servers
        config.cluster.workers = workers
        config.cluster.consistency = .asynchronous(isPipelined: pipeline)
        config.cluster.sharedMemory = transport.sharesMemory
        config.cluster.threadsPerNode = threads
        let rate = try ClusterRate(
            config, job: BenchJob(), transport: transport, warmup: warmup, seconds: seconds)
        // Each worker's part of the whole run: all of them start and end together.
        let total = max(rate.report.workers.reduce(0) { $0 + $1.steps }, 1)
        print(
            JSONLine(
                bench: "ps_async",
                [
                    ("ps", .integer(servers)), ("workers", .integer(workers)),
                    ("threads_per_process", .integer(threads)),
                    ("transport", .text(transport.rawValue)), ("pipeline", .flag(pipeline)),
                    ("batch", .integer(batch)), ("seconds", .number(rate.seconds)),
                    ("samples_per_s", .number(rate.stepsPerSecond * Double(batch))),
                    ("steps_per_s", .number(rate.stepsPerSecond)),
                    (
                        "per_worker_steps_per_s",
                        .list(
                            rate.report.workers.map { .number(rate.stepsPerSecond * Double($0.steps) / Double(total)) })
                    ),
                    ("loss_before_after", .list([.number(rate.firstLoss ?? 0), .number(rate.lastLoss ?? 0)])),
                ]))
    }
}

/// The network of `mlp` on 16 batches of normal inputs with random labels.
struct BenchJob: TrainingJob {
    static let kind = "bench-mlp"

    func data(_ config: JobConfig) throws -> DataSplit {
        let graph = Graph(seed: config.seed)
        let count = 16 * config.train.batch
        let images = graph.randomNormal(shape: [count, 784])
        let labels = cast(graph.randomUniform(shape: [count], max: 10), to: .int32)
        let values = try Session(graph, options: SessionOptions(threads: 1)).run([images, labels])
        let training = try Dataset(features: values[0], labels: values[1], classes: 10)
        return try DataSplit(training: training, test: training.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let labels = graph.placeholder(.int32, [nil], name: "classes")
        let network = BenchNetwork.mlp(in: graph, labels: oneHot(labels, depth: 10))
        return TrainingModel(features: network.images, labels: labels, loss: network.loss, train: network.train)
    }
}
