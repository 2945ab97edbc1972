public import Dataflow

/// A rule that improves Variables by their gradients, written once as graph operations over a Variable, its slots and a
/// gradient. The same operations run in a local `Session` and on a parameter server.
///
/// To add one: write a value type that conforms, in a file that cites its paper; a case and a line in `OptimizerSettings`
/// let configurations name it. Add a row to the table in `Tests/TrainingTests/OptimizerTests.swift`, which runs every rule
/// through the same convergence problems.
public protocol Optimizer: Sendable {
    /// TensorFlow's name of the optimizer, "Adam"; slots are called "<variable>/<name>", a second one "<variable>/<name>_1".
    var name: String { get }

    /// The step size, or its schedule.
    var learningRate: LearningRate { get }

    /// The state kept for each Variable, of its shape and dtype.
    var slots: [Slot] { get }

    /// Scalars that all Variables of one dtype share, such as the powers of Adam's betas.
    var shared: [Slot] { get }

    /// The operation that improves `variable` in place: one `Apply…`.
    ///
    /// - Parameters:
    ///   - gradient: of the Variable's shape and dtype.
    ///   - slots: the Variable's state, in the order of `slots`.
    ///   - shared: the scalars of `shared`, of the Variable's dtype.
    ///   - learningRate: a scalar of the Variable's dtype.
    func apply(gradient: Node, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node) -> Node

    /// As `apply(gradient:…)` for a gradient of few rows: the operation that updates those rows (and, of rules whose slots
    /// decay, all others as far as the rule moves them without a gradient). The default makes the gradient whole.
    ///
    /// - Parameter rows: each named once, unless `takesRepeatedRows`.
    func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    )
        -> Node

    /// Whether rows that are named twice may be given so: the rule is linear in the gradient.
    var takesRepeatedRows: Bool { get }

    /// The values that the scalars of `shared` take after all Variables have been improved.
    func advance(_ shared: [Variable]) -> [Node]
}

/// State that an optimizer keeps.
public struct Slot: Sendable, Equatable {
    /// What the rule calls it: "momentum", "beta1_power". A shared scalar is a Variable of this name.
    public let name: String
    /// The value of every element at first.
    public let initial: Double

    public init(_ name: String, initial: Double = 0) {
        self.name = name
        self.initial = initial
    }
}

extension Optimizer {
    public var slots: [Slot] { [] }
    public var shared: [Slot] { [] }
    public func advance(_ shared: [Variable]) -> [Node] { [] }
    public var takesRepeatedRows: Bool { false }

    public func apply(
        rows: IndexedSlices, to variable: Variable, slots: [Variable], shared: [Variable], learningRate: Node
    ) -> Node {
        apply(gradient: rows.dense, to: variable, slots: slots, shared: shared, learningRate: learningRate)
    }

    /// Adds an `Apply…` operation where `variable` is.
    func update(
        _ operation: any Operation.Type, _ variable: Variable, _ inputs: [Node], _ attributes: Attributes = [:]
    ) -> Node {
        variable.graph.add(
            operation, [variable.reference] + inputs, attributes, device: variable.reference.vertex.device
        ).node
    }

    /// A number of the rule as a scalar of the Variable's dtype.
    func number(_ value: Double, for variable: Variable) -> Node {
        variable.graph.constant(.numbers([value], dtype: variable.dtype, sized: []))
    }
}
