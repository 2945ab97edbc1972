import Dataflow
import Training

/// The multilayer perceptron that all cases but XOR train: 784-512-256-10, ReLU, cross-entropy.
struct BenchNetwork {
    static let sizes = [784, 512, 256, 10]

    let images: Node
    let labels: Node
    let loss: Node
    let train: Node

    /// Adds the network and its training step by gradient descent at 0.01 to `graph`.
    ///
    /// - Parameter labels: distributions over ten classes; a placeholder for them by default.
    init(in graph: Graph, labels given: Node? = nil) {
        images = graph.placeholder(.float32, [nil, 784], name: "images")
        labels = given ?? graph.placeholder(.float32, [nil, 10], name: "labels")
        var h = images
        for (i, (inputs, units)) in zip(BenchNetwork.sizes, BenchNetwork.sizes.dropFirst()).enumerated() {
            let scale = (2 / Double(inputs)).squareRoot()
            let weights = graph.variable(graph.truncatedNormal(shape: [inputs, units], stddev: scale), name: "weights")
            let bias = graph.variable(Tensor.zeros(.float32, [units]), name: "bias")
            h = biasAdd(matmul(h, weights), bias)
            if i < BenchNetwork.sizes.count - 2 { h = relu(h) }
        }
        loss = mean(softmaxCrossEntropy(labels: labels, logits: h))
        train = GradientDescent(learningRate: 0.01).minimize(loss)
    }

    /// `count` batches of normal inputs and random one-hot labels of ten classes.
    static func batches(_ count: Int, batch: Int, seed: Int) throws -> [(images: Tensor, labels: Tensor)] {
        let graph = Graph(seed: seed)
        let images = graph.randomNormal(shape: [batch, 784])
        let labels = oneHot(
            cast(graph.randomUniform(shape: [batch], max: 10), to: .int32), depth: 10, dtype: .float32)
        let session = try Session(graph, options: SessionOptions(threads: 1))
        return try (0..<count).map { _ in
            let values = try session.run([images, labels])
            return (values[0], values[1])
        }
    }
}
