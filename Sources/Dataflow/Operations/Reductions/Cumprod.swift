/// `Cumprod`: the product of the elements up to each one along an axis; without it if `exclusive`, from the end if `reverse`.
public enum Cumprod: Operation, NumericKernel {
    public static let signature = Signature(
        ["x": "T", "axis": "Tidx"], to: ["out": "T"], types: ["T": DType.numbers, "Tidx": DType.indices],
        defaults: ["exclusive": .bool(false), "reverse": .bool(false)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let rank = node.shape(0).rank, let axes = node.integers(1) { _ = try normalize(axes, rank: rank) }
        return [node.shape(0)]
    }

    /// As in TensorFlow; 0 where x is 0.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard let cumsum = OperationCatalog.operation(named: "Cumsum") else {
            throw GraphError("the gradient of Cumprod needs Cumsum")
        }
        let (exclusive, reverse) = (
            try node.attributes.bool("exclusive"), try node.attributes.bool("reverse")
        )
        let total = apply(
            cumsum, [node.output() * node.upstream(), node.input(1)],
            ["exclusive": .bool(exclusive), "reverse": .bool(!reverse)])
        return [divNoNan(total, node.input(0)), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let axes = try normalize(binding.integers(1), rank: extents.count)
        guard let axis = axes.first, axes.count == 1 else { throw GraphError("'axis' must be one number, got \(axes)") }
        let (exclusive, reverse) = (try binding.attributes.bool("exclusive"), try binding.attributes.bool("reverse"))
        let length = extents[axis]
        let inner = extents[(axis + 1)...].reduce(1, *)
        let outer = extents[..<axis].reduce(1, *)
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            let x = memory.pointer(input, Scalar.self)
            let y = memory.pointer(output, Scalar.self)
            for o in 0..<outer {
                for i in 0..<inner {
                    var product = Scalar(1.0)
                    for step in 0..<length {
                        let position = (o * length + (reverse ? length - 1 - step : step)) * inner + i
                        let next = Scalar.wrappingMultiply(product, x[position])
                        y[position] = exclusive ? product : next
                        product = next
                    }
                }
            }
        }
    }
}

/// The product of the elements of `x` up to each one along `axis`; TensorFlow's `tf.math.cumprod`.
public func cumprod(
    _ x: any Operand, axis: Int = 0, exclusive: Bool = false, reverse: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        Cumprod.self, [x, Tensor.small(axis)],
        ["exclusive": .bool(exclusive), "reverse": .bool(reverse)], name, file, line)
}
