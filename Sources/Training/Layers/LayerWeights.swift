public import Dataflow
internal import Synchronization

/// The Variables of a layer, which its first call makes; copies of a layer have the same object.
public final class LayerWeights: Sendable {
    private struct Home {
        let graph: Graph
        let scope: String
        /// By the layer's own names: "kernel", "gates/kernel".
        var variables: [(name: String, variable: Variable)] = []
        /// Full names of scopes within the layer's.
        var scopes: [String: String] = [:]
        /// The layers that the layer is made of, those of its own by name.
        var parts: [(name: String?, layer: any Layer)] = []
    }

    private let home = Mutex<Home?>(nil)
    private let wanted: String

    /// - Parameter name: of the layer's scope; a name that the graph has already gets a number: "dense_1".
    public init(name: String) { wanted = name }

    /// The Variables in the order in which they were made, then those of the layers that the layer is made of.
    public var variables: [Variable] {
        let (own, parts) = home.withLock { ($0?.variables.map(\.variable) ?? [], $0?.parts.map(\.layer) ?? []) }
        return own + parts.flatMap(\.variables)
    }

    /// The Variable that the layer calls `name`: "kernel". Where there is none, whatever uses it tells so.
    public subscript(name: String) -> Variable {
        let made = home.withLock { $0?.variables ?? [] }
        if let found = made.first(where: { $0.name == name }) { return found.variable }
        let reason =
            made.isEmpty
            ? "the layer '\(scope)' has no Variables before its first call: call it, then read '\(name)'"
            : "the layer '\(scope)' has no Variable '\(name)', only " + made.map(\.name).joined(separator: ", ")
        return .missing(reason, name: "\(scope)/\(name)")
    }

    var scope: String { home.withLock { $0?.scope ?? wanted } }
    var isBuilt: Bool { home.withLock { $0 != nil } }

    /// Builds a call of the layer, in its scope.
    func call(
        _ x: Node, _ training: TrainingFlag?, _ file: StaticString, _ line: UInt, _ build: (Node, LayerCall) -> Node
    ) -> Node {
        let graph = x.graph
        let call = LayerCall(graph: graph, training: training, weights: self, input: x, file: file, line: line)
        let root = graph.root
        return graph.located(file, line) {
            // A layer without Variables is at home everywhere.
            let scope = home.withLock { home in
                if let known = home, known.variables.isEmpty, known.parts.isEmpty, known.graph !== root { home = nil }
                return home?.scope
            }
            guard let scope else {
                return graph.scope(wanted) {
                    let scope = graph.openScope
                    home.withLock { $0 = Home(graph: root, scope: scope) }
                    return build(x, call)
                }
            }
            guard home.withLock({ $0?.graph === root }) else {
                call.recordMistake(
                    "the layer '\(scope)' has its Variables in another graph, where it was called first; "
                        + "make a layer of its own for each graph")
                return x
            }
            return graph.reentering(scope) { build(x, call) }
        }
    }

    fileprivate func known(_ name: String) -> Variable? {
        home.withLock { $0?.variables.first { $0.name == name }?.variable }
    }

    fileprivate func keep(_ variable: Variable, _ name: String) {
        home.withLock { $0?.variables.append((name, variable)) }
    }

    fileprivate func part(_ name: String, _ make: () -> any Layer) -> any Layer {
        if let known = home.withLock({ $0?.parts.first { $0.name == name }?.layer }) { return known }
        let layer = make()
        home.withLock { $0?.parts.append((name, layer)) }
        return layer
    }

    fileprivate func keep(_ layer: any Layer) {
        home.withLock { home in
            guard home?.parts.contains(where: { $0.layer.weights === layer.weights }) == false else { return }
            home?.parts.append((nil, layer))
        }
    }

