/// `BatchMatMulV2`: the products of the matrices in the last two dimensions; the dimensions before them broadcast.
public enum BatchMatMulV2: Operation, NumericKernel {
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["output": "T"], types: ["T": DType.signed],
        defaults: ["adj_x": .bool(false), "adj_y": .bool(false)])

    /// […, M, K] · […, K, N] → […, M, N].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let x = node.shape(0).dimensions, let y = node.shape(1).dimensions else { return [.unknown] }
        guard x.count >= 2, y.count >= 2 else {
            throw GraphError("both inputs must have at least rank 2: x is \(node.shape(0)), y is \(node.shape(1))")
        }
        let (tx, ty) = (try node.attributes.bool("adj_x"), try node.attributes.bool("adj_y"))
        if let inner = x[x.count - (tx ? 2 : 1)], let other = y[y.count - (ty ? 1 : 2)], inner != other {
            throw GraphError(
                "the inner dimensions differ: x is \(node.shape(0))\(tx ? " transposed" : ""),"
                    + " y is \(node.shape(1))\(ty ? " transposed" : "")")
        }
        guard let batch = Shape(Array(x.dropLast(2))).broadcast(with: Shape(Array(y.dropLast(2)))) else {
            throw GraphError(
                "the dimensions before the matrices do not broadcast: x is \(node.shape(0)), y is \(node.shape(1))")
        }
        return [Shape((batch.dimensions ?? []) + [x[x.count - (tx ? 1 : 2)], y[y.count - (ty ? 2 : 1)]])]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (x, y, dy) = (node.input(0), node.input(1), node.upstream())
        let product = { (a: Node, b: Node, ta: Bool, tb: Bool) in
            apply(BatchMatMulV2.self, [a, b], ["adj_x": .bool(ta), "adj_y": .bool(tb)])
        }
        let (dx, dOther) =
            switch (try node.attributes.bool("adj_x"), try node.attributes.bool("adj_y")) {
            case (false, false): (product(dy, y, false, true), product(x, dy, true, false))
            case (false, true): (product(dy, y, false, false), product(dy, x, true, false))
            case (true, false): (product(y, dy, false, true), product(x, dy, false, false))
            case (true, true): (product(y, dy, true, true), product(dy, x, true, true))
            }
        // Operands that were broadcast sum over their repetitions.
        if let a = x.shape.dimensions, let b = y.shape.dimensions, x.shape.isFullyDefined, y.shape.isFullyDefined,
            a.dropLast(2) == b.dropLast(2)
        {
            return [dx, dOther]
        }
        let batches = [x, y].map { stridedSlice(shape($0), begin: [0], end: [-2], beginMask: 1) }
        let axes = node.graph.add(BroadcastGradientArgs.self, batches)
        return [
            reshape(apply(Sum.self, [dx, axes.output(0)]), shape(x)),
            reshape(apply(Sum.self, [dOther, axes.output(1)]), shape(y)),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (tx, ty) = (try binding.attributes.bool("adj_x"), try binding.attributes.bool("adj_y"))
        let (x, y, z) = (
            binding.inputs[0].shape.knownExtents, binding.inputs[1].shape.knownExtents,
            binding.outputs[0].shape.knownExtents
        )
        let (m, n, k) = (z[z.count - 2], z[z.count - 1], x[x.count - (tx ? 2 : 1)])
        let g = MatMul.Geometry(m: m, n: n, k: k, transposeA: tx, transposeB: ty)
        // Which matrix of each operand goes into which product.
        let layout = Broadcasting([x, y].map { Shape(Array($0.dropLast(2))) }, to: Shape(Array(z.dropLast(2))))
        let (a, b, c) = (binding.input(0), binding.input(1), binding.output())
        let usesLibrary = type == Float.self && g.isLarge
        let rounded = usesLibrary && binding.precision == .bfloat16 ? BFloat16Product(g, binding) : nil
        return { memory in
            for outer in 0..<layout.outerCount {
                for i in 0..<layout.inner {
                    let left = layout.offset(0, at: outer) + i * layout.innerStrides[0]
                    let right = layout.offset(1, at: outer) + i * layout.innerStrides[1]
                    let place = outer * layout.inner + i
                    if let rounded {
                        try rounded.run(
                            memory.pointer(a, Float.self) + left * m * k,
                            memory.pointer(b, Float.self) + right * k * n,
                            memory.pointer(c, Float.self) + place * m * n)
                    } else if usesLibrary {
                        try MatMul.sgemm(
                            g, memory.pointer(a, Float.self) + left * m * k,
                            memory.pointer(b, Float.self) + right * k * n,
                            memory.pointer(c, Float.self) + place * m * n)
                    } else {
                        MatMul.product(
                            g, memory.pointer(a, Scalar.self) + left * m * k,
                            memory.pointer(b, Scalar.self) + right * k * n,
                            memory.pointer(c, Scalar.self) + place * m * n)
                    }
                }
            }
        }
    }
}

