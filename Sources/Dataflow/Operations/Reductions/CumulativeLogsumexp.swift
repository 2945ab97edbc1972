#if canImport(Glibc)
    import Glibc
#endif

/// `CumulativeLogsumexp`: the logarithms of the running sums of eˣ along an axis, computed so that nothing overflows.
public enum CumulativeLogsumexp: Operation, FloatKernel {
    public static let signature = Signature(
        ["x": "T", "axis": "Tidx"], to: ["out": "T"], types: ["T": DType.floats, "Tidx": DType.indices],
        defaults: ["exclusive": .bool(false), "reverse": .bool(false)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Cumsum.infer(node) }

    /// e^(x − out) summed from the other end, the positive and the negative gradients apart so that each has a logarithm.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (x, axis, y, dy) = (node.input(0), node.input(1), node.output(), node.upstream())
        let attributes: Attributes = [
            "exclusive": .bool(try node.attributes.bool("exclusive")),
            "reverse": .bool(try !node.attributes.bool("reverse")),
        ]
        let (zero, one) = (scalar(0, like: x), scalar(1, like: x))
        let lowest = scalar(
            x.dtype == .float64 ? -Double.greatestFiniteMagnitude : -Double(Float.greatestFiniteMagnitude), like: x)
        let part = { (sign: Node) -> Node in
            let isPart = greater(sign, zero)
            let logarithm = select(isPart, log(select(isPart, sign, one)), lowest)
            return exp(apply(CumulativeLogsumexp.self, [logarithm - y, axis], attributes) + x)
        }
        return [part(dy) - part(-dy), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.floating(Self.self, $0.outputs[0].dtype) }
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let axis = try normalize([binding.integer(1)], rank: extents.count)[0]
        let exclusive = try binding.attributes.bool("exclusive")
        let isReversed = try binding.attributes.bool("reverse")
        let (outer, n) = (extents[..<axis].reduce(1, *), extents[axis])
        let inner = extents[(axis + 1)...].reduce(1, *)
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            for run in 0..<outer * inner {
                let start = run / inner * n * inner + run % inner
                let (x, y) = (memory.pointer(input, Scalar.self) + start, memory.pointer(output, Scalar.self) + start)
                var total = -Scalar.infinity  // the logarithm of nothing summed yet
                for k in 0..<n {
                    let place = (isReversed ? n - 1 - k : k) * inner
                    let next = logSum(total, x[place])
                    y[place] = exclusive ? total : next
                    total = next
                }
            }
        }
    }

    /// log(eᵃ + eᵇ). As in TensorFlow, a NaN that follows nothing but nothing is passed over.
    private static func logSum<Scalar: NumericScalar & BinaryFloatingPoint>(_ a: Scalar, _ b: Scalar) -> Scalar {
        let (low, high) = (b < a ? b : a, a < b ? b : a)
        return high < Scalar.lowestFinite ? high : high + Scalar(log1p(exp(Double(low - high))))
    }
}
