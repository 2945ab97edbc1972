/// `ExpandDims`: the same elements with a dimension of 1 put in.
public enum ExpandDims: Operation {
    public static let signature = Signature(
        ["input": "T", "dim": "Tdim"], to: ["output": "T"], types: ["T": DType.moved, "Tdim": DType.indices])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard var dimensions = node.shape(0).dimensions else { return [.unknown] }
        guard let axes = node.integers(1) else { return [.unknown(rank: dimensions.count + 1)] }
        guard axes.count == 1, let axis = axes.first else { throw GraphError("'dim' must be one number, got \(axes)") }
        let position = try normalize([axis], rank: dimensions.count + 1)[0]
        dimensions.insert(1, at: position)
        return [Shape(dimensions)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [reshape(node.upstream(), shape(node.input(0))), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// The elements of `x` with a dimension of 1 put in at `axis`; TensorFlow's `tf.expand_dims`.
public func expandDims(
    _ x: any Operand, axis: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(ExpandDims.self, [x, Tensor.small(axis)], [:], name, file, line) }
