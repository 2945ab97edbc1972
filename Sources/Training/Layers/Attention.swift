public import Dataflow

/// Multi-head self-attention, softmax(Q Kᵀ / √size) V for each head: Vaswani et al., "Attention is all you need" (2017),
/// section 3.2; TensorFlow's `tf.keras.layers.MultiHeadAttention` of a sequence with itself.
///
/// Makes the dense layers "<name>/query", "<name>/key", "<name>/value" and "<name>/output", each [width, width] with a bias;
/// head h has columns h · size to (h + 1) · size.
///
/// - Parameters:
///   - x: floating, [batch, time, width], of which time and width are known.
///   - heads: a divisor of width; each head has width / heads numbers.
///   - causal: whether a step sees itself and those before it alone.
/// - Returns: of the shape of `x`.
public func attention(
    _ x: any Operand, heads: Int, causal: Bool = false, initializer: Initializer = .glorotUniform,
    name: String = "attention", file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        guard input.shape.rank == 3, let time = input.shape[1], let width = input.shape[2], heads > 0,
            width > 0, width % heads == 0
        else {
            if input.vertex.error == nil {
                graph.recordMistake(
                    "attention needs [batch, time, width] with a known time and a width that \(heads) heads divide,"
                        + " got \(input)", at: name, file: file, line: line)
            }
            return input
        }
        let size = width / heads
        let rows = reshape(input, [-1, width])
        let project = { (rows: Node, name: String) in
            dense(rows, units: width, initializer: initializer, name: name, file: file, line: line)
        }
        // [batch · time, width] → [batch, heads, time, size]
        let parts = ["query", "key", "value"].map {
            transpose(reshape(project(rows, $0), [-1, time, heads, size]), permutation: [0, 2, 1, 3])
        }
        var scores = matmul(parts[0] * (1 / Double(size).squareRoot()), parts[1], transposeB: true)
        if causal { scores = scores + futureMask(graph, time, input.dtype) }
        let mixed = matmul(softmax(scores), parts[2])
        let joined = reshape(transpose(mixed, permutation: [0, 2, 1, 3]), [-1, width])
        return reshape(project(joined, "output"), [-1, time, width])
    }
}

/// [time, time]: 0 where a step may look, far below any score where it may not.
private func futureMask(_ graph: Graph, _ time: Int, _ dtype: DType) -> Node {
    let values = (0..<time).flatMap { step in (0..<time).map { $0 <= step ? 0 : -1e9 } }
    return graph.constant(.numbers(values, dtype: dtype, sized: [time, time]))
}
