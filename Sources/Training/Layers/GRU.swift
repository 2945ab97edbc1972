public import Dataflow

/// A layer of gated recurrent units: Cho et al., "Learning phrase representations using RNN encoder–decoder" (2014);
/// TensorFlow 1's `tf.nn.rnn_cell.GRUCell`, over `GRUBlockCell`, one for each step.
///
/// Its input is floating, [batch, time, features], whose number of steps and of features is known; its output [batch, time,
/// units], the output of every step: `lastStep` takes the last. Its Variables are "<name>/gates/kernel"
/// [features + units, 2 · units] and "<name>/gates/bias", whose columns belong to the reset gate and the update gate,
/// "<name>/candidate/kernel" [features + units, units] and "<name>/candidate/bias". The output starts at zero, the gates'
/// bias at one, so that the units remember from the start.
public struct GRU: Layer {
    public let units: Int
    public let initializer: Initializer
    public let weights: LayerWeights

    public init(units: Int, initializer: Initializer = .glorotUniform, name: String = "gru") {
        self.units = units
        self.initializer = initializer
        weights = LayerWeights(name: name)
    }

    /// [features + units, 2 · units].
    public var gatesKernel: Variable { weights["gates/kernel"] }
    /// [2 · units].
    public var gatesBias: Variable { weights["gates/bias"] }
    /// [features + units, units].
    public var candidateKernel: Variable { weights["candidate/kernel"] }
    /// [units].
    public var candidateBias: Variable { weights["candidate/bias"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard let features = sequenceFeatures(x, units: units, call) else { return x }
        guard let time = x.shape[1], time > 0 else {
            call.recordMistake("a GRU needs a known number of steps, at least one, got \(x)")
            return x
        }
        let variable = { (name: String, shape: Shape, initializer: Initializer) in
            call.variable(name, shape: shape, dtype: x.dtype, initializer: initializer)
        }
        let gates = variable("gates/kernel", [features + units, 2 * units], initializer)
        let gateBias = variable("gates/bias", [2 * units], .constant(1))
        let candidate = variable("candidate/kernel", [features + units, units], initializer)
        let bias = variable("candidate/bias", [units], .zeros)
        var output = zeroState(like: x, units: units)
        let outputs = unstack(x, count: time, axis: 1).map { step in
            output =
                gruBlockCell(
                    step, output: output, gateWeights: gates, weights: candidate, gateBias: gateBias, bias: bias
                ).output
            return output
        }
        return stack(outputs, axis: 1)
    }
}

/// A layer of gated recurrent units over `x`; `GRU(units: units)(x)`.
///
/// - Parameter x: floating, [batch, time, features], whose number of steps and of features is known.
/// - Returns: [batch, time, units], the output of every step; `lastStep` takes the last.
public func gru(
    _ x: any Operand, units: Int, initializer: Initializer = .glorotUniform, name: String = "gru",
    file: StaticString = #fileID, line: UInt = #line
) -> Node { GRU(units: units, initializer: initializer, name: name)(x, file: file, line: line) }
