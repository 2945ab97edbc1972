public import Dataflow

/// The share of examples whose largest output is the label's class, a float32 scalar.
///
/// - Parameters:
///   - labels: class indices [examples] of an integer type, or one row of floating numbers per example [examples, classes].
///   - predictions: logits or probabilities [examples, classes].
public func accuracy(
    labels: any Operand, predictions: any Operand, name: String = "accuracy", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    labels.node.graph.scope(name) {
        let label = labels.node.dtype.isFloating ? argMax(labels, axis: 1) : cast(labels, to: .int64)
        let predicted = argMax(predictions, axis: 1)
        checkSameShape(label, predicted, "class indices", "predicted classes", of: name, file, line)
        return mean(cast(equal(predicted, label, file: file, line: line), to: .float32))
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
    checkSameShape(labels, predictions, "labels", "predictions", of: name, file, line)
    return graph.scope(name) {
        let limit = graph.constant(.numbers([threshold], dtype: predictions.node.dtype, sized: []))
        let predicted = cast(greater(predictions, limit, file: file, line: line), to: .float32)
        return mean(cast(equal(predicted, cast(labels, to: .float32), file: file, line: line), to: .float32))
    }
}
