/// `Prod`: the product over some dimensions.
public enum Prod: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)

    /// The product of the *other* elements, which no division by the element gives where it is 0: along each axis what
    /// comes before times what comes after, of products over the axes before it.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let x = node.input(0)
        guard let axes = node.input(1).constant?.knownIntegers else {
            throw GraphError("the gradient of a product needs axes that are known while building")
        }
        var gradient = try broadcastBack(node.upstream(), node)
        var reduced = x
        guard let axes = try distinctAxes(axes, rank: x.shape.rank) else {
            throw GraphError("the gradient needs the rank of its input, as the axes \(axes) count from both ends")
        }
        for axis in axes {
            let before = cumprod(reduced, axis: axis, exclusive: true)
            let after = cumprod(reduced, axis: axis, exclusive: true, reverse: true)
            gradient = gradient * (before * after)
            reduced = prod(reduced, axes: [axis], keepDims: true)
        }
        return [gradient, nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        try reductionKernel(binding, initial: Scalar(1.0)) { Scalar.wrappingMultiply($0, $1) }
    }
}

/// The product over `axis` or `axes` (all by default); TensorFlow's `tf.reduce_prod`.
public func prod(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(Prod.self, x, axis, axes, keepDims, name, file, line) }
