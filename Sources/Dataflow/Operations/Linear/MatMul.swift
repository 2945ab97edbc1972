internal import COneDNN

/// `MatMul`: the product of two matrices. Each may be read transposed. float32 runs in oneDNN.
public enum MatMul: Operation, NumericKernel {
    public static let signature = Signature(
        ["a": "T", "b": "T"], to: ["product": "T"], types: ["T": DType.signed],
        defaults: ["transpose_a": .bool(false), "transpose_b": .bool(false)])

    /// (M × K) · (K × N) → M × N.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let a = try node.shape(0, rank: 2, "'a'")
        let b = try node.shape(1, rank: 2, "'b'")
        let (ta, tb) = (try node.attributes.bool("transpose_a"), try node.attributes.bool("transpose_b"))
        if let inner = a[ta ? 0 : 1], let other = b[tb ? 1 : 0], inner != other {
            throw GraphError(
                "the inner dimensions differ: a is \(a)\(ta ? " transposed" : ""), b is \(b)\(tb ? " transposed" : "")")
        }
        return [Shape([a[ta ? 1 : 0], b[tb ? 0 : 1]])]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (a, b, dy) = (node.input(0), node.input(1), node.upstream())
        switch (try node.attributes.bool("transpose_a"), try node.attributes.bool("transpose_b")) {
        case (false, false): return [matmul(dy, b, transposeB: true), matmul(a, dy, transposeA: true)]
        case (false, true): return [matmul(dy, b), matmul(dy, a, transposeA: true)]
        case (true, false): return [matmul(b, dy, transposeB: true), matmul(a, dy)]
        case (true, true):
            return [
                matmul(b, dy, transposeA: true, transposeB: true), matmul(dy, a, transposeA: true, transposeB: true),
            ]
        }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let dtype = binding.inputs[0].dtype
        guard dtype == .float32, let g = try? geometry(binding.attributes, binding.inputs), g.isLarge else {
            return try binding.numeric(Self.self, dtype)
        }
        let (a, b, c) = (binding.input(0), binding.input(1), binding.output())
        if binding.precision == .bfloat16 {
            let product = BFloat16Product(g, binding)
            return { memory in
                try product.run(
                    memory.pointer(a, Float.self), memory.pointer(b, Float.self), memory.pointer(c, Float.self))
            }
        }
        return { memory in
            try sgemm(g, memory.pointer(a, Float.self), memory.pointer(b, Float.self), memory.pointer(c, Float.self))
        }
    }

    /// c = a · b, or c += a · b if `adding`, for a kernel of either float type: in oneDNN where that pays.
    static func multiply<Scalar: NumericScalar>(
        _ g: Geometry, _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ c: UnsafeMutablePointer<Scalar>,
        adding: Bool = false
    ) throws {
        if Scalar.self == Float.self, g.isLarge {
            let (x, y, z) = (UnsafeRawPointer(a), UnsafeRawPointer(b), UnsafeMutableRawPointer(c))
            try sgemm(
                g, x.assumingMemoryBound(to: Float.self), y.assumingMemoryBound(to: Float.self),
                z.assumingMemoryBound(to: Float.self), adding: adding)
        } else {
            product(g, a, b, c, adding: adding)
        }
    }

    /// c = scale · a · b in oneDNN, or c += scale · a · b.
    static func sgemm(
        _ g: Geometry, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>,
        scale: Float = 1, adding: Bool = false
    ) throws {
        let (m, n, k) = (dnnl_dim_t(g.m), dnnl_dim_t(g.n), dnnl_dim_t(g.k))
        let (ta, tb) = (CChar(UInt8(ascii: g.transposeA ? "T" : "N")), CChar(UInt8(ascii: g.transposeB ? "T" : "N")))
        let status = dnnl_sgemm(
            ta, tb, m, n, k, scale, a, g.transposeA ? m : k, b, g.transposeB ? k : n, adding ? 1 : 0, c, n)
        guard status == dnnl_success else { throw GraphError("oneDNN's sgemm failed with status \(status.rawValue)") }
    }

    struct Geometry {
        let m: Int, n: Int, k: Int
        var transposeA = false, transposeB = false

        /// Whether a library call pays, and there is something to multiply.
        var isLarge: Bool { m * n * k > 4096 }
    }

    static func geometry(_ attributes: Attributes, _ inputs: [TensorSpec]) throws -> Geometry {
        let (ta, tb) = (try attributes.bool("transpose_a"), try attributes.bool("transpose_b"))
        let (a, b) = (inputs[0].shape.knownExtents, inputs[1].shape.knownExtents)
        return Geometry(m: a[ta ? 1 : 0], n: b[tb ? 0 : 1], k: a[ta ? 0 : 1], transposeA: ta, transposeB: tb)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let g = try geometry(binding.attributes, binding.inputs)
        let (a, b, c) = (binding.input(0), binding.input(1), binding.output())
        return { memory in
            product(g, memory.pointer(a, Scalar.self), memory.pointer(b, Scalar.self), memory.pointer(c, Scalar.self))
        }
    }

    /// A plain loop, for small products and other dtypes: below some thousand multiplications a library call costs more.
    static func product<Scalar: NumericScalar>(
        _ g: Geometry, _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, _ z: UnsafeMutablePointer<Scalar>,
        adding: Bool = false
    ) {
        let (rowA, stepA) = g.transposeA ? (1, g.m) : (g.k, 1)
        let (stepB, columnB) = g.transposeB ? (1, g.k) : (g.n, 1)
        for i in 0..<g.m {
            let row = z + i * g.n
            if !adding { row.update(repeating: Scalar(0.0), count: g.n) }
            for k in 0..<g.k {
                let factor = x[i * rowA + k * stepA]
                let other = y + k * stepB
                for j in 0..<g.n {
                    row[j] = Scalar.wrappingAdd(row[j], Scalar.wrappingMultiply(factor, other[j * columnB]))
                }
            }
        }
    }
}

