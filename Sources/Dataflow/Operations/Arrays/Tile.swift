/// `Tile`: the input repeated `multiples[i]` times along each dimension i.
public enum Tile: Operation {
    public static let signature = Signature(
        ["input": "T", "multiples": "Tmultiples"], to: ["output": "T"],
        types: ["T": DType.moved, "Tmultiples": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        guard let multiples = node.integers(1) else { return [shape.rank.map(Shape.unknown(rank:)) ?? .unknown] }
        guard shape.rank ?? multiples.count == multiples.count, multiples.allSatisfy({ $0 >= 0 }) else {
            throw GraphError(
                "'multiples' must hold a number of at least 0 for each dimension of the shape \(shape), got \(multiples)"
            )
        }
        return [Shape(multiples.enumerated().map { i, times in shape[i].map { $0 * times } })]
    }
    /// The sum over the repetitions.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (x, multiples) = (node.input(0), node.input(1))
        let pairs = reshape(stack([multiples, shape(x, as: multiples.dtype)], axis: 1), [-1])
        let parts = reshape(node.upstream(), pairs)
        let axes: Node
        if let rank = x.shape.rank {
            guard rank > 0 else { return [node.upstream(), nil] }
            axes = node.graph.constant((0..<rank).map { Int32(2 * $0) })
        } else {
            let graph = node.graph
            axes = apply(
                RangeOperation.self, [graph.constant(Int32(0)), size(pairs), graph.constant(Int32(2))])
        }
        return [reshape(apply(Sum.self, [parts, axes]), shape(x)), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try copy(binding).kernel(binding) }

    fileprivate static func copy(_ binding: KernelBinding) throws -> StridedCopy {
        let shape = binding.inputs[0].shape
        var extents: [Int] = []
        var from: [Int] = []
        for (i, times) in try binding.integers(1).enumerated() {
            extents += [times, shape.knownExtents[i]]
            from += [0, shape.strides[i]]
        }
        return StridedCopy(extents, from: from)
    }
}

extension Tile: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try copy(binding).gpu(binding) }
}

/// `x` repeated `multiples[i]` times along each dimension i; TensorFlow's `tf.tile`.
public func tile(
    _ x: any Operand, multiples: [Int], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(Tile.self, [x, Tensor.small(multiples)], [:], name, file, line)
}
