/// The logarithm of the sum of e^x over `axis` or `axes` (all by default), exact for large and small x; TensorFlow's
/// `tf.reduce_logsumexp`.
public func logSumExp(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        let largest = stopGradient(max(x, axis: axis, axes: axes, keepDims: true))
        // Infinities would take away from themselves.
        let shift = select(isFinite(largest), largest, 0)
        let total = log(sum(exp(x - shift), axis: axis, axes: axes, keepDims: keepDims))
        return add(total, keepDims ? shift : reshape(shift, shape(total)), name: name)
    }
}
