/// `MatrixBandPart`: each matrix with zeros outside a band about its diagonal; a negative number keeps that whole triangle.
public enum MatrixBandPart: Operation, MovingKernel {
    public static let signature = Signature(
        ["input": "T", "num_lower": "Tindex", "num_upper": "Tindex"], to: ["band": "T"],
        types: ["T": DType.all, "Tindex": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let rank = node.shape(0).rank, rank < 2 {
            throw GraphError("the input must have at least rank 2, got the shape \(node.shape(0))")
        }
        for i in 1...2 { _ = try node.shape(i, rank: 0, "'\(signature.inputs[i].name)'") }
        return [node.shape(0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MatrixBandPart.self, [node.upstream(), node.input(1), node.input(2)]), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.moving(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let (rows, columns) = (extents[extents.count - 2], extents[extents.count - 1])
        let matrices = extents.dropLast(2).reduce(1, *)
        let (input, lower, upper) = (binding.input(0), IndexInput(binding, 1), IndexInput(binding, 2))
        let (output, bytes) = (binding.output(), columns * binding.inputs[0].dtype.size)
        return { memory in
            let (below, above) = (lower.read(memory, 0), upper.read(memory, 0))
            for row in 0..<matrices * rows {
                let i = row % rows
                let first = below < 0 ? 0 : Swift.min(Swift.max(i - below, 0), columns)
                let end = above < 0 ? columns : Swift.max(Swift.min(i + above + 1, columns), first)
                let target = memory.raw(output) + row * bytes
                target.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
                (target.assumingMemoryBound(to: Element.self) + first).update(
                    from: (memory.raw(input) + row * bytes).assumingMemoryBound(to: Element.self) + first,
                    count: end - first)
            }
        }
    }
}

/// `x` with zeros outside the band of `lower` diagonals below and `upper` above the main one, all of them where negative;
/// TensorFlow's `tf.linalg.band_part`.
public func matrixBandPart(
    _ x: any Operand, lower: Int, upper: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(MatrixBandPart.self, [x, Tensor(Int64(lower)), Tensor(Int64(upper))], [:], name, file, line)
}

extension Graph {
    /// Ones on the main diagonal of a matrix, zeros beside it; TensorFlow's `tf.eye`.
    /// - Parameter columns: as many as rows by default.
    public func eye(
        _ rows: Int, columns: Int? = nil, dtype: DType = .float32, name: String? = nil, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Node {
        located(file, line) {
            let one = number(1, dtype)
            let ones = fill(constant(Tensor.small([rows, columns ?? rows])), one)
            return matrixBandPart(ones, lower: 0, upper: 0, name: name)
        }
    }
}
