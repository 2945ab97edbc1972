/// `Max`: the largest element over some dimensions; of no elements, the lowest number. NaN if any is.
public enum Max: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [try sharedAmongEqual(node), nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        try reductionKernel(binding, initial: Scalar.lowest) { $0 >= $1 || $0.isNotANumber ? $0 : $1 }
    }
}

/// `Min`: the smallest element over some dimensions; of no elements, the highest number. NaN if any is.
public enum Min: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [try sharedAmongEqual(node), nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        try reductionKernel(binding, initial: Scalar.highest) { $0 <= $1 || $0.isNotANumber ? $0 : $1 }
    }
}

/// A kernel that folds `combine` over the reduced dimensions.
@inline(__always)
func reductionKernel<Scalar: NumericScalar>(
    _ binding: KernelBinding, initial: Scalar, _ combine: @escaping (Scalar, Scalar) -> Scalar
) throws -> Kernel {
    let layout = try reductionLayout(binding)
    let (input, output) = (binding.input(0), binding.output())
    return { memory in
        layout.reduce(
            memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self), initial: initial, combine)
    }
}

/// The gradient of an extreme: equal shares for all elements that are it, as in TensorFlow.
private func sharedAmongEqual(_ node: GradientContext) throws -> Node {
    let x = node.input(0)
    let isExtreme = cast(equal(try broadcastBack(node.output(), node), x), to: x.dtype)
    let count = apply(Sum.self, [isExtreme, node.input(1)], ["keep_dims": .bool(true)])
    return isExtreme / count * (try broadcastBack(node.upstream(), node))
}

/// The largest element over `axis` or `axes` (all by default); TensorFlow's `tf.reduce_max`.
public func max(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(Max.self, x, axis, axes, keepDims, name, file, line) }

/// The smallest element over `axis` or `axes` (all by default); TensorFlow's `tf.reduce_min`.
public func min(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(Min.self, x, axis, axes, keepDims, name, file, line) }