/// `SparseMatMul`: the product of two matrices with many zeros, which makes no difference here.
public enum SparseMatMul: Operation {
    public static let signature = Signature(
        ["a": "Ta", "b": "Tb"], to: ["product": "float32"], types: ["Ta": [.float32], "Tb": [.float32]],
        defaults: [
            "transpose_a": .bool(false), "transpose_b": .bool(false), "a_is_sparse": .bool(false),
            "b_is_sparse": .bool(false),
        ])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try MatMul.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try MatMul.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try MatMul.kernel(binding) }
}

/// The product of two matrices, M × K and K × N, or of the matrices in the last two dimensions, whose dimensions before them
/// broadcast; TensorFlow's `tf.matmul`.
///
/// It is a `MatMul`, or a `BatchMatMulV2` where one of them is known to have more than two dimensions.
public func matmul(
    _ a: any Operand, _ b: any Operand, transposeA: Bool = false, transposeB: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    if [a, b].contains(where: { $0.node.shape.rank ?? 2 > 2 }) {
        let attributes: Attributes = ["adj_x": .bool(transposeA), "adj_y": .bool(transposeB)]
        return apply(BatchMatMulV2.self, [a, b], attributes, name, file, line)
    }
    return apply(
        MatMul.self, [a, b], ["transpose_a": .bool(transposeA), "transpose_b": .bool(transposeB)], name, file, line)
}

extension MatMul: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        let g = try geometry(binding.attributes, binding.inputs)
        return GPUProgram.product(
            GPUMultiplication(
                a: .input(0), b: .input(1), c: .output(0), m: g.m, n: g.n, k: g.k, transposeA: g.transposeA,
                transposeB: g.transposeB, precision: binding.precision))
    }
}

extension SparseMatMul: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try MatMul.gpu(binding) }
}

extension GPUProgram {
    /// A product; its extents may be 0.
    static func product(_ product: GPUMultiplication) -> GPUProgram {
        let count = product.m * product.n * product.batch
        if count == 0 { return GPUProgram() }
        if product.k == 0 { return GPUProgram(.fill(product.c, byte: 0, bytes: count * 4)) }
        return GPUProgram(.multiply(product))
    }
}
