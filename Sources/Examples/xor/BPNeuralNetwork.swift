import Dataflow
import Training

/// A network with one hidden layer of ReLUs that learns by back-propagation: gradient descent on the sum of squares.
final class BPNeuralNetwork {
    let graph = Graph(seed: 3)
    private let input: Node
    private let label: Node
    private let prediction: Node
    private let loss: Node
    private var session: Session?

    /// - Parameters:
    ///   - ni: inputs.
    ///   - nh: hidden units.
    ///   - no: outputs. A label with one column is compared with each of them: it broadcasts.
    init(ni: Int = 2, nh: Int = 10, no: Int = 1) {
        input = graph.placeholder(.float32, [nil, ni], name: "input")
        label = graph.placeholder(.float32, [nil, nil], name: "label")
        let hidden = relu(BPNeuralNetwork.layer(input, ni, nh))
        prediction = BPNeuralNetwork.layer(hidden, nh, no)
        loss = mean(sum(square(label - prediction), axes: [1]))
    }

    /// x · weights + bias, the weights normal, the bias 0.1.
    private static func layer(_ x: Node, _ inputs: Int, _ units: Int) -> Node {
        let graph = x.graph
        let weights = graph.variable(Initializer.normal().node(in: graph, shape: [inputs, units]), name: "weights")
        let bias = graph.variable(0.1, shape: [1, units], name: "bias")
        return matmul(x, weights) + bias
    }

    /// Runs `limit` steps over all cases, the weights drawn anew before.
    /// - Returns: the loss after the last step.
    @discardableResult
    func train(_ cases: [[Float]], _ labels: [[Float]], limit: Int = 1000, learnRate: Double = 0.05) throws -> Float {
        let step = GradientDescent(learningRate: .constant(learnRate)).minimize(loss)
        let session = try Session(graph)
        self.session = session
        try session.execute(graph.globalVariablesInitializer())
        let feeds: Feeds = [input: cases, label: labels]
        for _ in 0..<limit { try session.execute(step, feeds: feeds) }
        return try session.run(loss, feeds: feeds).scalar()
    }

    /// The outputs for each case, a row each. Traps before `train`.
    func predict(_ cases: [[Float]]) throws -> Tensor {
        guard let session else { fatalError("train the network before it predicts") }
        return try session.run(prediction, feeds: [input: cases])
    }
}
