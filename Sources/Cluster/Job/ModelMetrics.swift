public import Dataflow
public import Training

/// A model's metrics besides its loss: `[.auc, .precision(threshold: 0.3)]`, or `["accuracy": node]`.
///
/// The values are exact over all test examples, for any number of workers and any batches: each worker sends sums, and the
/// coordinator computes the metric from the total.
public struct ModelMetrics: Sendable, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Nodes by name: float scalars, each the mean over a batch. Reports have their means over all examples.
    public var means: [String: Node]
    /// Metrics that are computed from sums.
    public var elements: [ModelMetric]

    public init(means: [String: Node] = [:], _ elements: [ModelMetric] = []) {
        self.means = means
        self.elements = elements
    }

    public init(arrayLiteral elements: ModelMetric...) { self.init(elements) }

    public init(dictionaryLiteral means: (String, any Operand)...) {
        self.init(means: Dictionary(means.map { ($0, $1.node) }, uniquingKeysWith: { $1 }))
    }

    public var isEmpty: Bool { means.isEmpty && elements.isEmpty }
}

/// A metric of a model's labels and predictions.
///
/// It compares `TrainingModel.labels` and `predictions`. Predictions are probabilities, [examples] or [examples,
/// classes], and plain numbers for `mse`, `rmse`, `mae` and `r2`.
public struct ModelMetric: Sendable {
    /// Its name in reports.
    public let name: String
    /// Builds the metric; nil if it needs predictions and there are none.
    let make: @Sendable (_ labels: Node, _ predictions: Node?) -> Metric?

    private init(_ name: String, _ make: @escaping @Sendable (_ labels: Node, _ predictions: Node) -> Metric) {
        self.name = name
        self.make = { labels, predictions in predictions.map { make(labels, $0) } }
    }

    /// A metric by its name in configurations, with its default parameters.
    public static func named(_ name: Metric.Named) -> ModelMetric {
        ModelMetric(name.rawValue) { name(labels: $0, predictions: $1) }
    }

    /// Any metric, also one of other nodes of the graph.
    public static func custom(_ metric: Metric) -> ModelMetric {
        ModelMetric(name: metric.name) { _, _ in metric }
    }

    private init(name: String, make: @escaping @Sendable (Node, Node?) -> Metric?) {
        self.name = name
        self.make = make
    }

    /// The share of examples that are classified correctly.
    public static let accuracy = named(.accuracy)
    /// The area under the ROC curve.
    public static let auc = named(.auc)
    /// The mean of −log of the probability that was predicted for the right class.
    public static let logLoss = named(.logLoss)
    /// True positives / predicted positives, at a threshold of 0.5.
    public static let precision = named(.precision)
    /// True positives / positives, at a threshold of 0.5.
    public static let recall = named(.recall)
    /// The harmonic mean of precision and recall, at a threshold of 0.5.
    public static let f1 = named(.f1)
    /// The share of examples whose class is among the five with the largest predictions.
    public static let topKAccuracy = named(.topKAccuracy)
    /// The mean squared error.
    public static let mse = named(.mse)
    /// The root of the mean squared error.
    public static let rmse = named(.rmse)
    /// The mean absolute error.
    public static let mae = named(.mae)
    /// The coefficient of determination, R².
    public static let r2 = named(.r2)

    public static func precision(threshold: Double, name: String = "precision") -> ModelMetric {
        ModelMetric(name) { .precision(labels: $0, predictions: $1, threshold: threshold, name: name) }
    }

    public static func recall(threshold: Double, name: String = "recall") -> ModelMetric {
        ModelMetric(name) { .recall(labels: $0, predictions: $1, threshold: threshold, name: name) }
    }

    public static func f1(threshold: Double, name: String = "f1") -> ModelMetric {
        ModelMetric(name) { .f1(labels: $0, predictions: $1, threshold: threshold, name: name) }
    }

    /// The share of examples whose class is among the `k` with the largest predictions; "top_3_accuracy" for 3.
    public static func topKAccuracy(k: Int, name: String? = nil) -> ModelMetric {
        let name = name ?? "top_\(k)_accuracy"
        return ModelMetric(name) { .topKAccuracy(labels: $0, predictions: $1, k: k, name: name) }
    }
}

extension ModelMetrics: CustomStringConvertible {
    public var description: String { (means.keys.sorted() + elements.map(\.name)).joined(separator: ", ") }
}

extension ModelMetric: CustomStringConvertible {
    public var description: String { name }
}
