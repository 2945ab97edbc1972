public import Dataflow
public import Training

/// `model: {kind: cnn}`: blocks of convolution, activation and pooling over images, then dense layers and a loss for the
/// labels; as LeNet: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).
///
/// Convolutions keep height and width; each block's pooling divides them by `model.pool`, rounded down.
public struct ConvolutionalNetwork: TrainingJob {
    public static let kind = "cnn"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let image = try Self.image(config, data.training)
        let settings = config.model
        let model = LayeredModel(graph, config, data, shape: image, asksTraining: settings.batchNormalization)
        var h = model.features
        for (i, filters) in settings.filters.enumerated() {
            h = conv2d(
                h, filters: filters, kernelSize: [settings.kernel, settings.kernel], padding: .same,
                initializer: settings.effectiveInitializer, useBias: !settings.batchNormalization,
                name: "convolution\(i + 1)",
                l1: config.train.l1, l2: config.train.l2)
            if settings.batchNormalization, let isTraining = model.isTraining {
                // With TensorFlow's 0.99 the averages of small jobs, which make few updates, would stay far from the data's.
                h = batchNormalization(h, training: isTraining, momentum: 0.9, name: "normalization\(i + 1)")
            }
            h = settings.activation(h)
            if settings.pool > 1 { h = maxPool(h, size: [settings.pool, settings.pool]) }
        }
        let size = (h.shape.dimensions ?? []).dropFirst().reduce(1) { $0 * ($1 ?? 1) }
        return try model.trained(model.logits(model.hidden(reshape(h, [-1, size]))))
    }

    /// Height, width and channels, from the configuration or the data. Throws if neither has them, or they do not fit.
    private static func image(_ config: JobConfig, _ data: Dataset) throws -> [Int] {
        let model = config.model
        let image: [Int]
        if let given = model.image {
            image = given.count == 2 ? given + [1] : given
            guard image.count == 3, image.reduce(1, *) == data.width else {
                throw NodeError(
                    .configuration,
                    "model.image is \(given), which is \(image.reduce(1, *)) features; the data has \(data.width)")
            }
        } else if [2, 3].contains(data.featureShape.count) {
            image = data.featureShape.count == 2 ? data.featureShape + [1] : data.featureShape
        } else {
            throw NodeError(
                .configuration,
                "model.image is required: the data has \(data.width) features an example and does not say their height, "
                    + "width and channels; write e.g. model.image: [28, 28, 1]")
        }
        var (height, width) = (image[0], image[1])
        for block in model.filters.indices {
            (height, width) = (height / model.pool, width / model.pool)
            guard height > 0, width > 0 else {
                throw NodeError(
                    .configuration,
                    "model.filters has \(model.filters.count) blocks, but images of \(image[0]) × \(image[1]) are smaller "
                        + "than a window of \(model.pool) × \(model.pool) at block \(block + 1); "
                        + "take fewer, or a smaller model.pool")
            }
        }
        return image
    }
}
