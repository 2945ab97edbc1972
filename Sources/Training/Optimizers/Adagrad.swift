public import Dataflow

/// a ← a + g², w ← w − η·g/√a: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
/// optimization" (2011). TensorFlow's `AdagradOptimizer`: a starts at 0.1 in place of the paper's δ under the root.
public struct Adagrad: Optimizer {
    public let name = "Adagrad"
    public var learningRate: LearningRate
    public var initialAccumulator: Double

    public init(learningRate: some LearningRateConvertible = 0.01, initialAccumulator: Double = 0.1) {
        self.learningRate = learningRate.learningRate
        self.initialAccumulator = initialAccumulator
    }

    public var slots: [Slot] { [Slot("accumulator", initial: initialAccumulator)] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node { update(ApplyAdagrad.self, variable, [slots[0].reference, learningRate, gradient]) }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(SparseApplyAdagrad.self, variable, [slots[0].reference, learningRate, rows.values, rows.indices])
    }
}
