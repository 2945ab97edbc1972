public import Dataflow
public import Training

/// A kind of model with its data, which a program adds to `train`, `launch`, `worker`, ….
///
/// ```swift
/// struct Regression: TrainingJob {
///     static let kind = "regression"
///     func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
///         let x = graph.placeholder(.float32, [nil, data.training.width], name: "x")
///         let y = graph.placeholder(.float32, [nil, 1], name: "y")
///         let prediction = dense(x, units: 1)
///         let loss = meanSquaredError(labels: y, predictions: prediction)
///         return TrainingModel(
///             features: x, labels: y, loss: loss, metrics: [.rmse, .r2], predictions: prediction,
///             train: GradientDescent().minimize(loss))
///     }
/// }
/// ```
///
/// The coordinator and each worker build the graph; all must build the same one.
public protocol TrainingJob: Sendable {
    /// Its name in `model.kind`.
    static var kind: String { get }

    /// The training part and the test part of the data. The default reads the configuration's `data` section.
    /// - Throws: an error with the file and the line of a mistake.
    func data(_ config: JobConfig) throws -> DataSplit

    /// Builds the training graph.
    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel
}

extension TrainingJob {
    public func data(_ config: JobConfig) throws -> DataSplit { try config.readData() }
}

/// The nodes of a training graph that a job uses.
public struct TrainingModel: Sendable {
    /// A placeholder for examples, float32 [examples, features]. The loss must depend on it.
    public var features: Node
    /// A placeholder for labels: class indices int32 [examples], or targets float32 [examples, targets]. The loss must
    /// depend on it. A model that learns without labels, such as an autoencoder, gives `features` here, too.
    public var labels: Node
    /// The mean over the examples, a float scalar.
    public var loss: Node
    /// Reported besides the loss.
    public var metrics: ModelMetrics
    /// The rows that `predict` prints, one for each example. Must not depend on the labels.
    public var predictions: Node?
    /// The train operation, as `minimize` makes it. It must change a Variable that the loss depends on.
    public var train: Node
    /// A bool scalar placeholder, fed true in training: for dropout.
    public var isTraining: Node?
    /// A line for the job's log, such as the names that a graph's file has.
    public var note: String?
    /// The place in the user's program that made this value.
    let file: StaticString
    let line: UInt

    /// Mistakes in it are reported when the job is prepared, before training.
    ///
    /// - Parameters:
    ///   - metrics: by name, `[.auc, .logLoss]`, of `labels` and `predictions`; or means over a batch's examples that the
    ///     graph computes, `["accuracy": node]`.
    public init(
        features: any Operand, labels: any Operand, loss: any Operand, metrics: ModelMetrics = [],
        predictions: (any Operand)? = nil, train: any Operand, isTraining: (any Operand)? = nil, note: String? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        self.file = file
        self.line = line
        self.features = features.node
        self.labels = labels.node
        self.loss = loss.node
        self.metrics = metrics
        self.predictions = predictions?.node
        self.train = train.node
        self.isTraining = isTraining?.node
        self.note = note
    }
}

extension TrainingModel: CustomStringConvertible {
    public var description: String {
        let metrics = metrics.isEmpty ? "" : ", metrics \(metrics)"
        let predictions = predictions.map { ", predictions \($0)" } ?? ""
        return
            "a model of features \(features) and labels \(labels): loss \(loss)\(metrics)\(predictions), trained by \(train.name)"
    }
}
