public import Dataflow

/// A layer of gated recurrent units: Cho et al., "Learning phrase representations using RNN encoder–decoder" (2014);
/// TensorFlow 1's `tf.nn.rnn_cell.GRUCell`, over `GRUBlockCell`, one for each step.
///
/// Makes the Variables "<name>/gates/kernel" [features + units, 2 · units] and "<name>/gates/bias", whose columns belong to
/// the reset gate and the update gate, "<name>/candidate/kernel" [features + units, units] and "<name>/candidate/bias". The
/// output starts at zero, the gates' bias at one, so that the units remember from the start.
///
/// - Parameter x: floating, [batch, time, features], whose number of steps and of features is known.
/// - Returns: [batch, time, units], the output of every step; `lastStep` takes the last.
public func gru(
    _ x: any Operand, units: Int, initializer: Initializer = .glorotUniform, name: String = "gru",
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        guard let features = sequenceFeatures(input, units: units, name, file, line) else { return input }
        guard let time = input.shape[1], time > 0 else {
            graph.recordMistake(
                "a GRU needs a known number of steps, at least one, got \(input)", at: name, file: file, line: line)
            return input
        }
        let weights = { (scope: String, columns: Int, bias: Initializer) in
            graph.scope(scope) {
                [(initializer, Shape([features + units, columns]), "kernel"), (bias, Shape([columns]), "bias")].map {
                    graph.variable(
                        $0.node(in: graph, shape: $1, dtype: input.dtype), name: $2, file: file, line: line)
                }
            }
        }
        let gates = weights("gates", 2 * units, .constant(1))
        let candidate = weights("candidate", units, .zeros)
        var output = zeroState(like: input, units: units)
        let outputs = unstack(input, count: time, axis: 1).map { step in
            output =
                gruBlockCell(
                    step, output: output, gateWeights: gates[0], weights: candidate[0], gateBias: gates[1],
                    bias: candidate[1], file: file, line: line
                ).output
            return output
        }
        return stack(outputs, axis: 1)
    }
}