/// `BatchMatMul`: as `BatchMatMulV2`, of tensors whose other dimensions are the same.
public enum BatchMatMul: Operation {
    public static let signature = BatchMatMulV2.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let x = node.shape(0).dimensions, let y = node.shape(1).dimensions,
            !Shape(Array(x.dropLast(2))).isCompatible(with: Shape(Array(y.dropLast(2))))
        {
            throw GraphError(
                "the dimensions before the matrices must be the same: x is \(node.shape(0)), y is \(node.shape(1))")
        }
        return try BatchMatMulV2.infer(node)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try BatchMatMulV2.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try BatchMatMulV2.kernel(binding) }
}

/// `BatchMatMulV3`: as `BatchMatMulV2`; its three types are one here.
public enum BatchMatMulV3: Operation {
    public static let signature = Signature(
        ["x": "Ta", "y": "Tb"], to: ["output": "Tout"],
        types: ["Ta": DType.signed, "Tb": DType.signed, "Tout": DType.signed],
        defaults: ["adj_x": .bool(false), "adj_y": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let types = [node.inputs[0].dtype, node.inputs[1].dtype, try node.attributes.type("Tout")]
        guard Set(types).count == 1 else { throw GraphError("Ta, Tb and Tout must be one type, got \(types)") }
        return try BatchMatMulV2.infer(node)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try BatchMatMulV2.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try BatchMatMulV2.kernel(binding) }
}

extension BatchMatMulV2: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32, binding.inputs[1].dtype == .float32 else { return nil }
        let (tx, ty) = (try binding.attributes.bool("adj_x"), try binding.attributes.bool("adj_y"))
        let (x, y, z) = (
            binding.inputs[0].shape.knownExtents, binding.inputs[1].shape.knownExtents,
            binding.outputs[0].shape.knownExtents
        )
        let (m, n, k) = (z[z.count - 2], z[z.count - 1], x[x.count - (tx ? 2 : 1)])
        let layout = Broadcasting([x, y].map { Shape(Array($0.dropLast(2))) }, to: Shape(Array(z.dropLast(2))))
        var program = GPUProgram()
        guard m * n * layout.inner * layout.outerCount > 0 else { return program }
        guard k > 0 else { return GPUProgram(binding.gpuClearing()) }
        for outer in 0..<layout.outerCount {
            program.add(
                .multiply(
                    GPUMultiplication(
                        a: .input(0), b: .input(1), c: .output(0), m: m, n: n, k: k, transposeA: tx, transposeB: ty,
                        precision: binding.precision, batch: layout.inner,
                        strides: (layout.innerStrides[0] * m * k, layout.innerStrides[1] * k * n, m * n),
                        offsets: (
                            layout.offset(0, at: outer) * m * k, layout.offset(1, at: outer) * k * n,
                            outer * layout.inner * m * n
                        ))))
        }
        return program
    }
}

extension BatchMatMul: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try BatchMatMulV2.gpu(binding) }
}

extension BatchMatMulV3: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try BatchMatMulV2.gpu(binding) }
}
