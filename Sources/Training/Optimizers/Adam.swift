public import Dataflow

/// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε): Kingma and Ba, "Adam: a
/// method for stochastic optimization" (2015), in the order of its section 2, whose ε̂ is TensorFlow's ε.
/// TensorFlow's `AdamOptimizer`; β₁ᵗ and β₂ᵗ are the Variables "beta1_power" and "beta2_power", multiplied up after each
/// step.
public struct Adam: Optimizer {
    public let name = "Adam"
    public var learningRate: LearningRate
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double

    public init(
        learningRate: some LearningRateConvertible = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8
    ) {
        self.learningRate = learningRate.learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    public var slots: [Slot] { [Slot("m"), Slot("v")] }
    public var shared: [Slot] { [Slot("beta1_power", initial: beta1), Slot("beta2_power", initial: beta2)] }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        let numbers = [beta1, beta2, epsilon].map { number($0, for: variable) }
        return update(
            ApplyAdam.self, variable,
            slots.map(\.reference) + shared.map(\.value) + [learningRate] + numbers + [gradient])
    }

    public func advance(_ shared: [Variable]) -> [Node] { zip(shared, [beta1, beta2]).map { $0 * $1 } }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node { apply(rows: rows, to: variable, slots: slots, shared: shared, learningRate: learningRate, after: []) }

    /// TensorFlow's `_apply_sparse`: m and v decay everywhere, so that rows without a gradient move too.
    ///
    /// Only writes wait for `after` and for each other: what is computed of the gradient is a worker's, which has no slots.
    func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node,
        after: [Node]
    ) -> Node {
        let graph = variable.graph
        let beta = [beta1, beta2].map { number($0, for: variable) }
        let news = [rows.values * (1 - beta[0]), rows.values * rows.values * (1 - beta[1])]
        let moments = slots.indices.map { i in
            let decayed = slots[i].assign(slots[i] * beta[i])
            return graph.controlDependencies([decayed]) { update(ScatterAdd.self, slots[i], [rows.indices, news[i]]) }
        }
        let rate = learningRate * sqrt(1 - shared[1].value) / (1 - shared[0].value)
        let step = rate * moments[0] / (sqrt(moments[1]) + number(epsilon, for: variable))
        return graph.controlDependencies(after) { update(AssignSub.self, variable, [step]) }
    }
}
