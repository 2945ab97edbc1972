public import Dataflow
public import Training

/// `model: {kind: mlp}`: dense layers with an activation and dropout, then a loss that fits the labels.
public struct MultilayerPerceptron: TrainingJob {
    public static let kind = "mlp"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let training = data.training
        let isClassification = training.classes > 0
        let x = graph.placeholder(.float32, [nil, training.width], name: "features")
        let labels = graph.placeholder(
            training.labels.dtype, isClassification ? [nil] : [nil, training.labels.shape.concrete[1]], name: "labels")
        let isTraining = config.model.dropout > 0 ? graph.placeholder(.bool, [], name: "is_training") : nil
        var h = x
        for (i, units) in config.model.hidden.enumerated() {
            h = dense(
                h, units: units, activation: config.model.activation.function, initializer: config.model.initial,
                name: "hidden\(i + 1)", l1: config.train.l1, l2: config.train.l2)
            if let isTraining {
                h = dropout(h, rate: config.model.dropout, training: isTraining, name: "dropout\(i + 1)")
            }
        }
        let outputs = config.model.outputs ?? (isClassification ? training.classes : training.labels.shape.concrete[1])
        guard outputs >= training.classes else {
            throw NodeError(.configuration, "model.outputs is \(outputs), but the data has \(training.classes) classes")
        }
        let logits = dense(
            h, units: outputs, initializer: .glorotUniform, name: "logits", l1: config.train.l1, l2: config.train.l2)
        let model = try finish(logits, labels: labels, outputs: outputs, isClassification, config)
        let loss = regularized(model.loss)
        let train = config.minimize(loss, data: data)
        return TrainingModel(
            features: x, labels: labels, loss: loss, metrics: model.metrics, predictions: model.predictions,
            train: train,
            isTraining: isTraining)
    }

    /// The loss over the last layer, its metrics and predictions.
    private func finish(
        _ logits: Node, labels: Node, outputs: Int, _ isClassification: Bool, _ config: JobConfig
    ) throws -> (loss: Node, metrics: [String: Node], predictions: Node) {
        switch config.model.loss ?? (isClassification ? .softmaxCrossEntropy : .meanSquaredError) {
        case .softmaxCrossEntropy:
            return (
                softmaxCrossEntropyLoss(labels: labels, logits: logits),
                ["accuracy": accuracy(labels: labels, predictions: logits)], softmax(logits, name: "predictions")
            )
        case .sigmoidCrossEntropy:
            let targets = isClassification ? oneHot(labels, depth: outputs) : labels
            let chosen = sigmoid(logits, name: "predictions")
            let metric =
                isClassification
                ? accuracy(labels: labels, predictions: logits) : binaryAccuracy(labels: targets, predictions: chosen)
            return (sigmoidCrossEntropyLoss(labels: targets, logits: logits), ["accuracy": metric], chosen)
        case .node(let name): throw NodeError(.configuration, "model.loss '\(name)' is none of the losses")
        case .meanSquaredError:
            let targets = isClassification ? oneHot(labels, depth: outputs) : labels
            return (
                meanSquaredError(labels: targets, predictions: logits),
                isClassification ? ["accuracy": accuracy(labels: labels, predictions: logits)] : [:],
                identity(logits, name: "predictions")
            )
        }
    }
}

extension JobConfig.Model {
    var initial: Training.Initializer { Training.Initializer.named[effectiveInitializer.rawValue] ?? .glorotUniform }
}

extension JobConfig.Model.Activation {
    /// The layer's activation of the same name.
    var function: Training.Activation {
        switch self {
        case .relu: .relu
        case .sigmoid: .sigmoid
        case .tanh: .tanh
        case .elu: .elu
        case .selu: .selu
        case .softplus: .softplus
        case .leakyReLU: .leakyRelu
        case .relu6: .relu6
        case .none: .linear
        }
    }
}
