public import Dataflow

/// a ← μ·a + g, w ← w − η·a: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
/// TensorFlow's `MomentumOptimizer`.
///
/// With `nesterov`, w ← w − η·g − η·μ·a: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and
/// momentum in deep learning" (2013), in TensorFlow's form, which keeps the Variable at the point looked ahead to.
public struct Momentum: Optimizer {
    public let name = "Momentum"
    public var learningRate: LearningRate
    public var momentum: Double
    public var nesterov: Bool

    public init(learningRate: some LearningRateConvertible = 0.01, momentum: Double = 0.9, nesterov: Bool = false) {
        self.learningRate = learningRate.learningRate
        self.momentum = momentum
        self.nesterov = nesterov
    }

    public var slots: [Slot] { [Slot("momentum")] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            ApplyMomentum.self, variable,
            [slots[0].reference, learningRate, gradient, number(momentum, for: variable)],
            ["use_nesterov": .bool(nesterov)])
    }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            SparseApplyMomentum.self, variable,
            [slots[0].reference, learningRate, rows.values, rows.indices, number(momentum, for: variable)],
            ["use_nesterov": .bool(nesterov)])
    }
}
