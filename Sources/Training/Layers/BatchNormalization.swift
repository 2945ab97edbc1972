public import Dataflow

/// Batch normalisation: Ioffe and Szegedy, "Batch Normalization" (2015); TensorFlow's `tf.layers.batch_normalization`.
///
/// Each call must say whether it is training, so whether mean and variance are the batch's or the moving averages:
/// `norm(h, training: true)`, or a bool node, by which each run says; then both results are computed and one of them chosen.
/// As in TensorFlow 1 the moving averages change only when the graph's `updateOperations` run (of a bool node while it is
/// true), so a training step runs them too:
///
///     let step = graph.group([optimizer.minimize(loss)] + graph.updateOperations)
///
/// Its input are images [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW", or a
/// matrix [examples, channels]; the number of channels is known. Its output has that shape. Its Variables are "<name>/gamma"
/// and "<name>/beta", and "<name>/moving_mean" and "<name>/moving_variance", which are not trainable.
public struct BatchNormalization: Layer {
    public let momentum: Double
    public let epsilon: Float
    public let center: Bool
    public let scale: Bool
    public let dataFormat: String
    public let weights: LayerWeights

    /// - Parameters:
    ///   - momentum: how much of a moving average stays at an update.
    ///   - epsilon: added to the variance.
    ///   - center: whether there is a beta, which is added.
    ///   - scale: whether there is a gamma, which is multiplied with.
    public init(
        momentum: Double = 0.99, epsilon: Float = 0.001, center: Bool = true, scale: Bool = true,
        dataFormat: String = "NHWC", name: String = "batch_normalization"
    ) {
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.dataFormat = dataFormat
        weights = LayerWeights(name: name)
    }

    /// [channels].
    public var gamma: Variable { weights["gamma"] }
    /// [channels].
    public var beta: Variable { weights["beta"] }
    /// [channels].
    public var movingMean: Variable { weights["moving_mean"] }
    /// [channels].
    public var movingVariance: Variable { weights["moving_variance"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard x.vertex.error == nil else { return x }
        let isMatrix = x.shape.rank == 2
        let axis = isMatrix || dataFormat == "NCHW" ? 1 : 3
        guard isMatrix || x.shape.rank == 4, let channels = x.shape[axis] else {
            call.recordMistake(
                "batch normalisation needs images of four dimensions, or a matrix, with a known number of channels,"
                    + " got \(x)")
            return x
        }
        let graph = x.graph
        // A matrix is a batch of images of one pixel.
        let images = isMatrix ? reshape(x, [-1, 1, 1, channels]) : x
        let vector = { (value: Double, name: String, isTrainable: Bool) in
            call.variable(
                name, shape: [channels], dtype: x.dtype, initializer: .constant(value), trainable: isTrainable)
        }
        let number = { (value: Double) in graph.constant(.numbers([value], dtype: x.dtype, sized: [])) }
        let constant = { (value: Double) in
            graph.constant(.numbers([Double](repeating: value, count: channels), dtype: x.dtype, sized: [channels]))
        }
        let gamma = scale ? vector(1, "gamma", true).node : constant(1)
        let beta = center ? vector(0, "beta", true).node : constant(0)
        let (movingMean, movingVariance) = (vector(0, "moving_mean", false), vector(1, "moving_variance", false))
        let normalized = { (isTraining: Bool) in
            fusedBatchNorm(
                images, scale: gamma, offset: beta, mean: isTraining ? nil : movingMean,
                variance: isTraining ? nil : movingVariance, epsilon: epsilon, isTraining: isTraining,
                dataFormat: isMatrix ? "NHWC" : dataFormat)
        }
        let update = { (mean: Node, variance: Node, rate: Node) in
            for (average, value) in [(movingMean, mean), (movingVariance, variance)] {
                graph.addUpdateOperation(average.assignSub((average - value) * rate))
            }
        }
        let result: Node
        switch call.trainingFlag() {
        case .constant(let isTraining):
            let (y, mean, variance) = normalized(isTraining)
            if isTraining { update(mean, variance, number(1 - momentum)) }
            result = y
        case .node(let flag):
            let (batch, moving) = (normalized(true), normalized(false))
            let (rate, still) = (number(1 - momentum), number(0))
            update(batch.mean, batch.variance, select(flag, rate, still))
            result = select(flag, batch.y, moving.y)
        }
        return isMatrix ? reshape(result, [-1, channels]) : result
    }
}

/// Batch normalisation of `x`; `BatchNormalization(…)(x, training: training)`, which says more.
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
    BatchNormalization(
        momentum: momentum, epsilon: epsilon, center: center, scale: scale, dataFormat: dataFormat, name: name)(
            x, training: training, file: file, line: line)
}

/// As `batchNormalization(_:training:…)` where each run says whether it is training.
///
/// - Parameter training: a bool scalar, often a placeholder.
public func batchNormalization(
    _ x: any Operand, training: Node, momentum: Double = 0.99, epsilon: Float = 0.001, center: Bool = true,
    scale: Bool = true, dataFormat: String = "NHWC", name: String = "batch_normalization",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    BatchNormalization(
        momentum: momentum, epsilon: epsilon, center: center, scale: scale, dataFormat: dataFormat, name: name)(
            x, training: training, file: file, line: line)
}
