internal import Synchronization

/// An operation placed in a graph: TensorFlow's `tf.Operation`, GraphDef's `NodeDef`. Immutable, but for what loops get
/// later.
public final class Vertex: Sendable {
    /// What the gradient of a `While` extends.
    struct Parts {
        var attributes: Attributes
        var inputs: [Node]
        var outputs: [TensorSpec]
    }

    private let parts: Mutex<Parts>
    /// What comes round to the last input of a loop's `Merge` from the iteration before: the only edge that leads back. It
    /// is not among `inputs`.
    private let backEdge = Mutex<Node?>(nil)
    private let history = Mutex<LoopHistory?>(nil)

    public let graph: Graph
    public let id: Int
    /// Unique in the graph, with the scopes in it: "layer1/MatMul".
    public let name: String
    public let operation: any Operation.Type
    public var attributes: Attributes {
        @inline(never) get { parts.withLock { $0.attributes } }
    }
    public var inputs: [Node] {
        @inline(never) get { parts.withLock { $0.inputs } }
    }
    /// Vertices that must have run before this one.
    public let controls: [Vertex]
    /// What the program asked for; empty where it said nothing.
    public let device: DeviceName
    /// Dtypes and shapes of the outputs as far as known while building.
    public var outputs: [TensorSpec] {
        @inline(never) get { parts.withLock { $0.outputs } }
    }
    /// Values known while building (constants, and what follows from shapes alone), for the shape rules downstream.
    package let constants: [Tensor?]
    /// The first mistake at or before this vertex.
    package let error: GraphError?
    public let location: SourceLocation?
    /// The Variable whose memory each output is, of what passes it on. Found once: a chain of these may be long.
    fileprivate let passed: [Vertex?]

    init(
        graph: Graph, id: Int, name: String, operation: any Operation.Type, attributes: Attributes, inputs: [Node],
        controls: [Vertex], device: DeviceName, outputs: [TensorSpec], constants: [Tensor?], error: GraphError?,
        location: SourceLocation?
    ) {
        self.graph = graph
        self.id = id
        self.name = name
        self.operation = operation
        self.controls = controls
        self.device = device
        parts = Mutex(Parts(attributes: attributes, inputs: inputs, outputs: outputs))
        self.constants = constants
        self.error = error
        self.location = location
        passed = outputs.indices.map { output in
            guard let input = operation.memoryInput(of: output, outputs[output].dtype), inputs.indices.contains(input)
            else { return nil }
            return inputs[input].variable
        }
    }

    /// The node that a loop carries round to this `Merge`; nil for all other vertices.
    public internal(set) var loopInput: Node? {
        get { backEdge.withLock { $0 } }
        set { backEdge.withLock { $0 = newValue } }
    }

    /// Of a `While`, what its gradients needed of it; nil before the first, and for all other vertices.
    var loopHistory: LoopHistory? {
        get { history.withLock { $0 } }
        set { history.withLock { $0 = newValue } }
    }

    /// Appends to a `While` what its gradient needs.
    func extend(inputs: [Node], outputs: [TensorSpec], attributes: Attributes) {
        parts.withLock { parts in
            parts.inputs += inputs
            parts.outputs += outputs
            parts.attributes = attributes
        }
        graph.noteChange()
    }

    /// Of a Variable, what its memory holds; nil for other vertices.
    package var variableSpec: TensorSpec? {
        guard operation.isVariable, let output = outputs.first else { return nil }
        guard output.dtype == .resource else { return output }
        return (try? attributes.type("dtype")).map { TensorSpec($0, output.shape) }
    }

    /// Throws `GraphError` where an input that must be the handle of a Variable stands for something else, or for a Variable
    /// of another dtype than the attributes say.
    /// - Parameter dtypes: of the inputs; of a handle that of the memory it stands for.
    func checkHandles(_ dtypes: [DType]) throws {
        guard inputs.contains(where: { $0.dtype == .resource }), !(operation is any DynamicOperation.Type),
            case .type(let dtype)? = attributes["dtype"] ?? attributes["T"], dtype != .resource
        else { return }
        for (i, input) in inputs.enumerated() where input.dtype == .resource && dtypes[i] != dtype {
            let got = dtypes[i] == .resource ? "something else" : "\(dtypes[i])"
            throw GraphError(
                "input \(i), \(input.name), must be the handle of a Variable of \(dtype), got that of \(got)")
        }
    }

