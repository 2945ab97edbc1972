/// `ReverseV2`: the elements in the opposite order along some axes.
public enum ReverseV2: Operation {
    public static let signature = Signature(
        ["tensor": "T", "axis": "Tidx"], to: ["output": "T"], types: ["T": DType.all, "Tidx": DType.indices])
    public static func infer(_ node: Inference) throws -> [Shape] {
        if let rank = node.shape(0).rank, let axes = node.integers(1) {
            let positions = try normalize(axes, rank: rank)
            guard Set(positions).count == positions.count else {
                throw GraphError("each axis may be named once, got \(axes)")
            }
        }
        return [node.shape(0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(ReverseV2.self, [node.upstream(), node.input(1)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            let shape = binding.inputs[0].shape
            var strides = shape.strides
            var offset = 0
            for axis in try normalize(binding.integers(1), rank: strides.count) {
                offset += (shape.concrete[axis] - 1) * strides[axis]
                strides[axis] = -strides[axis]
            }
            return StridedCopy(shape.concrete, from: strides, fromOffset: offset).kernel(binding)
        }
    }
}

/// The elements of `x` in the opposite order along `axes`; TensorFlow's `tf.reverse`.
public func reverse(
    _ x: any Operand, axes: [Int], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(ReverseV2.self, [x, x.node.graph.constant(axes.map { Int32($0) })], [:], name, file, line)
}
