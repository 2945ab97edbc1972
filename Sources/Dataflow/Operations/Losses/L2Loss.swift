/// `L2Loss`: half the sum of the squares of all elements.
public enum L2Loss: Operation, FloatKernel {
    public static let signature = Signature.unary(DType.floats, input: "t", output: "output")
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.scalar] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.input(0) * node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let (input, output, count) = (binding.input(0), binding.output(), binding.count(0))
        return { memory in
            let x = memory.pointer(input, Scalar.self)
            // Four sums vectorise, and in blocks they round less.
            var total = 0.0
            for start in stride(from: 0, to: count, by: 1024) {
                let end = Swift.min(start + 1024, count)
                var (a, b, c, d) = (Scalar.zero, Scalar.zero, Scalar.zero, Scalar.zero)
                var i = start
                while i + 4 <= end {
                    a += x[i] * x[i]
                    b += x[i + 1] * x[i + 1]
                    c += x[i + 2] * x[i + 2]
                    d += x[i + 3] * x[i + 3]
                    i += 4
                }
                while i < end {
                    a += x[i] * x[i]
                    i += 1
                }
                total += Double((a + b) + (c + d))
            }
            memory.pointer(output, Scalar.self)[0] = Scalar(total / 2)
        }
    }
}

/// Half the sum of the squares of all elements, a scalar; TensorFlow's `tf.nn.l2_loss`.
public func l2Loss(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(L2Loss.self, [x], [:], name, file, line) }

extension L2Loss: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        var program = GPUProgram()
        let shape = Shape([binding.count(0)])
        GPUReduction(map: "v * v", finish: "t / 2").commands(
            ReductionLayout(shape, axes: [0]), from: .input(0), to: .output(0), &program)
        return program
    }
}
