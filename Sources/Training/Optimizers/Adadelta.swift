public import Dataflow

/// a ← ρ·a + (1 − ρ)·g², d = g·√(u + ε)/√(a + ε), u ← ρ·u + (1 − ρ)·d², w ← w − η·d: Zeiler, "ADADELTA: an adaptive
/// learning rate method" (2012), which has η = 1. TensorFlow's `AdadeltaOptimizer`.
public struct Adadelta: Optimizer {
    public let name = "Adadelta"
    public var learningRate: LearningRate
    public var decay: Double
    public var epsilon: Double

    public init(learningRate: some LearningRateConvertible = 0.001, decay: Double = 0.95, epsilon: Double = 1e-8) {
        self.learningRate = learningRate.learningRate
        self.decay = decay
        self.epsilon = epsilon
    }

    public var slots: [Slot] { [Slot("accum"), Slot("accum_update")] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(ApplyAdadelta.self, variable, inputs(variable, slots, learningRate) + [gradient])
    }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            SparseApplyAdadelta.self, variable,
            inputs(variable, slots, learningRate) + [rows.values, rows.indices])
    }

    private func inputs(_ variable: Variable, _ slots: [Variable], _ learningRate: Node) -> [Node] {
        slots.map(\.reference) + [learningRate] + [decay, epsilon].map { number($0, for: variable) }
    }
}