    /// Builds in a scope within the layer's, the same one whenever it is of this name.
    fileprivate func within<Result>(_ scope: String, _ graph: Graph, _ build: () -> Result) -> Result {
        guard !scope.isEmpty else { return build() }
        if let full = home.withLock({ $0?.scopes[scope] }) { return graph.reentering(full, build) }
        return graph.scope(scope) {
            let full = graph.openScope
            home.withLock { $0?.scopes[scope] = full }
            return build()
        }
    }
}

/// One call of a layer.
public struct LayerCall: Sendable {
    /// The graph that is built.
    public let graph: Graph
    /// What the call says of training; nil if it says nothing.
    public let training: TrainingFlag?
    let weights: LayerWeights
    /// What the layer is called with, for messages.
    let input: Node
    let file: StaticString
    let line: UInt

    /// The layer's Variable `name`: made by the first call that asks for it, the same one from then on.
    ///
    /// - Parameters:
    ///   - name: within the layer's scope: "kernel", "gates/kernel".
    ///   - shape: fully known. Another shape or dtype than before is a mistake of the graph.
    ///   - l1: adds l1 · Σ|value| to the graph's `regularizationLosses`.
    ///   - l2: adds l2 · ½Σvalue² likewise.
    public func variable(
        _ name: String, shape: Shape, dtype: DType, initializer: Initializer, trainable: Bool = true, l1: Double = 0,
        l2: Double = 0
    ) -> Variable {
        variable(name, TensorSpec(dtype, shape), trainable) {
            let variable = graph.variable(
                initializer.node(in: graph, shape: shape, dtype: dtype), name: $0, trainable: trainable, file: file,
                line: line)
            penalize(variable, l1: l1, l2: l2)
            return variable
        }
    }

    /// As `variable(_:shape:…)` with a first value.
    public func variable(_ name: String, initial: Tensor, trainable: Bool = true) -> Variable {
        variable(name, TensorSpec(initial.dtype, initial.shape), trainable) {
            graph.variable(initial, name: $0, trainable: trainable, file: file, line: line)
        }
    }

    private func variable(
        _ name: String, _ spec: TensorSpec, _ trainable: Bool, _ make: (String) -> Variable
    ) -> Variable {
        if let known = weights.known(name) {
            if known.dtype != spec.dtype || known.shape != spec.shape {
                recordMistake(
                    "its Variable '\(known.name)' is \(known.dtype)\(known.shape) since the first call, and would be \(spec)"
                        + " for \(input): layers that share weights take inputs of one width and dtype")
            }
            return known
        }
        let parts = name.split(separator: "/")
        let variable = weights.within(parts.dropLast().joined(separator: "/"), graph) {
            // First values are run by themselves.
            graph.withoutControlDependencies { make(String(parts.last ?? "Variable")) }
        }
        weights.keep(variable, name)
        return variable
    }

    /// A layer that this one is made of, over `x`; its Variables are this one's too.
    public func output(of layer: any Layer, over x: Node) -> Node {
        weights.keep(layer)
        return layer.weights.call(x, training, file, line) { layer.output(of: $0, in: $1) }
    }

    /// The layer that this one calls `name`: made by the first call that asks for it, the same one from then on.
    public func layer(_ name: String, _ make: () -> any Layer) -> any Layer { weights.part(name, make) }

    /// Records a mistake of the caller's, at the call, thrown by `validate()`.
    public func recordMistake(_ message: String) {
        graph.recordMistake(message, at: weights.scope, file: file, line: line)
    }

    /// Whether the layer is training; a mistake of the graph where the call does not say.
    func trainingFlag() -> TrainingFlag {
        if let training { return training }
        recordMistake("the call must say whether the layer is training: pass training: true, false or a bool node")
        return .constant(false)
    }

    /// Adds penalties on a weight's size to the graph's `regularizationLosses`.
    private func penalize(_ weight: Variable, l1: Double, l2: Double) {
        if l1 > 0 { graph.addRegularizationLoss(l1 * sum(abs(weight))) }
        if l2 > 0 { graph.addRegularizationLoss(l2 * l2Loss(weight)) }
    }
}
