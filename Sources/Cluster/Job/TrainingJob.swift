public import Dataflow
public import Training

/// A model with its data: what a user's program brings, and what `train`, `launch`, `worker`, … run.
///
/// ```swift
/// struct Regression: TrainingJob {
///     static let kind = "regression"
///     func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
///         let x = graph.placeholder(.float32, [nil, data.training.width], name: "x")
///         let y = graph.placeholder(.float32, [nil, 1], name: "y")
///         let loss = meanSquaredError(labels: y, predictions: dense(x, units: 1))
///         return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
///     }
/// }
/// ```
///
/// Coordinator and workers each build the graph; it must come out the same everywhere.
public protocol TrainingJob: Sendable {
    /// What `model.kind` in a configuration calls it.
    static var kind: String { get }

    /// The examples to train on and those held out. The default reads what the configuration's `data` section names.
    /// - Throws: an error with the file and line of what is wrong.
    func data(_ config: JobConfig) throws -> DataSplit

    /// Builds the training graph.
    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel
}

extension TrainingJob {
    public func data(_ config: JobConfig) throws -> DataSplit { try config.readData() }
}

/// The nodes of a training graph that a job runs by.
public struct TrainingModel: Sendable {
    /// A placeholder for examples, float32 [examples, features].
    public var features: Node
    /// A placeholder for labels: class indices int32 [examples], or targets float32 [examples, targets].
    public var labels: Node
    /// The mean over the examples, a float scalar.
    public var loss: Node
    /// Means over the examples, float scalars.
    public var metrics: [String: Node]
    /// Metrics of which the root is told in their place, by its name: ["mse": "rmse"]. It is taken of the mean over all
    /// examples, as a mean of the batches' roots would be another number.
    public var roots: [String: String]
    /// What `predict` prints: a row for each example.
    public var predictions: Node?
    /// The train operation, as `minimize` makes it.
    public var train: Node
    /// A bool scalar placeholder that is fed true while training, for dropout.
    public var isTraining: Node?
    /// A line for the job's log, such as what a graph's file says in place of the configuration.
    public var note: String?

    public init(
        features: Node, labels: Node, loss: Node, metrics: [String: Node] = [:], roots: [String: String] = [:],
        predictions: Node? = nil, train: Node, isTraining: Node? = nil, note: String? = nil
    ) {
        self.features = features
        self.labels = labels
        self.loss = loss
        self.metrics = metrics
        self.roots = roots
        self.predictions = predictions
        self.train = train
        self.isTraining = isTraining
        self.note = note
    }

    /// Metrics as people are told them, of their means over examples.
    func told(_ means: [String: Double]) -> [String: Double] {
        var told = means
        for (metric, root) in roots { told[root] = told.removeValue(forKey: metric)?.squareRoot() }
        return told
    }
}
