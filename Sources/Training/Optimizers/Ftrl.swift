public import Dataflow

/// Follow the regularised leader, proximally: McMahan et al., "Ad click prediction: a view from the trenches" (2013).
/// TensorFlow's `FtrlOptimizer`.
///
/// n′ = n + g², z ← z + g − (n′⁻ᵖ − n⁻ᵖ)/η·w, n ← n′; w ← (sign(z)·l1 − z)/(n⁻ᵖ/η + 2·l2) where |z| > l1, else 0. p is
/// `learningRatePower`, −0.5 in the paper; `l1` makes a model sparse.
public struct Ftrl: Optimizer {
    public let name = "Ftrl"
    public var learningRate: LearningRate
    public var learningRatePower: Double
    public var initialAccumulator: Double
    public var l1: Double
    public var l2: Double

    public init(
        learningRate: some LearningRateConvertible = 0.01, learningRatePower: Double = -0.5,
        initialAccumulator: Double = 0.1,
        l1: Double = 0, l2: Double = 0
    ) {
        self.learningRate = learningRate.learningRate
        self.learningRatePower = learningRatePower
        self.initialAccumulator = initialAccumulator
        self.l1 = l1
        self.l2 = l2
    }

    public var slots: [Slot] { [Slot("accum", initial: initialAccumulator), Slot("linear")] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(ApplyFtrl.self, variable, slots.map(\.reference) + [gradient] + numbers(variable, learningRate))
    }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        update(
            SparseApplyFtrl.self, variable,
            slots.map(\.reference) + [rows.values, rows.indices] + numbers(variable, learningRate))
    }

    private func numbers(_ variable: Variable, _ learningRate: Node) -> [Node] {
        [learningRate] + [l1, l2, learningRatePower].map { number($0, for: variable) }
    }
}