    /// Output `index` as something to compute with. That there is none such is a mistake of what uses it.
    public func output(_ index: Int) -> Node { Node(vertex: self, output: index) }

    /// The vertex as something to fetch or to depend on; it may have no outputs.
    public var node: Node { Node(vertex: self, output: 0) }
}

/// A symbolic output of an operation in a graph: TensorFlow's `tf.Tensor`. What `Session.run` fetches and feeds.
public struct Node: Sendable, Hashable, CustomStringConvertible {
    public let vertex: Vertex
    public let output: Int

    public init(vertex: Vertex, output: Int) {
        self.vertex = vertex
        self.output = output
    }

    public var graph: Graph { vertex.graph }
    /// TensorFlow's name of the output, "layer1/MatMul:0".
    public var name: String { "\(vertex.name):\(output)" }
    public var spec: TensorSpec {
        vertex.outputs.indices.contains(output) ? vertex.outputs[output] : TensorSpec(.float32, .unknown)
    }
    public var dtype: DType { spec.dtype }
    /// What is known of the shape.
    public var shape: Shape { spec.shape }
    /// The Variable whose memory this node stands for: the Variable itself, what passes its handle on, or the reference that
    /// an update yields (`assign_sub(assign_add(v, 1), 2)` writes `v` twice).
    package var variable: Vertex? {
        if vertex.operation.isVariable { return vertex }
        return vertex.passed.indices.contains(output) ? vertex.passed[output] : nil
    }

    /// Whether this is a Variable's memory rather than a value.
    var isReference: Bool {
        var node = self
        while node.vertex.operation.passesHandles, let first = node.vertex.inputs.first { node = first }
        let outputs = node.vertex.operation.signature.outputs
        return outputs.indices.contains(node.output)
            ? outputs[node.output].isReference : outputs.contains { $0.isReference }
    }

    /// What is wrong with a node that no output of its vertex is; nil for all others.
    var mistake: GraphError? {
        let count = vertex.outputs.count
        if output >= 0, output < max(count, 1) { return nil }
        return GraphError(
            "output \(output) of '\(vertex.name)', which has \(count)", node: vertex.name, location: vertex.location)
    }

    /// The value, where it is known while building.
    package var constant: Tensor? { vertex.constants.indices.contains(output) ? vertex.constants[output] : nil }

    public static func == (a: Node, b: Node) -> Bool { a.vertex === b.vertex && a.output == b.output }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(vertex))
        hasher.combine(output)
    }

    public var description: String { "\(name) \(spec)" }
}

extension Operation {
    /// The input whose memory an output is, as a handle or as a reference that can be written.
    fileprivate static func memoryInput(of output: Int, _ dtype: DType) -> Int? {
        if passesHandles { return 0 }
        guard let input = aliases[output] else { return nil }
        return dtype == .resource || writes.contains(input) ? input : nil
    }
}

/// Whatever can stand as an input of an operation: a `Node`, or a `Variable`, which stands for its value.
public protocol Operand: TensorOperand {
    var node: Node { get }
}

extension Node: Operand {
    public var node: Node { self }
}

extension Vertex: CustomStringConvertible {
    /// The operation, the name, the inputs and the outputs: "MatMul 'y' (x:0, w/read:0) -> float32[?, 1]".
    public var description: String {
        let taken = (inputs.map(\.name) + controls.map { "^\($0.name)" }).joined(separator: ", ")
        let given = outputs.map(\.description).joined(separator: ", ")
        let text = "\(operation.name) '\(name)'\(taken.isEmpty ? "" : " (\(taken))")"
        return text + (given.isEmpty ? "" : " -> \(given)")
    }
}
