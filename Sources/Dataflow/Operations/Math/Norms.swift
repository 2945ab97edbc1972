/// `x` divided by its Euclidean norm over `axis` or `axes` (all by default); TensorFlow's `tf.math.l2_normalize`.
/// - Parameter epsilon: the least square of the norm that is divided by.
public func l2Normalize(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, epsilon: Double = 1e-12, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        let squares = sum(square(x), axis: axis, axes: axes, keepDims: true)
        return mul(x, rsqrt(maximum(squares, epsilon)), name: name)
    }
}

/// `x` made shorter, where its Euclidean norm over `axis` or `axes` (all by default) is above `norm`, to that norm;
/// TensorFlow's `tf.clip_by_norm`.
public func clipByNorm(
    _ x: any Operand, norm: Double, axis: Int? = nil, axes: [Int]? = nil, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        let squares = sum(square(x), axis: axis, axes: axes, keepDims: true)
        // Of zeros the root has no derivative.
        let isSome = greater(squares, 0)
        let length = select(isSome, sqrt(select(isSome, squares, 1)), squares)
        return div(x * norm, maximum(length, norm), name: name)
    }
}
