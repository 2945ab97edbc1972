public import Dataflow

/// How far a step goes: a number, or a schedule over the global step.
public enum LearningRate: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The same in every step.
    case constant(Double)
    /// initial · rate^(step / steps), the exponent rounded down if `staircase`; TensorFlow's `tf.train.exponential_decay`.
    case exponentialDecay(initial: Double, steps: Double, rate: Double, staircase: Bool = false)
    /// From initial to end in `steps` steps: (initial − end) · (1 − step / steps)^power + end, and end from then on;
    /// TensorFlow's `tf.train.polynomial_decay`. A power of 1 is a straight line.
    case polynomialDecay(initial: Double, steps: Double, end: Double = 0, power: Double = 1)
    /// From initial to end along half a cosine, and end from then on (Loshchilov and Hutter, "SGDR", 2017); TensorFlow's
    /// `tf.train.cosine_decay` with alpha = end / initial.
    case cosineDecay(initial: Double, steps: Double, end: Double = 0)
    /// A scalar node of one's own.
    case node(Node)

    public init(floatLiteral value: Double) { self = .constant(value) }
    public init(integerLiteral value: Int) { self = .constant(Double(value)) }

    /// The rate as a scalar of `dtype`. A schedule without a global step is a mistake of the graph.
    public func node(
        in graph: Graph, dtype: DType, globalStep: Variable?, file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        switch self {
        case .constant(let rate): return constant(rate, in: graph, dtype)
        case .node(let node): return cast(node, to: dtype)
        case .exponentialDecay(let initial, let steps, let rate, let staircase):
            return decay(initial, steps, in: graph, dtype, globalStep, file, line) { passed in
                initial * pow(graph.constant(rate), staircase ? floor(passed) : passed)
            }
        case .polynomialDecay(let initial, let steps, let end, let power):
            return decay(initial, steps, in: graph, dtype, globalStep, file, line) { passed in
                let left = 1 - minimum(passed, graph.constant(1.0, dtype: .float64))
                return (initial - end) * (power == 1 ? left : pow(left, graph.constant(power))) + end
            }
        case .cosineDecay(let initial, let steps, let end):
            return decay(initial, steps, in: graph, dtype, globalStep, file, line) { passed in
                (initial - end) * 0.5 * (1 + cos(minimum(passed, graph.constant(1.0, dtype: .float64)) * Double.pi))
                    + end
            }
        }
    }

    /// A rate made of step / steps, a float64 scalar: a float32 cannot count past 2²⁴ steps.
    private func decay(
        _ initial: Double, _ steps: Double, in graph: Graph, _ dtype: DType, _ globalStep: Variable?,
        _ file: StaticString, _ line: UInt, _ rate: (Node) -> Node
    ) -> Node {
        guard let globalStep else {
            graph.recordMistake(
                "a decaying learning rate needs a global step; pass globalStep:", at: "learning_rate", file: file,
                line: line)
            return constant(initial, in: graph, dtype)
        }
        return cast(rate(cast(globalStep, to: .float64) / steps), to: dtype)
    }

    private func constant(_ rate: Double, in graph: Graph, _ dtype: DType) -> Node {
        graph.constant(.numbers([rate], dtype: dtype, sized: []), name: "learning_rate")
    }
}
