public import Dataflow

extension Metric {
    /// The share of examples that are classified rightly; TensorFlow's `tf.metrics.accuracy`.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or a row of numbers for each example, where the largest is its class; of one
    ///     prediction an example 0 or 1.
    ///   - predictions: logits or probabilities [examples, classes]; or the probability of 1, which is predicted above 0.5.
    public static func accuracy(
        labels: any Operand, predictions: any Operand, name: String = "accuracy", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        classified(labels, predictions, name, file, line) { labels, predictions in
            let right =
                (predictions.shape.rank == 2 ? predictions.shape[1] ?? 2 : 1) > 1
                ? rightClasses(labels, predictions, name, file, line)
                : rightSides(labels, predictions, threshold: 0.5, name, file, line)
            return ratio(sum(cast(right, to: .float64)), total(right), name: name, file: file, line: line)
        }
    }

    /// The share of examples whose class is among the `k` with the largest predictions; TensorFlow's `tf.math.in_top_k`,
    /// Keras's `TopKCategoricalAccuracy`.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or a row of numbers for each example, where the largest is its class.
    ///   - predictions: logits or probabilities [examples, classes].
    ///   - k: at least 1.
    public static func topKAccuracy(
        labels: any Operand, predictions: any Operand, k: Int = 5, name: String = "top_k_accuracy",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Metric {
        classified(labels, predictions, name, file, line) { labels, predictions in
            if k < 1 || predictions.shape.rank != 2 || Int32(exactly: k) == nil {
                predictions.graph.recordMistake(
                    k < 1 || Int32(exactly: k) == nil
                        ? "k must be at least 1, got \(k)"
                        : "predictions must be [examples, classes], got \(predictions)",
                    at: name, file: file, line: line)
            }
            let indices = classIndices(labels, predictions)?.indices ?? argMax(labels, axis: 1)
            // float32 is what the operation takes.
            let right = inTopK(
                predictions: cast(predictions, to: .float32), targets: indices, k: Swift.max(1, Swift.min(k, 1 << 30)))
            return ratio(sum(cast(right, to: .float64)), total(right), name: name, file: file, line: line)
        }
    }

    /// The mean of −log of the probability that was predicted for what is so; TensorFlow's `tf.metrics.mean` of
    /// `tf.losses.log_loss`, scikit-learn's `log_loss`.
    ///
    /// Probabilities are taken between 1e-7 and 1 − 1e-7, as in Keras. A class beyond the predictions' columns is thrown by
    /// the run.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or probabilities of the classes [examples, classes]; of one prediction an
    ///     example 0, 1 or what is between.
    ///   - predictions: probabilities, not logits: [examples, classes], or [examples] that of 1.
    public static func logLoss(
        labels: any Operand, predictions: any Operand, name: String = "log_loss", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        classified(labels, predictions, name, file, line) { labels, predictions in
            var p = probabilities(predictions, of: name)
            p = clip(cast(p, to: .float64), 1e-7, 1 - 1e-7)
            let losses: Node
            if let (indices, classes) = classIndices(labels, predictions) {
                let inside = logicalAnd(
                    greaterEqual(indices, zerosLike(indices)), less(indices, onesLike(indices) * Double(classes)))
                let known = checked(indices, inside, "\(name): a label is not in 0..<\(classes)")
                losses = sum(-log(p) * oneHot(known, depth: classes, dtype: .float64), axes: [1])
            } else {
                let (labels, p) = aligned(labels, p, name, file, line)
                let y = cast(labels, to: .float64)
                losses =
                    p.shape.rank == 2 && p.shape[1] != 1
                    ? sum(-log(p) * y, axes: [1]) : -(y * log(p) + (1 - y) * log(1 - p))
            }
            return ratio(sum(losses), total(losses), name: name, file: file, line: line)
        }
    }

    /// How many of what is predicted are so, true positives / predicted positives; 0 if none is predicted. TensorFlow's
    /// `tf.metrics.precision`, scikit-learn's `precision_score`.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or 0 and 1 in the predictions' shape.
    ///   - predictions: probabilities. Of two columns the second one counts, that of class 1. Of more columns the mean over
    ///     the classes is taken, each against all others, by the largest prediction (scikit-learn's "macro").
    ///   - threshold: a larger prediction is a yes; without effect for more than two classes.
    public static func precision(
        labels: any Operand, predictions: any Operand, threshold: Double = 0.5, name: String = "precision",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Metric { counted(labels, predictions, threshold, name, file, line) { $0.hits / $0.predicted } }

    /// How many of what is so are predicted, true positives / positives; 0 if there are none. TensorFlow's
    /// `tf.metrics.recall`, scikit-learn's `recall_score`.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or 0 and 1 in the predictions' shape.
    ///   - predictions: probabilities. Of two columns the second one counts, that of class 1. Of more columns the mean over
    ///     the classes is taken, each against all others, by the largest prediction (scikit-learn's "macro").
    ///   - threshold: a larger prediction is a yes; without effect for more than two classes.
    public static func recall(
        labels: any Operand, predictions: any Operand, threshold: Double = 0.5, name: String = "recall",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Metric { counted(labels, predictions, threshold, name, file, line) { $0.hits / $0.actual } }

    /// The harmonic mean of precision and recall, 2 · true positives / (predicted positives + positives); 0 if both are
    /// none. scikit-learn's `f1_score`, Keras's `F1Score`.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or 0 and 1 in the predictions' shape.
    ///   - predictions: probabilities. Of two columns the second one counts, that of class 1. Of more columns the mean over
    ///     the classes is taken, each against all others, by the largest prediction (scikit-learn's "macro").
    ///   - threshold: a larger prediction is a yes; without effect for more than two classes.
    public static func f1(
        labels: any Operand, predictions: any Operand, threshold: Double = 0.5, name: String = "f1",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Metric {
        counted(labels, predictions, threshold, name, file, line) { 2 * $0.hits / ($0.predicted + $0.actual) }
    }

    /// Of one class how many examples are predicted to be of it and are, are predicted, and are.
    private typealias Counts = (hits: Double, predicted: Double, actual: Double)

    /// A share of counts, the mean of it over the classes that occur; 0 / 0 is 0.
    private static func counted(
        _ labels: any Operand, _ predictions: any Operand, _ threshold: Double, _ name: String, _ file: StaticString,
        _ line: UInt, _ share: @escaping @Sendable (Counts) -> Double
    ) -> Metric {
        classified(labels, predictions, name, file, line) { labels, predictions in
            let decisions = Decisions(labels, predictions, name, file, line)
            let predicted = decisions.predicted(threshold: threshold)
            let counts = [predicted * decisions.truths, predicted, decisions.truths].map { sum($0, axes: [0]) }
            let classes = decisions.classes
            return Metric(name: name, sums: concat(counts + [decisions.unknown], axis: 0), file: file, line: line) {
                sums in
                guard sums[3 * classes] == 0 else { return .nan }
                let all = (0..<classes).map { Counts(sums[$0], sums[classes + $0], sums[2 * classes + $0]) }
                let seen = classes == 1 ? all : all.filter { $0.predicted + $0.actual > 0 }
                let shares = seen.map(share).map { $0.isNaN ? 0 : $0 }
                return shares.isEmpty ? .nan : shares.reduce(0, +) / Double(shares.count)
            }
        }
    }

    /// Builds a metric over labels and predictions.
    static func classified(
        _ labels: any Operand, _ predictions: any Operand, _ name: String, _ file: StaticString, _ line: UInt,
        _ build: (Node, Node) -> Metric
    ) -> Metric {
        let graph = labels.node.graph
        return graph.located(file, line) { graph.scope(name) { build(labels.node, predictions.node) } }
    }
}

/// `x`, once a run has found each in 0...1: logits in their place would give wrong numbers. A NaN passes.
func probabilities(_ x: Node, of metric: String) -> Node {
    let inside = logicalAnd(greaterEqual(x, zerosLike(x)), lessEqual(x, onesLike(x)))
    return checked(
        x, logicalOr(isNaN(x), inside), "\(metric) needs probabilities from 0 to 1, got another number (logits?)")
}
