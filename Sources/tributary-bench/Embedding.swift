import ArgumentParser
import Dataflow
import Training

/// Rows of a big table: looked up, added, and updated by Adagrad, those touched alone.
struct Embedding: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embedding", abstract: "Training of the rows of a big table, by Adagrad.")

    @Option(help: "Threads of the session.") var threads = 2
    @Option(help: "Length of the timed part.") var seconds = 8.0
    @Option(help: "Seed of the ids.") var seed = 1
    @Option(help: "Rows of the table.") var rows = 1_000_000
    @Option(help: "Numbers of a row.") var dim = 32
    @Option(help: "Rows looked up in a step.") var ids = 4096

    @Flag(help: "Also print, to stderr, where the time of further steps goes.") var profile = false

    func run() throws {
        let graph = Graph(seed: seed)
        let table = graph.variable(Tensor.zeros(.float32, sized: [rows, dim]), name: "table")
        let chosen = graph.placeholder(.int32, [ids], name: "ids")
        let loss = mean(square(sum(gather(table, chosen), axes: [1]) - 1))
        let train = Adagrad(learningRate: 0.1).minimize(loss)
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let source = Graph(seed: seed)
        let random = source.randomUniformInt(shape: [ids], max: rows)
        let drawing = try Session(source, options: SessionOptions(threads: 1))
        let batches: [Feeds] = try (0..<64).map { _ in [chosen: try drawing.run(random)] }
        let timing = try Timing(warmup: 20, seconds: seconds) { step in
            _ = try session.run([train], feeds: batches[step % 64])
        }
        if profile {
            try printProfile { _ = try session.run([train], feeds: batches[$0 % 64], profile: $1) }
        }
        let final: Float = try session.run(loss, feeds: batches[0]).scalar()
        print(
            JSONLine(
                bench: "embedding",
                [
                    ("threads", .integer(threads)), ("rows", .integer(rows)), ("dim", .integer(dim)),
                    ("ids", .integer(ids)), ("median_step_ms", .number(timing.median * 1e3)),
                    ("final_loss", .number(Double(final))),
                ]))
    }
}
