extension Operand {
    /// A part of a node, as numpy writes it: `x[0]`, `x[1..<3]`, `x[-1]`, `x[..., 0]`, `x[.newAxis]`, `x[0, 1..<3, ...]`,
    /// `x[.range(from: 1, to: -1, step: 2)]`; TensorFlow's `StridedSlice`.
    ///
    /// An Int takes one index and its dimension away, a range keeps a part of the dimension, `...` stands for all dimensions
    /// that are not named, `.newAxis` puts a dimension of 1 in. What is below 0 counts from the end. A range is cut to the
    /// dimension; a single index beyond it is a mistake of the graph, or of the run where the dimension is not known before.
    public subscript<each Index: TensorIndexConvertible>(
        indices: repeat each Index, file file: StaticString = #fileID, line line: UInt = #line
    ) -> Node {
        part(of: node, TensorIndex.list(repeat each indices), file, line)
    }

    // Swift's `...` is no value that a protocol could take in, so there is a form for each position that it may have.

    public subscript<each Index: TensorIndexConvertible>(
        ellipsis: UnboundedRange, indices: repeat each Index, file file: StaticString = #fileID, line line: UInt = #line
    ) -> Node {
        part(of: node, [.ellipsis] + TensorIndex.list(repeat each indices), file, line)
    }

    public subscript<each Index: TensorIndexConvertible>(
        first: some TensorIndexConvertible, ellipsis: UnboundedRange, indices: repeat each Index,
        file file: StaticString = #fileID, line line: UInt = #line
    ) -> Node {
        part(of: node, [first.tensorIndex, .ellipsis] + TensorIndex.list(repeat each indices), file, line)
    }

    public subscript<each Index: TensorIndexConvertible>(
        first: some TensorIndexConvertible, second: some TensorIndexConvertible, ellipsis: UnboundedRange,
        indices: repeat each Index, file file: StaticString = #fileID, line line: UInt = #line
    ) -> Node {
        let indices = [first.tensorIndex, second.tensorIndex, .ellipsis] + TensorIndex.list(repeat each indices)
        return part(of: node, indices, file, line)
    }

    public subscript<each Index: TensorIndexConvertible>(
        first: some TensorIndexConvertible, second: some TensorIndexConvertible, third: some TensorIndexConvertible,
        ellipsis: UnboundedRange, indices: repeat each Index, file file: StaticString = #fileID, line line: UInt = #line
    ) -> Node {
        let indices =
            [first.tensorIndex, second.tensorIndex, third.tensorIndex, .ellipsis]
            + TensorIndex.list(repeat each indices)
        return part(of: node, indices, file, line)
    }

    /// The slices along the first dimension that a node names: of an integer node those of its indices, as `gather`, of a
    /// bool node those where it is true, as `booleanMask`.
    public subscript(index: any Operand, file file: StaticString = #fileID, line line: UInt = #line) -> Node {
        index.node.dtype == .bool
            ? booleanMask(self, index, file: file, line: line) : gather(self, index, file: file, line: line)
    }
}

private func part(of x: Node, _ indices: [TensorIndex], _ file: StaticString, _ line: UInt) -> Node {
    let slice = TensorSlice(indices)
    return apply(
        StridedSlice.self, [x] + sameWidth([slice.begin, slice.end, slice.strides]), slice.attributes, nil, file, line)
}
