/// `Roll`: the elements moved on by `shift` places along `axis`, those that leave at the end coming back at the start; several
/// shifts along several axes at once.
public enum Roll: Operation {
    public static let signature = Signature(
        ["input": "T", "shift": "Tshift", "axis": "Taxis"], to: ["output": "T"],
        types: ["T": DType.moved, "Tshift": DType.indices, "Taxis": DType.indices])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let shifts = node.shape(1).merged(with: node.shape(2)), shifts.rank ?? 0 <= 1 else {
            throw GraphError(
                "'shift' and 'axis' must be scalars or vectors of one length, got \(node.shape(1)) and \(node.shape(2))"
            )
        }
        if let rank = node.shape(0).rank, let axes = node.integers(2) { _ = try normalize(axes, rank: rank) }
        return [node.shape(0)]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(Roll.self, [node.upstream(), -node.input(1), node.input(2)]), nil, nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1, 2]) { binding in
            let extents = binding.inputs[0].shape.knownExtents
            guard !extents.contains(0) else { return { _ in } }
            var shifts = [Int](repeating: 0, count: extents.count)
            for (axis, shift) in zip(try normalize(binding.integers(2), rank: extents.count), try binding.integers(1)) {
                let moved = (shifts[axis] + shift % extents[axis]) % extents[axis]
                shifts[axis] = moved < 0 ? moved + extents[axis] : moved
            }
            let strides = binding.inputs[0].shape.strides
            // Along each axis that moves there are two blocks: what stays in order, and what comes back at the start.
            var blocks: [(extents: [Int], from: Int, to: Int)] = [(extents, 0, 0)]
            for (axis, shift) in shifts.enumerated() where shift != 0 {
                blocks = blocks.flatMap { block -> [(extents: [Int], from: Int, to: Int)] in
                    var (first, second) = (block, block)
                    first.extents[axis] = extents[axis] - shift
                    first.to += shift * strides[axis]
                    second.extents[axis] = shift
                    second.from += (extents[axis] - shift) * strides[axis]
                    return [first, second]
                }
            }
            let copies = blocks.map {
                StridedCopy($0.extents, from: strides, to: strides, fromOffset: $0.from, toOffset: $0.to)
                    .kernel(binding)
            }
            return { memory in for copy in copies { try copy(memory) } }
        }
    }
}

/// The elements of `x` moved on by `shifts` places along `axes`, around the end; TensorFlow's `tf.roll`.
public func roll(
    _ x: any Operand, shifts: [Int], axes: [Int], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(Roll.self, [x, Tensor.small(shifts), Tensor.small(axes)], [:], name, file, line)
}

/// The elements moved `shift` places on along `axis`, those at the end to the beginning; TensorFlow's `tf.roll`.
public func roll(
    _ x: any Operand, shift: Int, axis: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { roll(x, shifts: [shift], axes: [axis], name: name, file: file, line: line) }
