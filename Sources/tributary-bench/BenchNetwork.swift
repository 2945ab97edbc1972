import Dataflow
import Training

/// A network that a case trains by gradient descent at 0.01 on cross-entropy over ten classes.
struct BenchNetwork {
    let images: Node
    let labels: Node
    let loss: Node
    let train: Node

    /// - Parameters:
    ///   - shape: of the features, with nil where the examples are counted.
    ///   - labels: distributions over ten classes; a placeholder for them by default.
    ///   - logits: builds the network over the features.
    private init(in graph: Graph, shape: [Int?], labels given: Node? = nil, logits: (Node) -> Node) {
        images = graph.placeholder(.float32, Shape(shape), name: "images")
        labels = given ?? graph.placeholder(.float32, [nil, 10], name: "labels")
        loss = mean(softmaxCrossEntropy(labels: labels, logits: logits(images)))
        train = GradientDescent(learningRate: 0.01).minimize(loss)
    }

    /// The multilayer perceptron 784-512-256-10 with ReLU.
    static func mlp(in graph: Graph, labels: Node? = nil) -> BenchNetwork {
        BenchNetwork(in: graph, shape: [nil, 784], labels: labels) { x in
            dense(relu(dense(relu(dense(x, 784, 512)), 512, 256)), 256, 10)
        }
    }

    /// A LeNet-like network over 28 × 28 × 1 images: two 5 × 5 convolutions, each with ReLU and pooling, and two layers.
    static func cnn(in graph: Graph) -> BenchNetwork {
        func block(_ x: Node, _ inputs: Int, _ outputs: Int) -> Node {
            let filter = weights(graph, [5, 5, inputs, outputs], inputs: 25 * inputs)
            let bias = graph.variable(Tensor.zeros(.float32, sized: [outputs]), name: "bias")
            return maxPool(relu(biasAdd(conv2d(x, filter, padding: .same), bias)), size: [2, 2], padding: .same)
        }
        return BenchNetwork(in: graph, shape: [nil, 28, 28, 1]) { x in
            let features = reshape(block(block(x, 1, 32), 32, 64), [-1, 7 * 7 * 64])
            return dense(relu(dense(features, 7 * 7 * 64, 1024)), 1024, 10)
        }
    }

    /// One layer of long short-term memory and a dense layer over its last output; features [steps, batch, inputs].
    static func lstm(in graph: Graph, steps: Int, batch: Int, inputs: Int, units: Int) -> BenchNetwork {
        BenchNetwork(in: graph, shape: [steps, batch, inputs]) { x in
            let limit = 1 / Double(units).squareRoot()
            let kernel = graph.variable(
                graph.randomUniform(shape: [inputs + units, 4 * units], min: -limit, max: limit), name: "kernel")
            let bias = graph.variable(Tensor.zeros(.float32, sized: [4 * units]), name: "bias")
            let start = graph.constant(Tensor.zeros(.float32, sized: [batch, units]))
            let outputs = blockLSTM(x, cellState: start, output: start, weights: kernel, bias: bias).output
            let last = stridedSlice(outputs, begin: [steps - 1], end: [steps], shrinkAxisMask: 1)
            return dense(last, units, 10)
        }
    }

    private static func dense(_ x: Node, _ inputs: Int, _ units: Int) -> Node {
        let bias = x.graph.variable(Tensor.zeros(.float32, sized: [units]), name: "bias")
        return biasAdd(matmul(x, weights(x.graph, [inputs, units], inputs: inputs)), bias)
    }

    private static func weights(_ graph: Graph, _ shape: Shape, inputs: Int) -> Variable {
        graph.variable(
            graph.truncatedNormal(shape: shape, stddev: (2 / Double(inputs)).squareRoot()), name: "weights")
    }

    /// `count` batches of normal inputs of `shape` and random one-hot labels of ten classes for `batch` examples.
    static func batches(
        _ count: Int, shape: Shape, batch: Int, seed: Int
    ) throws -> [(images: Tensor, labels: Tensor)] {
        let graph = Graph(seed: seed)
        let images = graph.randomNormal(shape: shape)
        let labels = oneHot(
            cast(graph.randomUniform(shape: [batch], max: 10), to: .int32), depth: 10, dtype: .float32)
        let session = try Session(graph, options: SessionOptions(threads: 1))
        return try (0..<count).map { _ in
            let values = try session.run([images, labels])
            return (values[0], values[1])
        }
    }
}
