/// The mean square of the distance from the mean over `axis` or `axes` (all by default); TensorFlow's
/// `tf.math.reduce_variance`, numpy's `var`.
public func variance(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        let middle = mean(x, axis: axis, axes: axes, keepDims: true)
        return mean(squaredDifference(x, middle), axis: axis, axes: axes, keepDims: keepDims, name: name)
    }
}

/// The standard deviation over `axis` or `axes` (all by default), the root of `variance`; TensorFlow's
/// `tf.math.reduce_std`, numpy's `std`.
public func std(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) {
        sqrt(variance(x, axis: axis, axes: axes, keepDims: keepDims), name: name)
    }
}
