public import Dataflow

/// A part of a model with Variables of its own. Each call uses the same ones, so that two inputs share weights:
///
/// ```swift
/// let encoder = Dense(units: 32, activation: .relu)
/// let (left, right) = (encoder(a), encoder(b))
/// print(encoder.kernel.name, encoder.variables.count)   // dense/kernel 2
/// ```
///
/// The first call makes the Variables, in a scope of the layer's name ("dense", of a second layer "dense_1"), of that call's
/// graph and width; a later call with another graph or another width is a mistake of the graph. A layer may be copied and
/// passed between threads: its Variables are kept behind a lock, and copies share them. A graph is built by one thread.
///
/// To write one: keep a `LayerWeights`, and build the output over `call.variable(…)`.
///
/// ```swift
/// struct Scale: Layer {
///     let weights = LayerWeights(name: "scale")
///     func output(of x: Node, in call: LayerCall) -> Node {
///         x * call.variable("factor", shape: [], dtype: x.dtype, initializer: .constant(1))
///     }
/// }
/// ```
public protocol Layer: Sendable, CustomStringConvertible {
    /// Its Variables.
    var weights: LayerWeights { get }

    /// What the layer makes of `x`, built in the layer's scope.
    func output(of x: Node, in call: LayerCall) -> Node
}

extension Layer {
    /// The layer over `x`.
    public func callAsFunction(_ x: any Operand, file: StaticString = #fileID, line: UInt = #line) -> Node {
        weights.call(x.node, nil, file, line) { output(of: $0, in: $1) }
    }

    /// The layer over `x`.
    /// - Parameter training: whether dropout drops, and batch normalization uses the batch's mean.
    public func callAsFunction(
        _ x: any Operand, training: Bool, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { weights.call(x.node, .constant(training), file, line) { output(of: $0, in: $1) } }

    /// The layer over `x`.
    /// - Parameter training: a bool scalar, often a placeholder: whether a run is training.
    public func callAsFunction(
        _ x: any Operand, training: any Operand, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { weights.call(x.node, .node(training.node), file, line) { output(of: $0, in: $1) } }

    /// The scope of its Variables, "dense_1"; before the first call what it asks for, "dense".
    public var name: String { weights.scope }

    /// All its Variables, those of the layers that it is made of too; none before the first call.
    public var variables: [Variable] { weights.variables }

    /// Those of its Variables that `minimize` updates unless told otherwise.
    public var trainableVariables: [Variable] { variables.filter(\.isTrainable) }

    public var description: String {
        let list = variables.map(\.description).joined(separator: ", ")
        return "\(Self.self) '\(name)', "
            + (weights.isBuilt ? "Variables: \(list.isEmpty ? "none" : list)" : "not called yet")
    }
}

/// Whether a layer that works otherwise while training is to train.
public enum TrainingFlag: Sendable {
    case constant(Bool)
    /// A bool scalar: each run says.
    case node(Node)
}
