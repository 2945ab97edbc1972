import ArgumentParser
import Dataflow
import Foundation

/// The time from the start of a process to the end of its first training step of the `mlp` case.
struct Startup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup", abstract: "Time from a process's start to the end of its first training step.")

    @Option(help: "Processes that are started, one after the other.") var runs = 10
    @Option(help: "Threads of the session.") var threads = 2
    @Flag(help: .hidden) var child = false

    func run() throws {
        guard !child else { return try step() }
        let clock = ContinuousClock()
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let times = try (0..<runs).map { _ in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["startup", "--child", "--threads", "\(threads)"]
            let output = Pipe()
            process.standardOutput = output
            let begin = clock.now
            try process.run()
            // The child writes once its step is done.
            guard try output.fileHandleForReading.read(upToCount: 1)?.isEmpty == false else {
                throw ValidationError("the process that was started made no step")
            }
            defer { process.waitUntilExit() }
            return (clock.now - begin).seconds
        }.sorted()
        print(
            JSONLine(
                bench: "startup",
                [
                    ("threads", .integer(threads)), ("runs", .integer(runs)),
                    ("median_ms", .number(times[times.count / 2] * 1e3)),
                ]))
    }

    private func step() throws {
        let graph = Graph()
        let network = BenchNetwork.mlp(in: graph)
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let feeds: Feeds = [
            network.images: Tensor.zeros(.float32, sized: [128, 784]),
            network.labels: Tensor.zeros(.float32, sized: [128, 10]),
        ]
        _ = try session.run(network.train, feeds: feeds)
        try FileHandle.standardOutput.write(contentsOf: Data([UInt8(ascii: ".")]))
    }
}
