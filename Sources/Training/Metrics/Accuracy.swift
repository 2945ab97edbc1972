public import Dataflow

/// The share of examples whose largest output is the label's class, a float32 scalar; `Metric.accuracy` for data in batches.
///
/// - Parameters:
///   - labels: class indices [examples] of an integer type, or one row of floating numbers per example [examples, classes].
///   - predictions: logits or probabilities [examples, classes].
public func accuracy(
    labels: any Operand, predictions: any Operand, name: String = "accuracy", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    let graph = labels.node.graph
    return graph.located(file, line) {
        graph.scope(name) {
            mean(cast(rightClasses(labels.node, predictions.node, name, file, line), to: .float32))
        }
    }
}

/// The share of elements on the label's side of `threshold`, a float32 scalar.
///
/// - Parameters:
///   - labels: 0 or 1, of the predictions' shape.
///   - predictions: probabilities; logits, with a threshold of 0.
public func binaryAccuracy(
    labels: any Operand, predictions: any Operand, threshold: Double = 0.5, name: String = "binary_accuracy",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let graph = labels.node.graph
    return graph.located(file, line) {
        graph.scope(name) {
            mean(
                cast(
                    rightSides(labels.node, predictions.node, threshold: threshold, name, file, line), to: .float32))
        }
    }
}

/// For each example whether its largest output is the label's class.
func rightClasses(
    _ labels: Node, _ predictions: Node, _ what: String, _ file: StaticString, _ line: UInt
) -> Node {
    var label = labels
    if labels.shape.rank == 2, labels.shape[1] == 1, predictions.shape.rank == 2 { label = squeeze(labels, axes: [1]) }
    label = label.dtype.isFloating && label.shape.rank != 1 ? argMax(label, axis: 1) : cast(label, to: .int64)
    let predicted = argMax(predictions, axis: 1)
    checkSameShape(label, predicted, "class indices", "predicted classes", of: what, file, line)
    return equal(predicted, label)
}

/// For each element whether the prediction is on the label's side of `threshold`.
func rightSides(
    _ labels: Node, _ predictions: Node, threshold: Double, _ what: String, _ file: StaticString, _ line: UInt
) -> Node {
    let (labels, predictions) = aligned(labels, predictions, what, file, line)
    let limit = predictions.graph.constant(.numbers([threshold], dtype: predictions.dtype, sized: []))
    let predicted = cast(greater(predictions, limit), to: .float32)
    return equal(predicted, cast(labels, to: .float32))
}
