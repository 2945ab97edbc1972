public import Dataflow

/// s ← ρ·s + (1 − ρ)·g², m ← μ·m + η·g/√(s + ε), w ← w − m: Tieleman and Hinton, "Lecture 6.5: rmsprop" (2012).
/// TensorFlow's `RMSPropOptimizer`: s starts at 1, and ε is under the root.
///
/// With `centered` the gradient's variance stands in place of its mean square, s − a² for s, where a ← ρ·a + (1 − ρ)·g:
/// Graves, "Generating sequences with recurrent neural networks" (2013).
public struct RMSProp: Optimizer {
    public let name = "RMSProp"
    public var learningRate: LearningRate
    public var decay: Double
    public var momentum: Double
    public var epsilon: Double
    public var centered: Bool

    public init(
        learningRate: some LearningRateConvertible = 0.001, decay: Double = 0.9, momentum: Double = 0,
        epsilon: Double = 1e-10,
        centered: Bool = false
    ) {
        self.learningRate = learningRate.learningRate
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
    }

    public var slots: [Slot] { [Slot("rms", initial: 1)] + (centered ? [Slot("mg")] : []) + [Slot("momentum")] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            centered ? ApplyCenteredRMSProp.self : ApplyRMSProp.self, variable,
            inputs(variable, slots, learningRate) + [gradient])
    }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            centered ? SparseApplyCenteredRMSProp.self : SparseApplyRMSProp.self, variable,
            inputs(variable, slots, learningRate) + [rows.values, rows.indices])
    }

    private func inputs(_ variable: Variable, _ slots: [Variable], _ learningRate: Node) -> [Node] {
        // The operation has the mean gradient before the mean square.
        let state = centered ? [slots[1], slots[0], slots[2]] : slots
        return state.map(\.reference) + [learningRate] + [decay, momentum, epsilon].map { number($0, for: variable) }
    }
}
