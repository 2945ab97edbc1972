public import Dataflow

/// The rows of a learnt table that `indices` name: Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic language
/// model" (2003); TensorFlow's `tf.keras.layers.Embedding`.
///
/// Makes the Variable "<name>/embeddings" [count, width].
///
/// - Parameters:
///   - indices: int32 or int64 of any shape, each in 0..<count; others are thrown by the run.
///   - count: rows of the table.
///   - width: numbers of a row.
///   - dtype: float32 or float64.
/// - Returns: the shape of `indices`, then `width`.
public func embedding(
    _ indices: any Operand, count: Int, width: Int, initializer: Initializer = .uniform(), dtype: DType = .float32,
    name: String = "embedding", file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let graph = indices.node.graph
    return graph.scope(name) {
        guard count > 0, width > 0 else {
            graph.recordMistake(
                "an embedding needs at least one row and one column, got \(count) and \(width)", at: name, file: file,
                line: line)
            return indices.node
        }
        let table = graph.variable(
            initializer.node(in: graph, shape: [count, width], dtype: dtype), name: "embeddings", file: file,
            line: line)
        return gather(table, indices, file: file, line: line)
    }
}
