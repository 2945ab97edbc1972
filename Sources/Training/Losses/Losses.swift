public import Dataflow

/// The mean of (prediction − label)² over all elements, a scalar; TensorFlow's `tf.losses.mean_squared_error`.
public func meanSquaredError(
    labels: any Operand, predictions: any Operand, name: String = "mean_squared_error", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    built(labels, name, file, line) {
        checkSameShape(labels, predictions, "labels", "predictions", of: name, file, line)
        return mean(squaredDifference(predictions, labels))
    }
}

/// The mean of |prediction − label| over all elements, a scalar; TensorFlow's `tf.losses.absolute_difference`.
public func meanAbsoluteError(
    labels: any Operand, predictions: any Operand, name: String = "mean_absolute_error", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    built(labels, name, file, line) {
        checkSameShape(labels, predictions, "labels", "predictions", of: name, file, line)
        return mean(abs(predictions.node - labels.node))
    }
}

/// Records a mistake if two tensors that go together element by element would have to be broadcast: labels [N] and
/// predictions [N, 1] would silently give N × N terms.
func checkSameShape(
    _ a: any Operand, _ b: any Operand, _ nameA: String, _ nameB: String, of what: String, _ file: StaticString,
    _ line: UInt
) {
    guard a.node.shape.merged(with: b.node.shape) == nil else { return }
    a.node.graph.recordMistake(
        "\(nameA) of shape \(a.node.shape) and \(nameB) of shape \(b.node.shape) must have the same shape", at: what,
        file: file, line: line)
}

/// The mean over examples of −log softmax(logits) at the label, a scalar; TensorFlow's
/// `tf.losses.sparse_softmax_cross_entropy` and `tf.losses.softmax_cross_entropy`.
///
/// - Parameters:
///   - labels: class indices [examples] (int32, int64 or uint8), or probabilities [examples, classes] of the logits' dtype.
///   - logits: [examples, classes], before the softmax.
public func softmaxCrossEntropyLoss(
    labels: any Operand, logits: any Operand, name: String = "softmax_cross_entropy", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    built(labels, name, file, line) {
        if labels.node.dtype.isFloating { return mean(softmaxCrossEntropy(labels: labels, logits: logits)) }
        let indices = labels.node.dtype == .uint8 ? cast(labels, to: .int32) : labels.node
        return mean(sparseSoftmaxCrossEntropy(labels: indices, logits: logits))
    }
}

/// The mean over all elements of −z·log σ(x) − (1 − z)·log(1 − σ(x)), a scalar; TensorFlow's
/// `tf.losses.sigmoid_cross_entropy`.
///
/// - Parameters:
///   - labels: z, each in 0...1, of the logits' dtype and shape.
///   - logits: x, before the sigmoid.
public func sigmoidCrossEntropyLoss(
    labels: any Operand, logits: any Operand, name: String = "sigmoid_cross_entropy", file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    built(labels, name, file, line) { mean(sigmoidCrossEntropy(labels: labels, logits: logits)) }
}

/// max(x, 0) − x·z + log(1 + e^−|x|) element by element: the cross-entropy of σ(x), without overflow.
/// TensorFlow's `tf.nn.sigmoid_cross_entropy_with_logits`; as there, max and |x| are selections, so that the derivative
/// at 0 is σ(0) − z.
public func sigmoidCrossEntropy(
    labels: any Operand, logits: any Operand, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    labels.node.graph.located(file, line) {
        checkSameShape(labels, logits, "labels", "logits", of: "sigmoid_cross_entropy", file, line)
        let zeros = zerosLike(logits)
        let positive = greaterEqual(logits, zeros)
        let ramp = select(positive, logits, zeros)
        let negativeSize = select(positive, -logits, logits)
        return ramp - logits * labels + log1p(exp(negativeSize))
    }
}

/// A loss with the graph's regularisation terms; TensorFlow's `tf.losses.get_total_loss`.
public func regularized(_ loss: any Operand, file: StaticString = #fileID, line: UInt = #line) -> Node {
    let graph = loss.node.graph
    return graph.located(file, line) {
        graph.regularizationLosses.reduce(loss.node) { $0 + cast($1, to: loss.node.dtype) }
    }
}

/// What a function over labels builds, in a scope of its name and at the caller's place.
private func built(
    _ labels: any Operand, _ name: String, _ file: StaticString, _ line: UInt, _ build: () -> Node
) -> Node {
    let graph = labels.node.graph
    return graph.located(file, line) { graph.scope(name, build) }
}
