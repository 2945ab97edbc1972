public import Dataflow

/// w ← w − η·g: Robbins and Monro, "A stochastic approximation method" (1951). TensorFlow's `GradientDescentOptimizer`.
public struct GradientDescent: Optimizer {
    public let name = "GradientDescent"
    public var learningRate: LearningRate

    public init(learningRate: some LearningRateConvertible = 0.01) {
        self.learningRate = learningRate.learningRate
    }

    public var takesRepeatedRows: Bool { true }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node { update(ApplyGradientDescent.self, variable, [learningRate, gradient]) }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(ScatterSub.self, variable, [rows.indices, rows.values * learningRate])
    }
}
