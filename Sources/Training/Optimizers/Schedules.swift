public import Dataflow

/// How far a step goes: a number, or a schedule over the global step.
public enum LearningRate: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The same in every step.
    case constant(Double)
    /// initial · rate^(step / steps), the exponent rounded down if `staircase`; TensorFlow's `tf.train.exponential_decay`.
    case exponentialDecay(initial: Double, steps: Double, rate: Double, staircase: Bool = false)
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
            guard let globalStep else {
                graph.recordMistake(
                    "a decaying learning rate needs a global step; pass globalStep:", at: "learning_rate", file: file,
                    line: line)
                return constant(initial, in: graph, dtype)
            }
            // In float64: a float32 cannot count past 2²⁴ steps.
            let passed = cast(globalStep, to: .float64) / steps
            return cast(initial * pow(graph.constant(rate), staircase ? floor(passed) : passed), to: dtype)
        }
    }

    private func constant(_ rate: Double, in graph: Graph, _ dtype: DType) -> Node {
        graph.constant(.numbers([rate], dtype: dtype, shape: []), name: "learning_rate")
    }
}
