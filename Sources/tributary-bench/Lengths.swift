import ArgumentParser
import Dataflow
import Training

/// Training steps of a small layer of long short-term memory on sequences of many lengths in turn: what it costs that each
/// length has a plan of its own.
struct Lengths: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lengths", abstract: "Time of a step of a small LSTM on sequences of many lengths in turn.")

    @Option(help: "How many lengths, the shortest 2.") var lengths: [Int] = [30, 40, 80, 400]
    @Option(help: "Rounds that are timed.") var rounds = 20
    @Option(help: "Threads of the session.") var threads = 1
    @Option(
        help: "Bytes for plans, such as 64MiB; an eighth of the memory by default.", transform: ByteSize.argument)
    var planMemory: Int?

    func run() throws {
        for count in lengths { print(try measure(count)) }
    }

    private func measure(_ count: Int) throws -> JSONLine {
        let graph = Graph()
        let (inputs, units, batch) = (4, 8, 1)
        let x = graph.placeholder(.float32, [nil, batch, inputs], name: "x")
        let kernel = graph.variable(graph.randomUniform(shape: [inputs + units, 4 * units], min: -0.3, max: 0.3))
        let bias = graph.variable(Tensor.zeros(.float32, sized: [4 * units]))
        let start = graph.constant(Tensor.zeros(.float32, sized: [batch, units]))
        let outputs = blockLSTM(x, cellState: start, output: start, weights: kernel, bias: bias).output
        let train = GradientDescent(learningRate: 0.01).minimize(mean(square(outputs)))
        let session = try Session(graph, options: SessionOptions(threads: threads, planMemory: planMemory))
        try session.execute(graph.globalVariablesInitializer())
        let feeds = (0..<count).map { i in
            Tensor(repeating: Float(0.1), sized: [i + 2, batch, inputs])
        }
        let clock = ContinuousClock()
        let begin = clock.now
        for feed in feeds { _ = try session.run(train, feeds: [x: feed]) }
        let planned = clock.now
        for _ in 0..<rounds {
            for feed in feeds { _ = try session.run(train, feeds: [x: feed]) }
        }
        let end = clock.now
        func microseconds(_ time: Duration, _ steps: Int) -> Double { time.seconds / Double(steps) * 1e6 }
        return JSONLine(
            bench: "lengths",
            [
                ("lengths", .integer(count)), ("threads", .integer(threads)),
                ("us_per_first_step", .number(microseconds(planned - begin, count))),
                ("us_per_step", .number(microseconds(end - planned, count * rounds))),
            ])
    }
}
