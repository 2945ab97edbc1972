/// Adds an operation over operands of one graph: what every public function over nodes is made of.
///
/// - Parameter inputs: nodes, Variables, and Swift values, which become constants of their own type (see `applyAlike`).
@inline(never)
func apply(
    _ operation: any Operation.Type, _ inputs: [any TensorOperand], _ attributes: Attributes = [:], _ name: String?,
    _ file: StaticString, _ line: UInt
) -> Node {
    let location = SourceLocation(file: file, line: line)
    guard let graph = firstNode(inputs)?.graph else { return lost(operation, inputs.isEmpty, location) }
    let nodes = inputs.map { node($0, in: graph, location) }
    return graph.add(operation, nodes, attributes, name: name, location: location).node
}

/// As `apply`, for inputs that have one dtype: Swift values take that of the first node.
@inline(never)
func applyAlike(
    _ operation: any Operation.Type, _ inputs: [any TensorOperand], _ name: String?, _ file: StaticString, _ line: UInt
) -> Node {
    guard let model = firstNode(inputs) else { return apply(operation, inputs, [:], name, file, line) }
    let location = SourceLocation(file: file, line: line)
    return apply(operation, inputs.map { node($0, like: model, in: model.graph, location) }, [:], name, file, line)
}

/// As `apply`, for operations of several outputs.
func applyAll(
    _ operation: any Operation.Type, _ inputs: [any TensorOperand], _ attributes: Attributes = [:], _ name: String?,
    _ file: StaticString, _ line: UInt
) -> [Node] {
    let vertex = apply(operation, inputs, attributes, name, file, line).vertex
    return vertex.outputs.indices.map(vertex.output)
}

/// Adds an operation with the location of its first input, for operators and gradients.
@inline(never)
func apply(_ operation: any Operation.Type, _ inputs: [any Operand], _ attributes: Attributes = [:]) -> Node {
    let nodes = inputs.map(\.node)
    return nodes[0].graph.add(operation, nodes, attributes).node
}

/// The first of the operands that has a graph.
func firstNode(_ operands: [any TensorOperand]) -> Node? {
    for operand in operands {
        if let node = operand as? Node { return node }
        if let operand = operand as? any Operand { return operand.node }
    }
    return nil
}

/// An operand as a node: a Swift value becomes a constant of its own type, or of the dtype of `model`.
func node(
    _ operand: any TensorOperand, like model: Node? = nil, in graph: Graph, _ location: SourceLocation?
) -> Node {
    if let node = operand as? Node { return node }
    if let operand = operand as? any Operand { return operand.node }
    if let value = operand as? any TensorConvertible { return constant(value, like: model, in: graph, location) }
    return mistaken(
        GraphError("a \(type(of: operand)) is neither a node nor a value").at("Const", location), in: graph)
}

/// A Swift value as a constant of its own type, or of the dtype of `model`.
private func constant(
    _ value: any TensorConvertible, like model: Node?, in graph: Graph, _ location: SourceLocation?
) -> Node {
    // The model's mistake has its error already.
    if let model, model.vertex.error != nil { return model }
    do {
        // A literal comes as a Double, which may have rounded it.
        if let number = value as? Double, model?.dtype == .int64, number.isFinite, Swift.abs(number) > 0x1p53 {
            throw GraphError("\(number) may have been rounded, give it as an Int")
        }
        var tensor = try value.tensor()
        if let number = value as? Double, model?.dtype.isFloating == false, let whole = Int64(exactly: number) {
            tensor = Tensor(whole)
        }
        if let model { tensor = try tensor.converted(to: model.dtype) }
        let attributes: Attributes = ["dtype": .type(tensor.dtype), "value": .tensor(tensor)]
        return graph.add(Const.self, [], attributes, location: location).node
    } catch {
        var message = (error as? GraphError)?.message ?? "\(error)"
        if let model { message += ": \(model.name) is \(model.spec); use cast()" }
        return mistaken(GraphError(message).at(model?.vertex.name ?? "Const", location), in: graph)
    }
}

/// A node that stands for a mistake of the caller's.
func mistaken(_ mistake: GraphError, in graph: Graph) -> Node {
    (graph.openBody ?? graph).insert(NoOp.self, [], location: mistake.location, mistake: mistake).node
}

/// A number as a scalar constant of the operand's dtype. That an integer dtype cannot hold it is a mistake of the graph.
func scalar(_ value: Double, like x: any Operand) -> Node {
    constant(value, like: x.node, in: x.node.graph, x.node.vertex.location)
}

extension Graph {
    /// A number as a scalar constant of a dtype that the caller named: one that holds no such number is a mistake.
    func number(_ value: Double, _ dtype: DType, _ location: SourceLocation? = nil) -> Node {
        do {
            let tensor = try Tensor(value).converted(to: dtype)
            let attributes: Attributes = ["dtype": .type(dtype), "value": .tensor(tensor)]
            return add(Const.self, [], attributes, location: location).node
        } catch {
            return mistaken((error as? GraphError ?? GraphError("\(error)")).at("Const", location), in: self)
        }
    }
}

/// A node that stands for an operation over no node at all, and so in no graph: what uses it reports its mistake.
private func lost(_ operation: any Operation.Type, _ isEmpty: Bool, _ location: SourceLocation?) -> Node {
    let what = isEmpty ? "has no inputs" : "has only numbers for inputs"
    let mistake = GraphError("it \(what); one of them must be a node, which tells the graph")
    return mistaken(mistake.at(operation.name, location), in: Graph())
}

/// For operators: the Swift value becomes a constant of the node's dtype, with the node's location.
@inline(never)
func alike(_ x: any Operand, _ y: any TensorConvertible) -> [any Operand] {
    [x, constant(y, like: x.node, in: x.node.graph, x.node.vertex.location)]
}

@inline(never)
func alike(_ x: any TensorConvertible, _ y: any Operand) -> [any Operand] { alike(y, x).reversed() }
