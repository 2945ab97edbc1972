public import Dataflow

/// x + layer(x): He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2015). What the layer learns is the
/// difference, and the gradient passes undiminished beside it.
///
/// - Parameter layer: yields a node of the shape of `x`; another shape is a mistake of the graph, not broadcast.
/// - Returns: of the shape of `x`.
public func residual(
    _ x: any Operand, name: String = "residual", file: StaticString = #fileID, line: UInt = #line,
    _ layer: (Node) -> Node
) -> Node {
    let input = x.node
    return input.graph.scope(name) {
        let change = layer(input)
        guard change.shape.isCompatible(with: input.shape) else {
            input.graph.recordMistake(
                "a residual layer must keep the shape \(input.shape), got \(change.shape)", at: name, file: file,
                line: line)
            return input
        }
        return add(input, change, file: file, line: line)
    }
}
