public import Dataflow

/// The rows of a learnt table that indices name: Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic language
/// model" (2003); TensorFlow's `tf.keras.layers.Embedding`.
///
/// Its input is int32 or int64 of any shape, each in 0..<count (others are thrown by the run); its output has that shape,
/// then `width`. Its Variable is "<name>/embeddings" [count, width].
public struct Embedding: Layer {
    public let count: Int
    public let width: Int
    public let initializer: Initializer
    public let dtype: DType
    public let weights: LayerWeights

    /// - Parameters:
    ///   - count: rows of the table.
    ///   - width: numbers of a row.
    ///   - dtype: float32 or float64.
    public init(
        count: Int, width: Int, initializer: Initializer = .uniform(), dtype: DType = .float32,
        name: String = "embedding"
    ) {
        self.count = count
        self.width = width
        self.initializer = initializer
        self.dtype = dtype
        weights = LayerWeights(name: name)
    }

    /// [count, width].
    public var embeddings: Variable { weights["embeddings"] }

    public func output(of indices: Node, in call: LayerCall) -> Node {
        guard count > 0, width > 0 else {
            call.recordMistake("an embedding needs at least one row and one column, got \(count) and \(width)")
            return indices
        }
        return gather(
            call.variable("embeddings", shape: [count, width], dtype: dtype, initializer: initializer), indices)
    }
}

/// The rows of a learnt table that `indices` name; `Embedding(count: count, width: width)(indices)`.
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
    Embedding(count: count, width: width, initializer: initializer, dtype: dtype, name: name)(
        indices, file: file, line: line)
}
