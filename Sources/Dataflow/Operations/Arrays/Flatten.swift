/// `x` with its dimensions from `axis` on in one: of a batch of images, [batch, height, width, channels], a matrix of
/// [batch, height · width · channels]; TensorFlow's `tf.layers.flatten`. With `from: 0` a vector of all elements.
///
/// - Parameter axis: the first dimension that goes into the one; below 0 counted from the end. With 1 a vector becomes
///   [count, 1].
public func flatten(
    _ x: any Operand, from axis: Int = 1, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let x = x.node
    return x.graph.located(file, line) {
        if let extents = x.shape.dimensions {
            let first = axis < 0 ? axis + extents.count : axis
            guard extents.indices.contains(first) || first == extents.count else {
                let mistake = GraphError("the axis \(axis) is beyond the rank \(extents.count) of \(x)")
                return mistaken(mistake.at("flatten", SourceLocation(file: file, line: line)), in: x.graph)
            }
            let (kept, flat) = (extents[..<first], Shape(Array(extents[first...])).elementCount)
            // One extent may be left open, if it follows from the others.
            if (kept + [flat]).count(where: { $0 == nil }) <= 1, !(kept + [flat]).contains(0) {
                return reshape(x, (kept + [flat]).map { $0 ?? -1 }, name: name)
            }
        }
        let kept = stridedSlice(shape(x), begin: [0], end: [axis])
        let flat = prod(stridedSlice(shape(x), begin: [axis], end: [0], endMask: 1), keepDims: true)
        return reshape(x, concat([kept, flat], axis: 0), name: name)
    }
}
