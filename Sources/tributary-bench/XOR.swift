import ArgumentParser
import Dataflow
import Training

/// The cost of one `Session.run` of a tiny graph: a training step of a 2-10-1 network on the four cases of XOR.
struct XOR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xor", abstract: "Time of one training step of a 2-10-1 network.")

    @Option(help: "Threads of the session.") var threads = 1
    @Option(help: "Steps that are timed, after 500 of warm-up (10,000 unless --seconds is given).") var steps: Int?
    @Option(help: "Length of the timed part, instead of a number of steps.") var seconds: Double?
    @Option(help: "The graph's seed.") var seed = 1

    func run() throws {
        let graph = Graph(seed: seed)
        let x = graph.placeholder(.float32, [nil, 2], name: "x")
        let label = graph.placeholder(.float32, [nil, 1], name: "label")
        func layer(_ input: Node, _ inputs: Int, _ units: Int) -> Node {
            let weights = graph.variable(graph.randomNormal(shape: [inputs, units]), name: "weights")
            let bias = graph.variable(Tensor(repeating: Float(0.1), sized: [1, units]), name: "bias")
            return matmul(input, weights) + bias
        }
        let output = layer(relu(layer(x, 2, 10)), 10, 1)
        let loss = mean(sum(square(label - output), axes: [1]))
        let train = GradientDescent(learningRate: 0.05).minimize(loss)
        let initialize = graph.globalVariablesInitializer()

        let session = try Session(graph, options: SessionOptions(threads: threads))
        let feeds: Feeds = [x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]]]
        try session.execute(initialize)
        for _ in 0..<500 { _ = try session.run(train, feeds: feeds) }
        try session.execute(initialize)
        let clock = ContinuousClock()
        let begin = clock.now
        var done = 0
        while let seconds, steps == nil, (clock.now - begin).seconds < seconds {
            for _ in 0..<1000 { _ = try session.run(train, feeds: feeds) }
            done += 1000
        }
        if seconds == nil || steps != nil {
            done = steps ?? 10_000
            for _ in 0..<done { _ = try session.run(train, feeds: feeds) }
        }
        let elapsed = clock.now - begin
        let final: Float = try session.run(loss, feeds: feeds).scalar()
        print(
            JSONLine(
                bench: "xor",
                [
                    ("threads", .integer(threads)), ("steps", .integer(done)),
                    ("us_per_step", .number(elapsed.seconds / Double(done) * 1e6)),
                    ("final_loss", .number(Double(final))),
                ]))
    }
}
