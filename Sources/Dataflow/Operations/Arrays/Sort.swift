/// The elements along `axis` in rising order, or falling where `descending`; TensorFlow's `tf.sort`.
public func sort(
    _ x: any Operand, axis: Int = -1, descending: Bool = false, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { x.node.graph.located(file, line) { ordered(x.node, axis, descending, name).values } }

/// Where the elements along `axis` stand that `sort` puts in order, int32; TensorFlow's `tf.argsort`.
public func argSort(
    _ x: any Operand, axis: Int = -1, descending: Bool = false, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { x.node.graph.located(file, line) { ordered(x.node, axis, descending, name).indices } }

private func ordered(_ x: Node, _ axis: Int, _ descending: Bool, _ name: String?) -> (values: Node, indices: Node) {
    var order = x.shape.rank.map { Array(0..<$0) } ?? []
    var isLast = axis == -1
    if let rank = x.shape.rank, let own = try? normalize([axis], rank: rank)[0] {
        order.swapAt(own, rank - 1)
        isLast = own == rank - 1
    } else if !isLast {
        let mistake = GraphError("the axis \(axis) is not known to be one of \(x)")
        let node = mistaken(mistake.at("sort", x.vertex.location), in: x.graph)
        return (node, node)
    }
    let rows = isLast ? x : transpose(x, permutation: order)
    let top = apply(TopKV2.self, [rows, dimension(shape(rows), -1)]).vertex
    let parts = [top.output(0), top.output(1)].map { part in
        let rising = descending ? part : reverse(part, axis: -1)
        return isLast ? identity(rising, name: name) : transpose(rising, permutation: order, name: name)
    }
    return (parts[0], parts[1])
}
