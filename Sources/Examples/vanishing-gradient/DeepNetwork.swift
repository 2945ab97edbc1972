import Dataflow
import Training

/// How far a gradient gets in a deep network before any training.
struct DeepNetwork {
    static let (depth, width, batch) = (10, 64, 256)

    let activation: Activation
    let initializer: Initializer

    /// ‖∂loss/∂W‖ of each layer's weights from the input on, and the share of exact zeros among all hidden activations.
    func measure() throws -> (norms: [Double], zeros: Double) {
        let graph = Graph(seed: 7)
        let input = graph.randomNormal(shape: [DeepNetwork.batch, DeepNetwork.width], mean: 0, stddev: 1)
        var x = input
        var hidden: [Node] = []
        for layer in 1...DeepNetwork.depth {
            x = dense(
                x, units: DeepNetwork.width, activation: activation, initializer: initializer, name: "layer\(layer)")
            hidden.append(x)
        }
        let output = dense(x, units: 1, initializer: initializer, name: "output")
        let loss = meanSquaredError(labels: onesLike(output), predictions: output)
        let weights = graph.variables.filter { $0.name.hasSuffix("kernel") }.dropLast()
        let norms = graph.gradients(of: loss, by: Array(weights)).map { globalNorm([$0!]) }
        let zeros = hidden.map { mean(cast(equal($0, zerosLike($0)), to: .float32)) }
        let session = try Session(graph)
        try session.execute(graph.globalVariablesInitializer())
        let values = try session.run(norms + zeros).map { try $0.doubles[0] }
        return (Array(values.prefix(norms.count)), values.dropFirst(norms.count).reduce(0, +) / Double(zeros.count))
    }
}
