/// `Range`: start, start + delta, … up to but without limit.
public enum RangeOperation: Operation, NumericKernel {
    public static var hostReason: String? { HostReason.indices }
    public static var name: String { "Range" }
    public static let signature = Signature(
        ["start": "Tidx", "limit": "Tidx", "delta": "Tidx"], to: ["output": "Tidx"], types: ["Tidx": DType.signed])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let start = node.constant(0)?.knownDoubles.first, let limit = node.constant(1)?.knownDoubles.first,
            let delta = node.constant(2)?.knownDoubles.first
        else { return [[nil]] }
        guard delta != 0, (limit - start) * delta >= 0 else {
            throw GraphError("no steps of \(delta) lead from \(start) to \(limit)")
        }
        let count = ((limit - start) / delta).rounded(.up)
        guard count < 1e12 else { throw GraphError("\(count) elements are too many") }
        return [[Int(count)]]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (start, delta, out, count) = (binding.input(0), binding.input(2), binding.output(), binding.outputCount())
        return { memory in
            var value = memory.pointer(start, Scalar.self).pointee
            let step = memory.pointer(delta, Scalar.self).pointee
            for i in 0..<count {
                memory.pointer(out, Scalar.self)[i] = value
                value = Scalar.wrappingAdd(value, step)
            }
        }
    }
}

/// The int32 numbers from `start` up to but without `limit`; TensorFlow's `tf.range`.
public func range(_ start: Int, _ limit: any Operand, file: StaticString = #fileID, line: UInt = #line) -> Node {
    applyAlike(RangeOperation.self, [start, limit, 1], nil, file, line)
}
