import Dataflow

/// A small network with its training step, as the tests of graph files use it.
struct TrainingGraph {
    static let feeds = [
        "x": Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), "label": Tensor([[0.0], [1], [1], [0]]),
    ]

    let graph = Graph(seed: 3)

    /// - Parameter width: of the hidden layer.
    init(width: Int = 6) {
        let g = graph
        let x = g.placeholder(.float32, [nil, 2], name: "x")
        let label = g.placeholder(.float32, [nil, 1], name: "label")
        let (w1, b1) = g.device("/job:ps/task:1/device:CPU:0") {
            g.scope("layer1") {
                (
                    g.variable(
                        Tensor((0..<2 * width).map { Float($0 * 7 % 11) / 6 - 0.8 }, sized: [2, width]), name: "w"),
                    g.variable(Tensor(repeating: Float(0.1), sized: [1, width]), name: "b")
                )
            }
        }
        let w2 = g.scope("layer2") {
            g.variable(Tensor((0..<width).map { Float($0 * 5 % 7) / 4 - 0.7 }, sized: [width, 1]), name: "w")
        }
        let step = g.variable(Tensor(Int64(0)), name: "global_step", trainable: false)
        let out = matmul(relu(matmul(x, w1) + b1), w2, name: "out")
        let loss = identity(mean(sum(square(label - out), axes: [1])), name: "loss")
        let weights = [w1, b1, w2]
        let rate = g.constant(Float(0.05), name: "rate")
        let updates = zip(weights, g.gradients(of: loss, by: weights)).map { weight, gradient in
            g.add(ApplyGradientDescent.self, [weight.reference, rate, gradient!]).node
        }
        g.controlDependencies(updates) { _ = step.assignAdd(g.constant(Int64(1)), name: "train") }
        _ = g.globalVariablesInitializer(name: "init")
    }

    /// Initialises, trains ten steps and returns the values of some nodes; everything by name, so for any copy.
    static func outcome(of graph: Graph) throws -> [Tensor] {
        // The program may run anywhere: only the file keeps the names of servers.
        let session = try Session(graph, options: SessionOptions(softPlacement: true))
        var feeds = Feeds()
        for (name, value) in TrainingGraph.feeds { feeds[try graph.node(named: name)] = value }
        try session.execute(graph.node(named: "init"))
        for _ in 0..<10 { try session.execute(graph.node(named: "train"), feeds: feeds) }
        let fetches = try ["loss", "out", "layer1/w/read", "layer1/b/read", "layer2/w/read:0", "global_step/read"].map {
            try graph.node(named: $0)
        }
        return try session.run(fetches, feeds: feeds)
    }
}
