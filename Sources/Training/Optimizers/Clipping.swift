public import Dataflow

/// √Σ‖x‖² over all of `nodes`, a scalar; TensorFlow's `tf.global_norm`. An empty list is a mistake.
public func globalNorm(_ nodes: [Node], file: StaticString = #fileID, line: UInt = #line) -> Node {
    guard let graph = nodes.first?.graph else {
        return .missing("there is no norm of no nodes", at: "global_norm", file: file, line: line)
    }
    return graph.located(file, line) { sqrt(2 * addN(nodes.map { l2Loss($0) })) }
}

/// Scales all of `gradients` by one factor so that their global norm is at most `norm`; TensorFlow's
/// `tf.clip_by_global_norm`, after Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
/// (2013). The gradients are of one dtype; none are none.
///
/// - Returns: the gradients in order, and the norm they had, a scalar.
public func clipByGlobalNorm(
    _ gradients: [Node], norm: Double, file: StaticString = #fileID, line: UInt = #line
) -> (gradients: [Node], norm: Node?) {
    let (clipped, total) = clipByGlobalNorm(gradients.map(Gradient.dense), norm: norm, file: file, line: line)
    return (clipped.map(\.values), total)
}

/// As for whole tensors; of rows the norm is over their values as they come, and a row that is named twice counts as two,
/// as in TensorFlow.
public func clipByGlobalNorm(
    _ gradients: [Gradient], norm: Double, file: StaticString = #fileID, line: UInt = #line
) -> (gradients: [Gradient], norm: Node?) {
    guard let graph = gradients.first?.values.graph else { return ([], nil) }
    return graph.located(file, line) {
        graph.scope("clip_by_global_norm") {
            if !(norm > 0) {
                graph.recordMistake(
                    "the norm must be above 0, got \(norm)", at: "clip_by_global_norm", file: file, line: line)
            }
            let total = globalNorm(gradients.map(\.values))
            let limit = graph.constant(.numbers([norm], dtype: total.dtype, sized: []))
            let scale = limit / maximum(total, limit)
            return (gradients.map { $0.mapValues { $0 * scale } }, total)
        }
    }
}
