internal import Dataflow

/// What lies between the rows of a gradient and a write of rows: operations on each row by itself, and the sum of rows that
/// are named twice.
///
/// Example: a gradient's rows are scaled by a clipping factor, those of one index are added up (`Unique`,
/// `UnsortedSegmentSum`), and their squares are scattered into a slot.
struct RowChain {
    let writer: Vertex
    /// From what the write takes up to the gradient's rows.
    private(set) var path: [Node]
    /// What finds the distinct rows, and the sum over them, if they are between.
    private(set) var distinct: (unique: Vertex, sum: Vertex)?

    /// - Parameters:
    ///   - values: what the write takes.
    ///   - gradients: nodes that are known to be gradients of a loss.
    ///   - varies: whether the number of rows depends on the examples.
    init(_ writer: Vertex, _ values: Node, gradients: Set<Node>, varies: (Node) -> Bool) {
        self.writer = writer
        path = [values]
        while let last = path.last, !gradients.contains(last), let before = before(last.vertex, varies) {
            path.append(before)
        }
    }

    /// The vertices below the gradient's rows.
    var members: [Vertex] { path.dropLast().map(\.vertex) }

    /// Those that work on rows before the ones of one index are added up, from the gradient to the last that is not linear.
    var early: [Vertex] {
        let start = path.firstIndex { $0.vertex === distinct?.sum }.map { $0 + 1 } ?? 0
        guard start < path.count else { return [] }
        let rest = path[start...].dropLast()
        let rows = Set(path)
        let last = rest.firstIndex { node in
            let values = node.vertex.inputs.indices.filter { rows.contains(node.vertex.inputs[$0]) }
            return !LinearOperations.isLinear(node.vertex, in: Set(values))
        }
        return last.map { rest[$0...].map(\.vertex) } ?? []
    }

    /// The one input that has the rows; nil where the operation makes them of something else.
    private mutating func before(_ vertex: Vertex, _ varies: (Node) -> Bool) -> Node? {
        if vertex.operation == Identity.self { return vertex.inputs[0] }
        if vertex.operation == UnsortedSegmentSum.self, distinct == nil,
            vertex.inputs[1].vertex.operation.name.hasPrefix("Unique")
        {
            distinct = (vertex.inputs[1].vertex, vertex)
            return vertex.inputs[0]
        }
        guard vertex.operation is any ElementwiseOperation.Type else { return nil }
        let rows = Set(vertex.inputs.filter(varies))
        return rows.count == 1 ? rows.first : nil
    }

    /// Where the rows are pushed, and which rows they are: above all that servers run.
    func push(onServers: Set<Int>) -> (values: Node, indices: Node) {
        let values = path.first { !onServers.contains($0.vertex.id) } ?? path[path.count - 1]
        if let distinct, onServers.contains(distinct.sum.id) { return (values, distinct.unique.inputs[0]) }
        return (values, writer.inputs[RowUpdate.inputs(of: writer)!.indices])
    }
}
