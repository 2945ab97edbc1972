/// `Cross`: the cross products of the vectors of 3 numbers in the last dimension.
public enum Cross: Operation, NumericKernel {
    public static let signature = Signature(
        ["a": "T", "b": "T"], to: ["product": "T"], types: ["T": DType.numbers])

    /// Both […, 3].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let shape = node.shape(0).merged(with: node.shape(1)), shape.rank != 0, shape[-1] ?? 3 == 3 else {
            throw GraphError(
                "'a' and 'b' must have one shape whose last dimension is 3, got \(node.shape(0)) and \(node.shape(1))")
        }
        return [shape]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        [cross(node.input(1), node.upstream()), cross(node.upstream(), node.input(0))]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (left, right, out, count) = (binding.input(0), binding.input(1), binding.output(), binding.outputCount())
        return { memory in
            for start in Swift.stride(from: 0, to: count, by: 3) {
                let a = memory.pointer(left, Scalar.self) + start
                let b = memory.pointer(right, Scalar.self) + start
                let c = memory.pointer(out, Scalar.self) + start
                for i in 0..<3 {
                    let (j, k) = ((i + 1) % 3, (i + 2) % 3)
                    c[i] = Scalar.wrappingSubtract(
                        Scalar.wrappingMultiply(a[j], b[k]), Scalar.wrappingMultiply(a[k], b[j]))
                }
            }
        }
    }
}

/// The cross products of the vectors of 3 numbers in the last dimension; TensorFlow's `tf.linalg.cross`.
public func cross(
    _ a: any Operand, _ b: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Cross.self, [a, b], [:], name, file, line) }
