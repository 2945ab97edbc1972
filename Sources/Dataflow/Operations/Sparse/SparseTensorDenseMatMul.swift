/// `SparseTensorDenseMatMul`: the product of a sparse matrix and a dense one, each transposed if so told.
public enum SparseTensorDenseMatMul: Operation, NumericKernel {
    public static let signature = Signature(
        ["a_indices": "Tindices", "a_values": "T", "a_shape": "int64", "b": "T"], to: ["product": "T"],
        types: ["T": DType.floats + [.int32], "Tindices": DType.indices],
        defaults: ["adjoint_a": .bool(false), "adjoint_b": .bool(false)])

    /// a [m, k] · b [k, n] → [m, n].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (_, rank) = try SparseParts.check(node)
        let b = try node.shape(3, rank: 2, "'b'")
        guard rank ?? 2 == 2 else { throw GraphError("the sparse tensor must be a matrix, got the rank \(rank ?? 2)") }
        let (flipsA, flipsB) = (try node.attributes.bool("adjoint_a"), try node.attributes.bool("adjoint_b"))
        let columns = b[flipsB ? 0 : 1]
        guard let a = node.integers(2) else { return [[nil, columns]] }
        guard a.count == 2, Shape.isAddressable(a) else {
            throw GraphError("'a_shape' must be the shape of a matrix, got \(a)")
        }
        guard b[flipsB ? 1 : 0] ?? a[flipsA ? 0 : 1] == a[flipsA ? 0 : 1] else {
            throw GraphError(
                "a sparse matrix of shape \(a)\(flipsA ? ", transposed," : "") cannot be multiplied with one of shape "
                    + "\(b)\(flipsB ? ", transposed" : "")")
        }
        return [[a[flipsA ? 1 : 0], columns]]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (indices, values, extents, b) = (node.input(0), node.input(1), node.input(2), node.input(3))
        let (flipsA, flipsB) = (try node.attributes.bool("adjoint_a"), try node.attributes.bool("adjoint_b"))
        let dy = node.upstream()
        let byB = apply(
            SparseTensorDenseMatMul.self, [indices, values, extents, dy], ["adjoint_a": .bool(!flipsA)])
        let column = { (i: Int) in
            stridedSlice(indices, begin: [0, i], end: [0, i + 1], beginMask: 1, endMask: 1, shrinkAxisMask: 2)
        }
        let (rows, columns) = flipsA ? (column(1), column(0)) : (column(0), column(1))
        // Of each element of a: the row of dy that it went to, times the row of b that it was multiplied with.
        let products = gather(dy, rows) * gather(flipsB ? transpose(b) : b, columns)
        return [nil, sum(products, axes: [1]), nil, flipsB ? transpose(byB) : byB]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let flipsA = try binding.attributes.bool("adjoint_a")
        let flipsB = try binding.attributes.bool("adjoint_b")
        let (indices, values, b, out) = (IndexInput(binding, 0), binding.input(1), binding.input(3), binding.output())
        let (count, shape) = (binding.count(1), binding.inputs[3].shape.knownExtents)
        let (rows, inner) = (binding.outputs[0].shape.knownExtents[0], shape[flipsB ? 1 : 0])
        let columns = binding.outputs[0].shape.knownExtents[1]
        return { memory in
            let product = memory.pointer(out, Scalar.self)
            let (x, dense) = (memory.pointer(values, Scalar.self), memory.pointer(b, Scalar.self))
            product.update(repeating: Scalar(0.0), count: rows * columns)
            for i in 0..<count {
                let (first, second) = (indices.read(memory, 2 * i), indices.read(memory, 2 * i + 1))
                let (row, column) = flipsA ? (second, first) : (first, second)
                guard row >= 0, row < rows, column >= 0, column < inner else {
                    throw GraphError(
                        "a_indices[\(i)] = [\(first), \(second)] is not within the sparse matrix of \(rows) rows and "
                            + "\(inner) columns that is multiplied")
                }
                let (target, value) = (product + row * columns, x[i])
                if flipsB {
                    for k in 0..<columns {
                        let term = Scalar.wrappingMultiply(value, dense[k * inner + column])
                        target[k] = Scalar.wrappingAdd(target[k], term)
                    }
                } else {
                    let source = dense + column * columns
                    for k in 0..<columns {
                        target[k] = Scalar.wrappingAdd(target[k], Scalar.wrappingMultiply(value, source[k]))
                    }
                }
            }
        }
    }
}

extension SparseTensorDenseMatMul: GPUOperation {
    /// A work item adds up a column of the product, element by element of the sparse matrix, so that the sums are the same in
    /// every run. Elements out of range, which the CPU refuses, are dropped. Where the sparse matrix's shape is fed, the
    /// product's is known in the run alone, and the CPU computes it.
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.outputs[0].dtype == .float32, let index = binding.inputs[0].dtype.gpuName,
            binding.outputCount() > 0
        else { return nil }
        let flipsA = try binding.attributes.bool("adjoint_a")
        let flipsB = try binding.attributes.bool("adjoint_b")
        let (rows, columns) = (binding.outputs[0].shape.knownExtents[0], binding.outputs[0].shape.knownExtents[1])
        let inner = binding.inputs[3].shape.knownExtents[flipsB ? 1 : 0]
        let source = """
            KERNEL void sparse_product(int columns, GLOBAL const \(index) *places, GLOBAL const float *a,
                GLOBAL const float *b, GLOBAL float *y, int count, int rows, int inner, int flips_a, int flips_b) {
                int c = INDEX;
                if (c >= columns) return;
                for (int i = 0; i < count; i++) {
                    \(index) row = places[2 * i + flips_a], k = places[2 * i + 1 - flips_a];
                    if (row < 0 || row >= rows || k < 0 || k >= inner) continue;
                    y[(int)row * columns + c] += a[i] * (flips_b ? b[c * inner + (int)k] : b[(int)k * columns + c]);
                }
            }

            """
        var program = GPUProgram(binding.gpuClearing())
        program.add(
            .launch(
                GPULaunch(
                    "sparse_product", source, items: columns, memory: [.input(0), .input(1), .input(3), .output(0)],
                    integers: [binding.count(1), rows, inner, flipsA ? 1 : 0, flipsB ? 1 : 0])))
        return program
    }
}
