/// Adds an operation over operands of one graph: what every public function over nodes is made of.
@inline(never)
func apply(
    _ operation: any Operation.Type, _ inputs: [any Operand], _ attributes: Attributes = [:], _ name: String?,
    _ file: StaticString, _ line: UInt
) -> Node {
    let nodes = inputs.map(\.node)
    guard let graph = nodes.first?.graph else {
        preconditionFailure("\(operation.name) has no input to tell its graph")
    }
    return graph.add(operation, nodes, attributes, name: name, location: SourceLocation(file: file, line: line)).node
}

/// Adds an operation with the place of its first input, for operators and gradients.
@inline(never)
func apply(_ operation: any Operation.Type, _ inputs: [any Operand], _ attributes: Attributes = [:]) -> Node {
    let nodes = inputs.map(\.node)
    return nodes[0].graph.add(operation, nodes, attributes).node
}
