public import Dataflow

/// w ← w − η·λ·w, then Adam's step by the gradient at the old w: Loshchilov and Hutter, "Decoupled weight decay
/// regularization" (2019), algorithm 2, with the learning rate η in place of the paper's schedule multiplier, as in Keras's
/// `AdamW`. λ is `weightDecay`.
///
/// The decay is of the whole Variable, whichever rows have a gradient.
public struct AdamW: Optimizer {
    public let name = "AdamW"
    public var adam: Adam
    public var weightDecay: Double

    public init(
        learningRate: some LearningRateConvertible = 0.001, weightDecay: Double = 0.01, beta1: Double = 0.9,
        beta2: Double = 0.999,
        epsilon: Double = 1e-8
    ) {
        adam = Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
        self.weightDecay = weightDecay
    }

    public var learningRate: LearningRate {
        get { adam.learningRate }
        set { adam.learningRate = newValue }
    }
    public var slots: [Slot] { adam.slots }
    public var shared: [Slot] { adam.shared }

    public func apply(
        gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        let decay = decay(variable, learningRate, after: gradient)
        return variable.graph.controlDependencies([decay]) {
            adam.apply(gradient: gradient, to: variable, slots: slots, shared: shared, learningRate: learningRate)
        }
    }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        adam.apply(
            rows: rows, to: variable, slots: slots, shared: shared, learningRate: learningRate,
            after: [decay(variable, learningRate, after: rows.values)])
    }

    public func advance(_ shared: [Variable]) -> [Node] { adam.advance(shared) }

    /// The decay, which waits until the gradient has been computed with the old value.
    private func decay(_ variable: Variable, _ rate: Node, after gradient: Node) -> Node {
        variable.graph.controlDependencies([gradient]) {
            update(AssignSub.self, variable, [rate * number(weightDecay, for: variable) * variable.value])
        }
    }
}
