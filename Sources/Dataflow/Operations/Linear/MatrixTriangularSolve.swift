/// `MatrixTriangularSolve`: x of matrix · x = rhs, for triangular matrices [..., m, m] and right sides [..., m, n], whose
/// leading dimensions broadcast. Of a matrix only the triangle `lower` says is looked at; with `adjoint` it is transposed.
public enum MatrixTriangularSolve: Operation, FloatKernel {
    public static let signature = Signature(
        ["matrix": "T", "rhs": "T"], to: ["output": "T"], types: ["T": DType.floats],
        defaults: ["lower": .bool(true), "adjoint": .bool(false)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let a = node.shape(0).dimensions, let b = node.shape(1).dimensions else { return [.unknown] }
        guard a.count >= 2, b.count >= 2 else {
            throw GraphError("both inputs must have at least rank 2, got \(node.shape(0)) and \(node.shape(1))")
        }
        let square = Shape([a[a.count - 2]]).merged(with: Shape([a[a.count - 1]]))
        guard let rows = square?.merged(with: Shape([b[b.count - 2]])),
            let batch = Shape(Array(a.dropLast(2))).broadcast(with: Shape(Array(b.dropLast(2))))?.dimensions
        else {
            throw GraphError(
                "the shapes \(node.shape(0)) and \(node.shape(1)) are no matrices and right sides that fit")
        }
        return [Shape(batch + [rows[0], b[b.count - 1]])]
    }

    /// TensorFlow's `_MatrixTriangularSolveGrad`.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (isLower, isAdjoint) = (try node.attributes.bool("lower"), try node.attributes.bool("adjoint"))
        let (a, b, x) = (node.input(0), node.input(1), node.output())
        let right = apply(
            MatrixTriangularSolve.self, [a, node.upstream()], ["lower": .bool(isLower), "adjoint": .bool(!isAdjoint)])
        let (first, second) = isAdjoint ? (x, right) : (right, x)
        let outer = -apply(BatchMatMulV2.self, [first, second], ["adj_y": .bool(true)])
        let graph = node.graph
        let (all, none) = (graph.constant(Int64(-1)), graph.constant(Int64(0)))
        let left = apply(MatrixBandPart.self, [outer, isLower ? all : none, isLower ? none : all])
        return [unbroadcast(left, to: a, from: left), unbroadcast(right, to: b, from: right)]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let (isLower, isAdjoint) = (try binding.attributes.bool("lower"), try binding.attributes.bool("adjoint"))
        let extents = binding.outputs[0].shape.knownExtents
        let (m, n) = (extents[extents.count - 2], extents[extents.count - 1])
        let batch = Shape(Array(extents.dropLast(2)))
        let (a, b, out) = (binding.input(0), binding.input(1), binding.output())
        let isEmpty = binding.outputCount() == 0
        let places: [(Int, Int)] =
            isEmpty
            ? []
            : Array(
                zip(
                    sources(Shape(Array(binding.inputs[0].shape.knownExtents.dropLast(2))), in: batch),
                    sources(Shape(Array(binding.inputs[1].shape.knownExtents.dropLast(2))), in: batch)))
        // Downwards if the first row has one element to the left of nothing.
        let isDown = isLower != isAdjoint
        let (rowStep, columnStep) = isAdjoint ? (1, m) : (m, 1)
        return { memory in
            for (matrix, place) in places.enumerated() {
                let coefficients = memory.pointer(a, type) + place.0 * m * m
                let source = memory.pointer(b, type) + place.1 * m * n
                let x = memory.pointer(out, type) + matrix * m * n
                for step in 0..<m {
                    let i = isDown ? step : m - 1 - step
                    let row = x + i * n
                    row.update(from: source + i * n, count: n)
                    for k in isDown ? 0..<i : i + 1..<m {
                        let factor = coefficients[i * rowStep + k * columnStep]
                        for j in 0..<n { row[j] -= factor * x[k * n + j] }
                    }
                    let pivot = coefficients[i * rowStep + i * columnStep]
                    for j in 0..<n { row[j] /= pivot }
                }
            }
        }
    }
}
