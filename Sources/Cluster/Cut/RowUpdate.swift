internal import Dataflow

/// An update of rows that workers compute and servers make.
///
/// How many rows a step touches is known only in the step, but the bytes of a push are agreed at join. So workers push the
/// rows added into a tensor of the Variable's shape, and for each row how often it was touched; servers take from these
/// the rows that were. Rows that are named twice come to them added up, as TensorFlow's optimizers give them. In a
/// synchronous step both are averaged as gradients of whole Variables are.
struct RowUpdate: Sendable {
    /// What the write takes in the graph: rows, and which rows they are.
    let values: Node
    let indices: Node
    /// What is pushed in their place, by key.
    let dense: Int
    let count: Int
    /// Rows of the Variable.
    let extent: Int

    /// Which inputs of a write of rows are the rows and their indices; nil for other operations.
    static func inputs(of vertex: Vertex) -> (values: Int, indices: Int)? {
        let operation = vertex.operation
        if operation is any SparseUpdate.Type {
            return operation.signature.inputs.firstIndex { $0.name == "indices" }.map { ($0 - 1, $0) }
        }
        let scatters: [any Operation.Type] = [
            ScatterAdd.self, ScatterSub.self, ResourceScatterAdd.self, ResourceScatterSub.self,
        ]
        return scatters.contains { $0 == operation } ? (2, 1) : nil
    }

    /// Adds to a worker's graph what is pushed for `writer`, and notes it; or finds what was added before.
    static func add(
        _ writer: Vertex, _ values: Node, _ indices: Node, to rows: inout [RowUpdate], _ pushed: inout [Int: Node]
    ) throws -> RowUpdate {
        let known = writer.inputs[0].variable?.variableSpec?.shape.dimensions?.first ?? nil
        if let same = rows.first(where: { $0.values == values && $0.indices == indices && $0.extent == known }) {
            return same
        }
        guard values.dtype.isFloating, values.shape.rank != 0, let variable = writer.inputs[0].variable?.variableSpec,
            let extent = variable.shape.dimensions?.first ?? nil, !rows.contains(where: { $0.values == values })
        else {
            throw GraphError(
                "servers take updates of rows with a floating number for each element, and each with indices of its own",
                node: writer.name)
        }
        let graph = values.graph
        let (dense, count) = graph.device(values.vertex.device) {
            let segments = graph.constant(Int32(truncatingIfNeeded: extent))
            func sum(_ rows: Node, _ name: String) -> Node {
                graph.add(UnsortedSegmentSum.self, [rows, indices, segments], name: "\(writer.name)/\(name)").node
            }
            let known = rows.first { $0.indices == indices && $0.extent == extent }
            return (
                sum(values, "pushed_rows"),
                known.map { pushed[$0.count]! } ?? sum(cast(onesLike(indices), to: values.dtype), "pushed_counts")
            )
        }
        let key = pushed.first { $0.value == count }?.key ?? pushed.count
        pushed[key] = count
        let row = RowUpdate(values: values, indices: indices, dense: pushed.count, count: key, extent: extent)
        rows.append(row)
        pushed[pushed.count] = dense
        return row
    }
}
