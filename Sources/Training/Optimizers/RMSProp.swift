public import Dataflow

/// s ← ρ·s + (1 − ρ)·g², m ← μ·m + η·g/√(s + ε), w ← w − m: Tieleman and Hinton, "Lecture 6.5: rmsprop" (2012).
/// TensorFlow's `RMSPropOptimizer`: s starts at 1, and ε is under the root.
public struct RMSProp: Optimizer {
    public let name = "RMSProp"
    public var learningRate: LearningRate
    public var decay: Double
    public var momentum: Double
    public var epsilon: Double

    public init(
        learningRate: LearningRate = 0.001, decay: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-10
    ) {
        self.learningRate = learningRate
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon
    }

    public var slots: [Slot] { [Slot("rms", initial: 1), Slot("momentum")] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        let numbers = [decay, momentum, epsilon].map { number($0, for: variable) }
        return update(
            ApplyRMSProp.self, variable, slots.map(\.reference) + [learningRate] + numbers + [gradient])
    }
}
