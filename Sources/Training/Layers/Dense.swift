public import Dataflow

/// A fully connected layer, activation(x · kernel + bias); TensorFlow's `tf.layers.dense`.
///
/// Makes the Variables "<name>/kernel" [inputs, units] and "<name>/bias" [units]; a name used twice becomes "<name>_1".
///
/// - Parameters:
///   - x: a matrix [examples, inputs], whose number of columns is known.
///   - l1: adds l1 · Σ|kernel| to the graph's `regularizationLosses`; TensorFlow's `l1_regularizer`.
///   - l2: adds l2 · ½Σkernel² likewise; TensorFlow's `l2_regularizer`.
/// - Returns: [examples, units].
public func dense(
    _ x: any Operand, units: Int, activation: Activation = .linear, initializer: Initializer = .glorotUniform,
    useBias: Bool = true, biasInitializer: Initializer = .zeros, name: String = "dense", l1: Double = 0,
    l2: Double = 0, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        var columns = 1
        if input.shape.rank == 2, let known = input.shape[1], units > 0 {
            columns = known
        } else if input.vertex.error == nil {
            graph.recordMistake(
                units > 0
                    ? "a dense layer needs a matrix with a known number of columns, got \(input)"
                    : "a dense layer needs at least one unit, got \(units)", at: name, file: file, line: line)
            return input
        }
        let kernel = graph.variable(
            initializer.node(in: graph, shape: [columns, units], dtype: input.dtype), name: "kernel", file: file,
            line: line)
        penalize(kernel, l1: l1, l2: l2)
        var sums = matmul(input, kernel, file: file, line: line)
        if useBias {
            let initial = biasInitializer.node(in: graph, shape: [units], dtype: input.dtype)
            sums = biasAdd(sums, graph.variable(initial, name: "bias", file: file, line: line))
        }
        return activation(sums)
    }
}

/// Adds penalties on a weight's size to the graph's `regularizationLosses`.
func penalize(_ weight: Variable, l1: Double, l2: Double) {
    if l1 > 0 { weight.graph.addRegularizationLoss(l1 * sum(abs(weight))) }
    if l2 > 0 { weight.graph.addRegularizationLoss(l2 * l2Loss(weight)) }
}
