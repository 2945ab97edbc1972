public import Dataflow

extension Metric {
    /// The mean of (prediction − label)² over all elements; TensorFlow's `tf.metrics.mean_squared_error`.
    ///
    /// - Parameters:
    ///   - labels: numbers of any dtype, of the predictions' shape but for a last dimension of 1.
    ///   - predictions: of any shape.
    public static func meanSquaredError(
        labels: any Operand, predictions: any Operand, name: String = "mse", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        paired(labels, predictions, name, file, line) { labels, predictions in
            let squares = squaredDifference(predictions, labels)
            return ratio(sum(squares), total(squares), name: name, file: file, line: line)
        }
    }

    /// The root of the mean of (prediction − label)² over all elements; TensorFlow's `tf.metrics.root_mean_squared_error`.
    ///
    /// - Parameters:
    ///   - labels: numbers of any dtype, of the predictions' shape but for a last dimension of 1.
    ///   - predictions: of any shape.
    public static func rootMeanSquaredError(
        labels: any Operand, predictions: any Operand, name: String = "rmse", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        paired(labels, predictions, name, file, line) { labels, predictions in
            let squares = squaredDifference(predictions, labels)
            return ratio(sum(squares), total(squares), name: name, file: file, line: line) { $0.squareRoot() }
        }
    }

    /// The mean of |prediction − label| over all elements; TensorFlow's `tf.metrics.mean_absolute_error`.
    ///
    /// - Parameters:
    ///   - labels: numbers of any dtype, of the predictions' shape but for a last dimension of 1.
    ///   - predictions: of any shape.
    public static func meanAbsoluteError(
        labels: any Operand, predictions: any Operand, name: String = "mae", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        paired(labels, predictions, name, file, line) { labels, predictions in
            let sizes = abs(predictions - labels)
            return ratio(sum(sizes), total(sizes), name: name, file: file, line: line)
        }
    }

    /// The coefficient of determination R², 1 − Σ(label − prediction)² / Σ(label − mean label)², the mean of it over the
    /// columns; scikit-learn's `r2_score`, Keras's `R2Score`.
    ///
    /// Of labels that are all alike it is 1 where the predictions are exact, else 0, as scikit-learn has it.
    ///
    /// - Parameters:
    ///   - labels: numbers of any dtype, [examples] or [examples, columns], of the predictions' shape but for a last
    ///     dimension of 1.
    ///   - predictions: of a known number of columns.
    public static func r2(
        labels: any Operand, predictions: any Operand, name: String = "r2", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        paired(labels, predictions, name, file, line) { labels, predictions in
            let shape = predictions.shape.rank == 2 ? predictions.shape : labels.shape
            let columns = shape.rank == 2 ? shape[1] : 1
            if columns == nil, labels.vertex.error == nil {
                labels.graph.recordMistake(
                    "R² needs a known number of columns, got \(predictions)", at: name, file: file, line: line)
            }
            let count = columns ?? 1
            let (y, p) = (reshape(labels, [-1, count]), reshape(predictions, [-1, count]))
            let parts = [squaredDifference(y, p), y, square(y), onesLike(y)].map { Dataflow.sum($0, axes: [0]) }
            return Metric(name: name, sums: concat(parts, axis: 0), file: file, line: line) { sums in
                let scores = (0..<count).map { i in
                    determination(
                        missed: sums[i], sum: sums[count + i], squares: sums[2 * count + i], count: sums[3 * count + i])
                }
                return scores.reduce(0, +) / Double(count)
            }
        }
    }

    /// R² of one column.
    private static func determination(missed: Double, sum: Double, squares: Double, count: Double) -> Double {
        guard count > 0 else { return .nan }
        let spread = squares - sum * sum / count
        // What is left of numbers that are all alike is rounding.
        guard spread > squares * 1e-13 else { return missed <= squares * 1e-13 ? 1 : missed.isNaN ? .nan : 0 }
        return 1 - missed / spread
    }

    /// Builds a metric over labels and predictions in float64, of one shape.
    private static func paired(
        _ labels: any Operand, _ predictions: any Operand, _ name: String, _ file: StaticString, _ line: UInt,
        _ build: (Node, Node) -> Metric
    ) -> Metric {
        let graph = labels.node.graph
        return graph.located(file, line) {
            graph.scope(name) {
                let (labels, predictions) = aligned(labels.node, predictions.node, name, file, line)
                return build(cast(labels, to: .float64), cast(predictions, to: .float64))
            }
        }
    }

    /// How many elements `x` has, float64.
    static func total(_ x: Node) -> Node { cast(size(x), to: .float64) }
}

/// Both without a last dimension of 1 that only one of them has; a mistake of the graph where they still differ: labels [N]
/// and predictions [N, 1] are meant to go together, not to give N × N pairs.
func aligned(
    _ labels: Node, _ predictions: Node, _ what: String, _ file: StaticString, _ line: UInt
) -> (labels: Node, predictions: Node) {
    func flat(_ x: Node, beside other: Node) -> Node {
        guard let rank = x.shape.rank, rank > 0, other.shape.rank == rank - 1, x.shape[-1] == 1 else { return x }
        return squeeze(x, axes: [-1])
    }
    let pair = (flat(labels, beside: predictions), flat(predictions, beside: labels))
    checkSameShape(pair.0, pair.1, "labels", "predictions", of: what, file, line)
    return pair
}
