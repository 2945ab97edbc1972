import ArgumentParser
import Cluster
import Dataflow
import Training

/// Synchronous steps of a model that computes next to nothing: what an exchange costs.
struct PSSync: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps-sync",
        abstract: "Synchronous steps a second of models that compute little, a process for each node.",
        discussion: "Each number of servers is measured with each number of workers and each size of the model.")

    @Option(parsing: .upToNextOption, help: "Parameter servers.") var servers = [1, 2]
    @Option(parsing: .upToNextOption, help: "Workers.") var workers = [1, 2]
    @Option(parsing: .upToNextOption, help: "KiB of the model, in four Variables.") var kib = [4, 65_536]
    @Option(help: "ipc or tcp.") var transport = BenchTransport.ipc
    @Option(help: "Length of each timed part.") var seconds = 4.0
    @Option(help: "Untimed seconds first.") var warmup = 1.0

    func run() throws {
        var rows: [JSONLine.Value] = []
        for kib in kib {
            for servers in servers {
                for workers in workers {
                    rows.append(.object(try measure(kib, servers, workers)))
                }
            }
        }
        print(JSONLine(bench: "ps_sync", [("transport", .text(transport.rawValue)), ("results", .list(rows))]))
    }

    private func measure(_ kib: Int, _ servers: Int, _ workers: Int) throws -> [(String, JSONLine.Value)] {
        var config = JobConfig()
        config.model.kind = ChainJob.kind
        config.model.outputs = kib << 8
        config.train.batch = workers
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = servers
        config.cluster.workers = workers
        config.cluster.consistency = .sync
        config.cluster.sharedMemory = transport.sharesMemory
        config.cluster.threadsPerNode = 1
        let rate = try ClusterRate(
            config, job: ChainJob(), transport: transport, warmup: warmup, seconds: seconds)
        return [
            ("kib", .integer(kib)), ("ps", .integer(servers)), ("workers", .integer(workers)),
            ("steps_per_s", .number(rate.stepsPerSecond)), ("us_per_step", .number(1e6 / rate.stepsPerSecond)),
        ]
    }
}

/// Four vectors of together `model.outputs` elements, whose means are multiplied one after the other.
struct ChainJob: TrainingJob {
    static let kind = "bench-chain"

    func data(_ config: JobConfig) throws -> DataSplit {
        let training = try Dataset(
            features: .zeros(.float32, sized: [64, 1]), labels: .zeros(.float32, sized: [64, 1]), classes: 0)
        return try DataSplit(training: training, test: training.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 1], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let shape: Shape = [(config.model.outputs ?? 4) / 4]
        var product: Node = x
        for layer in 0..<4 {
            let vector = graph.variable(Initializer.zeros.node(in: graph, shape: shape), name: "layer\(layer)")
            product = product * mean(vector)
        }
        let loss = mean(square(y - product))
        return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
    }
}
