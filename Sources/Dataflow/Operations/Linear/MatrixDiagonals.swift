/// `MatrixDiag`: for each vector in the last dimension the matrix with it on the diagonal and zeros elsewhere.
public enum MatrixDiag: Operation {
    public static let signature = Signature.unary(DType.all, input: "diagonal", output: "output")
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions else { return [.unknown] }
        guard let last = extents.last else { throw GraphError("the diagonal must have at least rank 1, got a scalar") }
        return [Shape(extents + [last])]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MatrixDiagPart.self, [node.upstream()])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let band = try DiagonalBand(matrix: binding.outputs[0].shape, lower: 0, upper: 0)
        return band.placing(binding, diagonal: 0, under: binding.clearing())
    }
}

/// `MatrixDiagPart`: the main diagonal of each matrix in the last two dimensions.
public enum MatrixDiagPart: Operation {
    public static let signature = Signature.unary(DType.all, input: "input", output: "diagonal")
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try DiagonalBand.partShape(node.shape(0), lower: 0, upper: 0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MatrixSetDiag.self, [zerosLike(node.input(0)), node.upstream()])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try DiagonalBand(matrix: binding.inputs[0].shape, lower: 0, upper: 0).taking(binding, padding: nil)
    }
}

/// `MatrixSetDiag`: each matrix with another main diagonal.
public enum MatrixSetDiag: Operation {
    public static let signature = Signature(
        ["input": "T", "diagonal": "T"], to: ["output": "T"], types: ["T": DType.all])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try DiagonalBand.setShape(node, lower: 0, upper: 0)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let dy = node.upstream()
        return [
            apply(MatrixSetDiag.self, [dy, zerosLike(node.input(1))]), apply(MatrixDiagPart.self, [dy]),
        ]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let band = try DiagonalBand(matrix: binding.inputs[0].shape, lower: 0, upper: 0)
        return band.placing(binding, diagonal: 1, under: Copy.kernel(binding))
    }
}

/// `Diag`: the tensor [d…, d…] with the elements of a tensor [d…] where both halves of the index are the same.
public enum Diag: Operation {
    public static let signature = Signature.unary(DType.signed, input: "diagonal", output: "output")
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions else { return [.unknown] }
        guard !extents.isEmpty else { throw GraphError("the diagonal must have at least rank 1, got a scalar") }
        return [Shape(extents + extents)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(DiagPart.self, [node.upstream()])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let count = binding.count(0)
        let (clear, copy) = (
            binding.clearing(), StridedCopy([count], from: [1], to: [count + 1]).kernel(binding)
        )
        return { memory in
            try clear(memory)
            try copy(memory)
        }
    }
}

/// `DiagPart`: of a tensor [d…, d…] the elements at which both halves of the index are the same.
public enum DiagPart: Operation {
    public static let signature = Signature.unary(DType.signed, input: "input", output: "diagonal")
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions else { return [.unknown] }
        let half = extents.count / 2
        guard half > 0, extents.count % 2 == 0,
            let both = Shape(Array(extents[..<half])).merged(with: Shape(Array(extents[half...])))
        else { throw GraphError("both halves of the shape must be the same, got \(node.shape(0))") }
        return [both]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(Diag.self, [node.upstream()])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let count = binding.outputCount()
        return StridedCopy([count], from: [count + 1]).kernel(binding)
    }
}

/// The matrices with the vectors of the last dimension of `x` on their diagonals; TensorFlow's `tf.linalg.diag`.
public func matrixDiag(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(MatrixDiag.self, [x], [:], name, file, line) }

/// The main diagonals of the matrices in the last two dimensions of `x`; TensorFlow's `tf.linalg.diag_part`.
public func matrixDiagPart(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(MatrixDiagPart.self, [x], [:], name, file, line) }

/// The matrices of `x` with other main diagonals; TensorFlow's `tf.linalg.set_diag`.
public func matrixSetDiag(
    _ x: any Operand, _ diagonal: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(MatrixSetDiag.self, [x, diagonal], [:], name, file, line) }
