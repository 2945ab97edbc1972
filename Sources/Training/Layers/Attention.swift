public import Dataflow

/// Multi-head self-attention, softmax(Q Kᵀ / √size) V for each head: Vaswani et al., "Attention is all you need" (2017),
/// section 3.2; TensorFlow's `tf.keras.layers.MultiHeadAttention` of a sequence with itself.
///
/// Its input is floating, [batch, time, width] with time and width known; its output has that shape. It has the
/// dense layers "<name>/query", "<name>/key", "<name>/value" and "<name>/output", each [width, width] with a bias; head h has
/// columns h · size to (h + 1) · size.
public struct MultiHeadAttention: Layer {
    public let heads: Int
    public let causal: Bool
    public let initializer: Initializer
    public let weights: LayerWeights

    /// - Parameters:
    ///   - heads: a divisor of width; each head has width / heads numbers.
    ///   - causal: whether a step sees itself and those before it alone.
    public init(
        heads: Int, causal: Bool = false, initializer: Initializer = .glorotUniform,
        name: String = "multi_head_attention"
    ) {
        self.heads = heads
        self.causal = causal
        self.initializer = initializer
        weights = LayerWeights(name: name)
    }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard x.shape.rank == 3, let time = x.shape[1], let width = x.shape[2], heads > 0, width > 0,
            width % heads == 0
        else {
            if x.vertex.error == nil {
                call.recordMistake(
                    "attention needs [batch, time, width] with a known time and a width that \(heads) heads divide,"
                        + " got \(x)")
            }
            return x
        }
        let size = width / heads
        let rows = reshape(x, [-1, width])
        let project = { (rows: Node, name: String) in
            call.output(of: call.layer(name) { Dense(units: width, initializer: initializer, name: name) }, over: rows)
        }
        // [batch · time, width] → [batch, heads, time, size]
        let inputs = ["query", "key", "value"].map {
            transpose(reshape(project(rows, $0), [-1, time, heads, size]), permutation: [0, 2, 1, 3])
        }
        var scores = matmul(inputs[0] * (1 / Double(size).squareRoot()), inputs[1], transposeB: true)
        if causal { scores = scores + futureMask(x.graph, time, x.dtype) }
        let mixed = matmul(softmax(scores), inputs[2])
        let joined = reshape(transpose(mixed, permutation: [0, 2, 1, 3]), [-1, width])
        return reshape(project(joined, "output"), [-1, time, width])
    }
}

/// Multi-head self-attention over `x`; `MultiHeadAttention(heads: heads)(x)`.
///
/// - Parameters:
///   - x: floating, [batch, time, width] with time and width known.
///   - heads: a divisor of width; each head has width / heads numbers.
///   - causal: whether a step sees itself and those before it alone.
/// - Returns: of the shape of `x`.
public func attention(
    _ x: any Operand, heads: Int, causal: Bool = false, initializer: Initializer = .glorotUniform,
    name: String = "attention", file: StaticString = #fileID, line: UInt = #line
) -> Node {
    MultiHeadAttention(heads: heads, causal: causal, initializer: initializer, name: name)(x, file: file, line: line)
}

/// [time, time]: 0 where a step may look, far below any score where it may not.
private func futureMask(_ graph: Graph, _ time: Int, _ dtype: DType) -> Node {
    let values = (0..<time).flatMap { step in (0..<time).map { $0 <= step ? 0 : -1e9 } }
    return graph.constant(.numbers(values, dtype: dtype, sized: [time, time]))
}
