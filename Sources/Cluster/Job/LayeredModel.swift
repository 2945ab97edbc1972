internal import Dataflow
internal import Training

/// The parts that all built-in models share: placeholders, dropout, hidden layers, and the output layer with its loss,
/// metrics and train operation.
struct LayeredModel {
    let config: JobConfig
    let data: DataSplit
    let features: Node
    let labels: Node
    /// nil if no layer needs it.
    let isTraining: Node?

    var isClassification: Bool { data.training.classes > 0 }
    private var targets: Int { data.training.labels.shape.knownExtents[1] }

    /// - Parameters:
    ///   - shape: of one example.
    ///   - asksTraining: whether a layer besides dropout works differently in training.
    init(_ graph: Graph, _ config: JobConfig, _ data: DataSplit, shape: [Int], asksTraining: Bool = false) {
        self.config = config
        self.data = data
        let training = data.training
        features = graph.placeholder(.float32, Shape([nil] + shape.map(Optional.some)), name: "features")
        labels = graph.placeholder(
            training.labels.dtype, training.classes > 0 ? [nil] : [nil, training.labels.shape.knownExtents[1]],
            name: "labels")
        isTraining =
            config.model.dropout > 0 || asksTraining ? graph.placeholder(.bool, [], name: "is_training") : nil
    }

    /// `h` with `model.dropout` applied in training.
    func dropped(_ h: Node, name: String) -> Node {
        guard config.model.dropout > 0, let isTraining else { return h }
        return dropout(h, rate: config.model.dropout, training: isTraining, name: name)
    }

    /// The dense layers of `model.hidden`, each with dropout.
    func hidden(_ x: Node) -> Node {
        var h = x
        for (i, units) in config.model.hidden.enumerated() {
            h = dense(
                h, units: units, activation: config.model.activation, initializer: config.model.effectiveInitializer,
                name: "hidden\(i + 1)", l1: config.train.l1, l2: config.train.l2)
            h = dropped(h, name: "dropout\(i + 1)")
        }
        return h
    }

    /// The number of outputs. Throws if the data has more classes.
    func outputs() throws -> Int {
        let classes = data.training.classes
        let outputs = config.model.outputs ?? (isClassification ? classes : targets)
        guard outputs >= classes else {
            throw NodeError(.configuration, "model.outputs is \(outputs), but the data has \(classes) classes")
        }
        return outputs
    }

    /// The output layer, which is linear.
    func logits(_ h: Node) throws -> Node {
        dense(
            h, units: try outputs(), initializer: .glorotUniform, name: "logits", l1: config.train.l1,
            l2: config.train.l2)
    }

    /// The model with loss, metrics and predictions over the output layer, and the train operation.
    func trained(_ logits: Node) throws -> TrainingModel {
        let model = try judged(logits)
        let loss = regularized(model.loss)
        let minimize = config.minimize(loss, data: data)
        let updates = loss.graph.updateOperations
        return TrainingModel(
            features: features, labels: labels, loss: loss, metrics: model.metrics, predictions: model.predictions,
            train: updates.isEmpty ? minimize : loss.graph.group([minimize] + updates, name: "train_and_update"),
            isTraining: isTraining)
    }

    private func judged(_ logits: Node) throws -> (loss: Node, metrics: ModelMetrics, predictions: Node) {
        let outputs = try outputs()
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
        case .node(let name): throw NodeError(.configuration, "model.loss '\(name)' is not a loss for layers")
        case .meanSquaredError:
            let targets = isClassification ? oneHot(labels, depth: outputs) : labels
            let loss = meanSquaredError(labels: targets, predictions: logits)
            return (
                loss,
                isClassification
                    ? ["accuracy": accuracy(labels: labels, predictions: logits)]
                    : [.rmse, .mae],
                identity(logits, name: "predictions")
            )
        }
    }
}
