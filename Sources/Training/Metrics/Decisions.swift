internal import Dataflow

/// Labels and predictions as questions of yes or no, what precision, recall and areas are about.
///
/// - Class indices [examples] with two columns of probabilities: whether the class is 1, by the second column.
/// - Class indices with more columns: for each class whether it is that one.
/// - Anything else: labels of the predictions' shape (but for a last dimension of 1), each element a question.
struct Decisions {
    /// 1 where the answer is yes, else 0: float64 [questions, classes].
    let truths: Node
    /// How likely a yes is: float32 or float64 [questions, classes].
    let scores: Node
    /// 1 where there is one kind of question.
    let classes: Int

    init(_ labels: Node, _ predictions: Node, _ what: String, _ file: StaticString, _ line: UInt) {
        let scores = cast(predictions, to: predictions.dtype == .float64 ? .float64 : .float32)
        guard let (indices, columns) = classIndices(labels, predictions) else {
            let (labels, scores) = aligned(labels, scores, what, file, line)
            truths = reshape(cast(labels, to: .float64), [-1, 1])
            self.scores = reshape(scores, [-1, 1])
            classes = 1
            return
        }
        if columns == 2 {
            truths = reshape(cast(indices, to: .float64), [-1, 1])
            self.scores = slice(scores, begin: [0, 1], size: [-1, 1])
            classes = 1
        } else {
            truths = oneHot(indices, depth: columns, dtype: .float64)
            self.scores = scores
            classes = columns
        }
    }

    /// 0, or NaN if a score is none: comparisons would pass over it.
    var unknown: Node { reshape(sum(cast(scores, to: .float64) * 0), [1]) }

    /// 1 where the prediction is yes, float64 [questions, classes]: of one kind of question a score above the threshold, else
    /// the class with the largest score.
    func predicted(threshold: Double) -> Node {
        guard classes == 1 else { return oneHot(argMax(scores, axis: 1), depth: classes, dtype: .float64) }
        let limit = scores.graph.constant(.numbers([threshold], dtype: scores.dtype, sized: []))
        return cast(greater(scores, limit), to: .float64)
    }
}

/// Class indices int32 or int64 [examples] for predictions [examples, classes] of at least two classes, with the number of
/// classes; nil where labels and predictions do not look so.
func classIndices(_ labels: Node, _ predictions: Node) -> (indices: Node, classes: Int)? {
    guard predictions.shape.rank == 2, let classes = predictions.shape[1], classes > 1 else { return nil }
    var indices = labels
    if labels.shape.rank == 2, labels.shape[1] == 1 { indices = squeeze(labels, axes: [1]) }
    guard indices.shape.rank == 1 || indices.shape.rank == nil && !labels.dtype.isFloating else { return nil }
    return (indices.dtype == .int64 ? indices : cast(indices, to: .int32), classes)
}

/// `x`, once a run has found `condition` true everywhere: else it throws the sentence.
func checked(_ x: Node, _ condition: Node, _ sentence: String) -> Node {
    let graph = x.graph
    let text = graph.constant(Tensor(texts: [sentence], sized: []))
    let check = graph.add(Assert.self, [all(condition), text], name: "check").node
    return graph.controlDependencies([check]) { identity(x) }
}
