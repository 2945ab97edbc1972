public import Dataflow

/// Batch normalisation: Ioffe and Szegedy, "Batch Normalization" (2015); TensorFlow's `tf.layers.batch_normalization`.
///
/// Makes the Variables "<name>/gamma" and "<name>/beta", and "<name>/moving_mean" and "<name>/moving_variance", which are
/// not trainable; a name used twice becomes "<name>_1". As in TensorFlow 1 the moving averages change only when the graph's
/// `updateOperations` run, so a training step runs them too:
///
///     let step = graph.group([optimizer.minimize(loss)] + graph.updateOperations)
///
/// - Parameters:
///   - x: images [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW", or a
///     matrix [examples, channels]; the number of channels is known.
///   - training: whether mean and variance are the batch's; else they are the moving averages.
///   - momentum: how much of a moving average stays at an update.
///   - epsilon: added to the variance.
///   - center: whether there is a beta, which is added.
///   - scale: whether there is a gamma, which is multiplied with.
/// - Returns: of the shape of `x`.
public func batchNormalization(
    _ x: any Operand, training: Bool, momentum: Double = 0.99, epsilon: Float = 0.001, center: Bool = true,
    scale: Bool = true, dataFormat: String = "NHWC", name: String = "batch_normalization",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let graph = x.node.graph
    return graph.scope(name) {
        guard
            let layer = NormalizedLayer(
                x.node, center: center, scale: scale, dataFormat: dataFormat, name: name, file: file, line: line)
        else { return x.node }
        let result = layer.normalized(isTraining: training, epsilon: epsilon, file: file, line: line)
        if training {
            let rate = graph.constant(.numbers([1 - momentum], dtype: layer.x.dtype, sized: []))
            layer.update(result.mean, result.variance, rate: rate)
        }
        return layer.shaped(result.y)
    }
}

/// As `batchNormalization(_:training:…)` where each run says whether it is training.
///
/// Both results are computed and one of them chosen; while not training, the `updateOperations` change nothing.
///
/// - Parameter training: a bool scalar, often a placeholder.
public func batchNormalization(
    _ x: any Operand, training: Node, momentum: Double = 0.99, epsilon: Float = 0.001, center: Bool = true,
    scale: Bool = true, dataFormat: String = "NHWC", name: String = "batch_normalization",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let graph = x.node.graph
    return graph.scope(name) {
        guard
            let layer = NormalizedLayer(
                x.node, center: center, scale: scale, dataFormat: dataFormat, name: name, file: file, line: line)
        else { return x.node }
        let batch = layer.normalized(isTraining: true, epsilon: epsilon, file: file, line: line)
        let moving = layer.normalized(isTraining: false, epsilon: epsilon, file: file, line: line)
        let dtype = layer.x.dtype
        let rate = graph.constant(.numbers([1 - momentum], dtype: dtype, sized: []))
        let still = graph.constant(.numbers([0], dtype: dtype, sized: []))
        layer.update(batch.mean, batch.variance, rate: select(training, rate, still))
        return layer.shaped(select(training, batch.y, moving.y))
    }
}

/// What both kinds of batch normalisation are made of.
private struct NormalizedLayer {
    /// As images.
    let x: Node
    private let isMatrix: Bool
    private let channels: Int
    private let dataFormat: String
    private let gamma: Node
    private let beta: Node
    private let movingMean: Variable
    private let movingVariance: Variable

    /// Makes the Variables; nil, with the mistake recorded, where `x` cannot be normalised.
    init?(
        _ x: Node, center: Bool, scale: Bool, dataFormat: String, name: String, file: StaticString, line: UInt
    ) {
        guard x.vertex.error == nil else { return nil }
        let graph = x.graph
        isMatrix = x.shape.rank == 2
        let axis = isMatrix || dataFormat == "NCHW" ? 1 : 3
        guard isMatrix || x.shape.rank == 4, let channels = x.shape[axis] else {
            graph.recordMistake(
                "batch normalisation needs images of four dimensions, or a matrix, with a known number of channels,"
                    + " got \(x)", at: name, file: file, line: line)
            return nil
        }
        self.channels = channels
        // A matrix is a batch of images of one pixel.
        self.dataFormat = isMatrix ? "NHWC" : dataFormat
        self.x = isMatrix ? reshape(x, [-1, 1, 1, channels]) : x
        let vector = { (value: Double, name: String, isTrainable: Bool) in
            graph.variable(
                Initializer.constant(value).node(in: graph, shape: [channels], dtype: x.dtype), name: name,
                trainable: isTrainable, file: file, line: line)
        }
        let constant = { (value: Double) in
            graph.constant(.numbers([Double](repeating: value, count: channels), dtype: x.dtype, sized: [channels]))
        }
        gamma = scale ? vector(1, "gamma", true).node : constant(1)
        beta = center ? vector(0, "beta", true).node : constant(0)
        movingMean = vector(0, "moving_mean", false)
        movingVariance = vector(1, "moving_variance", false)
    }

    func normalized(
        isTraining: Bool, epsilon: Float, file: StaticString, line: UInt
    ) -> (y: Node, mean: Node, variance: Node) {
        fusedBatchNorm(
            x, scale: gamma, offset: beta, mean: isTraining ? nil : movingMean,
            variance: isTraining ? nil : movingVariance, epsilon: epsilon, isTraining: isTraining,
            dataFormat: dataFormat, file: file, line: line)
    }

    /// Registers the operations that move the averages toward the batch's mean and variance by `rate`.
    func update(_ mean: Node, _ variance: Node, rate: Node) {
        for (average, value) in [(movingMean, mean), (movingVariance, variance)] {
            x.graph.addUpdateOperation(average.assignSub((average - value) * rate))
        }
    }

    /// The result in the shape of what was given.
    func shaped(_ y: Node) -> Node { isMatrix ? reshape(y, [-1, channels]) : y }
}
