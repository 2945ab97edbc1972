import ArgumentParser
import Cluster

/// How well a step hides its exchange behind its computing, for the network of `mlp` with one server and one worker.
struct Overlap: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlap", abstract: "A step's time over the longer of its computing and its exchange alone.")

    @Option(help: "ipc or tcp.") var transport = BenchTransport.ipc
    @Option(help: "Executors of the server.") var threads = 1
    @Flag(inversion: .prefixedNo, help: "Whether a step goes on while the last one's push travels.") var pipeline = true
    @Option(help: "Examples of a step.") var batch = 128
    @Option(help: "Length of each timed part.") var seconds = 3.0
    @Option(help: "How often the three take turns.") var rounds = 5

    func run() throws {
        var (compute, exchange, step): ([Double], [Double], [Double]) = ([], [], [])
        let cluster = ExchangeCluster(
            transport: transport, executors: threads, job: BenchJob(), batch: batch, isPipelined: pipeline)
        try cluster.run { worker in
            let part = seconds / Double(rounds)
            for _ in 0..<rounds {
                compute.append(try Timing(warmup: 10, seconds: part) { _ in try worker.compute() }.median * 1e3)
                exchange.append(
                    try Timing(warmup: 10, seconds: part) { _ in try worker.push(wantsValues: true) }.median * 1e3)
                step.append(try Timing(warmup: 10, seconds: part) { _ in try worker.step() }.median * 1e3)
                try worker.settle()
            }
        }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        print(
            JSONLine(
                bench: "overlap",
                [
                    ("transport", .text(transport.rawValue)), ("pipeline", .flag(pipeline)),
                    ("batch", .integer(batch)),
                    ("compute_ms", .number(median(compute))), ("exchange_ms", .number(median(exchange))),
                    ("step_ms", .number(median(step))),
                    ("ratio", .number(median(step) / max(median(compute), median(exchange)))),
                ]))
    }
}
