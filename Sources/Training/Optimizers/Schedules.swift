public import Dataflow

/// How far a step goes: a number, a schedule over the global step, or a node.
///
/// Optimizers take whatever stands for one: `Adam(learningRate: rate)` of a Double, a Float, a node, a Variable, or
/// `.cosineDecay(initial: 0.1, steps: 1000)`.
public struct LearningRate: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    fileprivate enum Kind: Hashable {
        case constant(Double)
        case exponentialDecay(initial: Double, steps: Double, rate: Double, staircase: Bool)
        case polynomialDecay(initial: Double, steps: Double, end: Double, power: Double)
        case cosineDecay(initial: Double, steps: Double, end: Double)
        case node(Node)
    }

    fileprivate let kind: Kind

    public init(floatLiteral value: Double) { kind = .constant(value) }
    public init(integerLiteral value: Int) { kind = .constant(Double(value)) }
    fileprivate init(_ kind: Kind) { self.kind = kind }

    /// The rate as a scalar of `dtype`. A schedule without a global step is a mistake of the graph.
    public func node(
        in graph: Graph, dtype: DType, globalStep: Variable?, file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        graph.located(file, line) { built(in: graph, dtype, globalStep, file, line) }
    }

    private func built(
        in graph: Graph, _ dtype: DType, _ globalStep: Variable?, _ file: StaticString, _ line: UInt
    ) -> Node {
        switch kind {
        case .constant(let rate): return constant(rate, in: graph, dtype)
        case .node(let node):
            if node.vertex.error == nil,
                !(node.dtype.isFloating || [.int32, .int64, .uint8].contains(node.dtype))
                    || !node.shape.isCompatible(with: [])
            {
                graph.recordMistake(
                    "a learning rate must be one number, got \(node)", at: "learning_rate", file: file, line: line)
            }
            return cast(node, to: dtype)
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
        if !(steps > 0) {
            graph.recordMistake(
                "a learning rate decays in more than 0 steps, got \(steps)", at: "learning_rate", file: file, line: line
            )
        }
        return cast(rate(cast(globalStep, to: .float64) / steps), to: dtype)
    }

    private func constant(_ rate: Double, in graph: Graph, _ dtype: DType) -> Node {
        graph.constant(.numbers([rate], dtype: dtype, sized: []), name: "learning_rate")
    }
}

/// What an optimizer takes as its learning rate: a number, a schedule, a node.
public protocol LearningRateConvertible: Sendable {
    var learningRate: LearningRate { get }
}

extension LearningRate: LearningRateConvertible {
    public var learningRate: LearningRate { self }
}

extension Double: LearningRateConvertible {
    public var learningRate: LearningRate { .constant(self) }
}

extension Float: LearningRateConvertible {
    public var learningRate: LearningRate { .constant(Double(self)) }
}

extension Int: LearningRateConvertible {
    public var learningRate: LearningRate { .constant(Double(self)) }
}

extension Node: LearningRateConvertible {
    public var learningRate: LearningRate { .node(self) }
}

extension Variable: LearningRateConvertible {
    public var learningRate: LearningRate { .node(node) }
}

extension LearningRateConvertible where Self == LearningRate {
    /// The same in every step.
    public static func constant(_ rate: Double) -> LearningRate { LearningRate(.constant(rate)) }

    /// initial · rate^(step / steps), the exponent rounded down if `staircase`; TensorFlow's `tf.train.exponential_decay`.
    public static func exponentialDecay(
        initial: Double, steps: Double, rate: Double, staircase: Bool = false
    ) -> LearningRate {
        LearningRate(.exponentialDecay(initial: initial, steps: steps, rate: rate, staircase: staircase))
    }

    /// From initial to end in `steps` steps: (initial − end) · (1 − step / steps)^power + end, and end from then on;
    /// TensorFlow's `tf.train.polynomial_decay`. A power of 1 is a straight line.
    public static func polynomialDecay(
        initial: Double, steps: Double, end: Double = 0, power: Double = 1
    ) -> LearningRate { LearningRate(.polynomialDecay(initial: initial, steps: steps, end: end, power: power)) }

    /// From initial to end along half a cosine, and end from then on (Loshchilov and Hutter, "SGDR", 2017); TensorFlow's
    /// `tf.train.cosine_decay` with alpha = end / initial.
    public static func cosineDecay(initial: Double, steps: Double, end: Double = 0) -> LearningRate {
        LearningRate(.cosineDecay(initial: initial, steps: steps, end: end))
    }

    /// A node of one's own: one number of any dtype, computed in every step.
    public static func node(_ node: any Operand) -> LearningRate { LearningRate(.node(node.node)) }
}
