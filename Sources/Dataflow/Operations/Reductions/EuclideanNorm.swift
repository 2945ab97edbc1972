/// `EuclideanNorm`: the square root of the sum of the squares over some dimensions.
public enum EuclideanNorm: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.input(0) / (try broadcastBack(node.output() / node.upstream(), node)), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let layout = try reductionLayout(binding)
        let (input, output) = (binding.input(0), binding.output())
        let (elements, count) = (binding.count(0), binding.outputCount())
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            withUnsafeTemporaryAllocation(of: Scalar.self, capacity: Swift.max(elements, 1)) { squares in
                for i in 0..<elements { squares[i] = Scalar.wrappingMultiply(x[i], x[i]) }
                layout.reduce(squares.baseAddress!, y, initial: Scalar(0.0)) { Scalar.wrappingAdd($0, $1) }
            }
            // The sum of integers may have wrapped around; the root of what is below 0 is the smallest one, as in TensorFlow.
            for i in 0..<count { y[i] = y[i].asDouble < 0 ? .lowest : Scalar(y[i].asDouble.squareRoot()) }
        }
    }
}

/// The Euclidean norm over `axis` or `axes` (all by default); TensorFlow's `tf.math.reduce_euclidean_norm`.
public func euclideanNorm(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(EuclideanNorm.self, x, axis, axes, keepDims, name, file, line) }
