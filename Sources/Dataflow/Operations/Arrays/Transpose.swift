/// `Transpose`: the dimensions in another order: dimension i of the output is dimension perm[i] of the input.
public enum Transpose: Operation {
    public static let signature = Signature(
        ["x": "T", "perm": "Tperm"], to: ["y": "T"], types: ["T": DType.moved, "Tperm": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        guard let permutation = node.integers(1) else {
            let rank = shape.rank ?? node.shape(1).dimensions.flatMap { $0.count == 1 ? $0[0] : nil }
            return [rank.map(Shape.unknown(rank:)) ?? .unknown]
        }
        guard permutation.sorted() == Array(permutation.indices) else {
            throw GraphError("'perm' must hold each of 0 to \(permutation.count - 1) once, got \(permutation)")
        }
        guard let dimensions = shape.dimensions else { return [.unknown(rank: permutation.count)] }
        guard dimensions.count == permutation.count else {
            throw GraphError("'perm' \(permutation) must have as many elements as the shape \(shape) has dimensions")
        }
        return [Shape(permutation.map { dimensions[$0] })]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(Transpose.self, [node.upstream(), apply(InvertPermutation.self, [node.input(1)])]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try copy($0).kernel($0) }
    }
    fileprivate static func copy(_ binding: KernelBinding) throws -> StridedCopy {
        let permutation = try binding.integers(1)
        let strides = binding.inputs[0].shape.strides
        return StridedCopy(binding.outputs[0].shape.knownExtents, from: permutation.map { strides[$0] })
    }
}

extension Transpose: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try copy(binding).gpu(binding) }
}

extension ConjugateTranspose: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try Transpose.gpu(binding) }
}

/// `ConjugateTranspose`: as `Transpose`, and the conjugates of complex numbers. There are no complex numbers here.
public enum ConjugateTranspose: Operation {
    public static let signature = Transpose.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Transpose.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(ConjugateTranspose.self, [node.upstream(), apply(InvertPermutation.self, [node.input(1)])]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try Transpose.kernel(binding) }
}

/// `InvertPermutation`: y[x[i]] = i.
public enum InvertPermutation: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature.unary(DType.indices)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try node.shape(0, rank: 1, "a permutation")]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (input, output, count) = (IndexInput(binding, 0), binding.output(), binding.count(0))
        let isWide = binding.outputs[0].dtype == .int64
        return { memory in
            var inverse = [Int](repeating: -1, count: count)
            for i in 0..<count {
                let index = input.read(memory, i)
                guard index >= 0, index < count, inverse[index] < 0 else {
                    throw GraphError("x[\(i)] = \(index): a permutation holds each of 0 to \(count - 1) once")
                }
                inverse[index] = i
            }
            for i in 0..<count {
                if isWide {
                    memory.pointer(output, Int64.self)[i] = Int64(inverse[i])
                } else {
                    memory.pointer(output, Int32.self)[i] = Int32(inverse[i])
                }
            }
        }
    }
}

/// The dimensions of `x` in the order `permutation`, reversed by default; TensorFlow's `tf.transpose`.
public func transpose(
    _ x: any Operand, permutation: [Int]? = nil, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    if let order = permutation ?? x.node.shape.rank.map({ (0..<$0).reversed() }) {
        return apply(Transpose.self, [x, Tensor.small(order)], [:], name, file, line)
    }
    return x.node.graph.located(file, line) {
        apply(Transpose.self, [x, (rank(x) - 1) - range(0, rank(x))], [:], name, file, line)
    }
}
