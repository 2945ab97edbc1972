/// `Cumsum`: running sums along an axis, with or without the element itself, from the front or the back.
public enum Cumsum: Operation, NumericKernel {
    public static let signature = Signature(
        ["x": "T", "axis": "Tidx"], to: ["out": "T"], types: ["T": DType.numbers, "Tidx": DType.indices],
        defaults: ["exclusive": .bool(false), "reverse": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let rank = node.shape(0).rank, let axis = try node.integer(1) { _ = try normalize([axis], rank: rank) }
        return [node.shape(0)]
    }
    /// Running sums from the other end.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let attributes: Attributes = [
            "exclusive": .bool(try node.attributes.bool("exclusive")),
            "reverse": .bool(try !node.attributes.bool("reverse")),
        ]
        return [apply(Cumsum.self, [node.upstream(), node.input(1)], attributes), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, binding.outputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let axis = try normalize([binding.integer(1)], rank: extents.count)[0]
        let exclusive = try binding.attributes.bool("exclusive")
        let isReversed = try binding.attributes.bool("reverse")
        let (outer, n) = (extents[..<axis].reduce(1, *), extents[axis])
        let inner = extents[(axis + 1)...].reduce(1, *)
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            for o in 0..<outer {
                for i in 0..<inner {
                    let x = memory.pointer(input, Scalar.self) + o * n * inner + i
                    let y = memory.pointer(output, Scalar.self) + o * n * inner + i
                    var total = Scalar(0.0)
                    for k in 0..<n {
                        let place = (isReversed ? n - 1 - k : k) * inner
                        let next = Scalar.wrappingAdd(total, x[place])
                        y[place] = exclusive ? total : next
                        total = next
                    }
                }
            }
        }
    }
}

/// Running sums of `x` along `axis`; TensorFlow's `tf.cumsum`.
/// - Parameters:
///   - exclusive: leaves the element itself out of its sum.
///   - reverse: sums from the back.
public func cumsum(
    _ x: any Operand, axis: Int = 0, exclusive: Bool = false, reverse: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        Cumsum.self, [x, Tensor.small(axis)],
        ["exclusive": .bool(exclusive), "reverse": .bool(reverse)], name, file, line)
}
