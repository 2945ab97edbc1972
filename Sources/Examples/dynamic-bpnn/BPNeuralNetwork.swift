import Dataflow
import Training

/// A network with any number of hidden layers, made by `setup` and trained by back-propagation.
final class BPNeuralNetwork {
    private struct Model {
        let graph: Graph
        let input: Node
        let label: Node
        let prediction: Node
        let loss: Node
    }

    private var model: Model?
    private var session: Session?

    /// Builds the network anew: `ni` inputs, hidden layers of `nh` ReLUs each, `no` outputs.
    func setup(ni: Int, nh: [Int], no: Int, seed: Int) {
        let graph = Graph(seed: seed)
        let input = graph.placeholder(.float32, [nil, ni], name: "input")
        let label = graph.placeholder(.float32, [nil, no], name: "label")
        let hidden = nh.enumerated().reduce(input) { x, layer in
            dense(
                x, units: layer.element, activation: .relu, initializer: .heNormal, biasInitializer: .constant(0.1),
                name: "hidden\(layer.offset + 1)")
        }
        let prediction = dense(hidden, units: no, biasInitializer: .constant(0.1), name: "output")
        let loss = mean(sum(square(label - prediction), axes: [1]))
        model = Model(graph: graph, input: input, label: label, prediction: prediction, loss: loss)
        session = nil
    }

    /// Runs `limit` steps over all cases, the weights drawn anew before. Traps before `setup`.
    /// - Returns: the loss after the last step.
    @discardableResult
    func train(_ cases: [[Float]], _ labels: [[Float]], limit: Int = 2000, learnRate: Double = 0.05) throws -> Float {
        guard let model else { fatalError("set the network up before it is trained") }
        let step = GradientDescent(learningRate: .constant(learnRate)).minimize(model.loss)
        let session = try Session(model.graph)
        self.session = session
        try session.execute(model.graph.globalVariablesInitializer())
        let feeds: Feeds = [model.input: cases, model.label: labels]
        for _ in 0..<limit { try session.execute(step, feeds: feeds) }
        return try session.run(model.loss, feeds: feeds).scalar()
    }

    /// The outputs for each case, a row each. Traps before `train`.
    func predict(_ cases: [[Float]]) throws -> Tensor {
        guard let model, let session else { fatalError("train the network before it predicts") }
        return try session.run(model.prediction, feeds: [model.input: cases])
    }
}
