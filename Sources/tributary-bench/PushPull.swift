import ArgumentParser
import Cluster
import Dataflow
import Foundation
import Messaging
import Training

/// Bandwidth between a server process and this one: getting a Variable's value, and pushing a gradient for all of it.
struct PushPull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pushpull", abstract: "Bandwidth of pull and push of one Variable on a server.",
        discussion: """
            A push ends when it is applied. push_pull is a training step's exchange: a push whose answer carries the \
            new value; its rate counts the value once.
            """)

    @Option(parsing: .upToNextOption, help: "Sizes of the Variable.") var mib = [4, 64, 256]
    @Option(help: "ipc or tcp.") var transport = BenchTransport.tcp
    @Option(help: "Lanes of the server.") var threads = 1
    @Option(help: "Length of each timed part.") var seconds = 4.0

    func run() throws {
        let results = try mib.map { size in JSONLine.Value.object(try measure(size)) }
        print(
            JSONLine(
                bench: "pushpull",
                [
                    ("transport", .text(transport.rawValue)), ("threads_per_process", .integer(threads)),
                    ("results", .list(results)),
                ]))
    }

    private func measure(_ size: Int) throws -> [(String, JSONLine.Value)] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tributary-bench-\(getpid())-\(size)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func listening(_ name: String) throws -> Address {
            try Address(transport == .ipc ? "ipc://\(folder.path)/\(name)" : "tcp://127.0.0.1:0")
        }
        var config = JobConfig()
        config.model.kind = PushPullJob.kind
        config.model.outputs = size
        config.train.batch = 1
        config.train.length = .steps(1_000_000_000)
        config.cluster.servers = 1
        config.cluster.workers = 1
        config.cluster.transport = transport.choice

        let coordinator = try Coordinator(
            config: config, job: PushPullJob(), listen: listening("coordinator"), options: CoordinatorOptions())
        let address = coordinator.address
        let thread = Thread { _ = try? coordinator.run(onProgress: { _ in }, onEvent: { _ in }) }
        thread.start()
        let server = Process()
        server.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        server.arguments = [
            "server", "--coordinator", address.description, "--listen", try listening("server").description,
            "--threads", "\(threads)",
        ]
        try server.run()
        defer {
            coordinator.stop(now: true, reason: "measured")
            server.terminate()
            server.waitUntilExit()
        }
        var figures: [(String, JSONLine.Value)] = [("mib", .integer(size))]
        try ExchangeProbe(coordinator: address, options: NodeOptions(jobs: [PushPullJob()])).run { pull, push in
            for name in ["pull", "push", "push_pull"] {
                let timing = try Timing(warmup: 3, seconds: seconds) { _ in
                    try name == "pull" ? pull() : push(name == "push_pull")
                }
                let rate = Double(size << 20) * Double(timing.steps) / timing.elapsed / 1e9
                figures += [("\(name)_gb_per_s", .number(rate)), ("\(name)_ms", .number(timing.median * 1e3))]
            }
        }
        return figures
    }
}

/// One vector of `model.outputs` MiB, trained by gradient descent.
struct PushPullJob: TrainingJob {
    static let kind = "bench-pushpull"

    func data(_ config: JobConfig) throws -> DataSplit {
        let training = Dataset(
            features: .zeros(.float32, [1, 1]), labels: .zeros(.float32, [1, 1]), classes: 0)
        return DataSplit(training: training, test: training.prefix(0))
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(.float32, [nil, 1], name: "x")
        let y = graph.placeholder(.float32, [nil, 1], name: "y")
        let shape: Shape = [(config.model.outputs ?? 4) << 18]
        let vector = graph.variable(Initializer.zeros.node(in: graph, shape: shape), name: "vector")
        let loss = mean(square(y - x * mean(vector)))
        return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
    }
}
