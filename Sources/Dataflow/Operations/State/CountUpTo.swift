/// `CountUpTo`: the value of a scalar Variable, which is then one more; a run that finds it at the attribute `limit` (or
/// beyond) throws.
public enum CountUpTo: Operation {
    public static let signature = Signature(
        ["ref": "ref T"], to: ["output": "T"], types: ["T": DType.indices], required: ["limit"])
    public static var isStateful: Bool { true }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).isCompatible(with: []) else {
            throw GraphError("the Variable must be a scalar, got the shape \(node.shape(0))")
        }
        return [[]]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try countingKernel(Self.self, binding) }
}

/// `ResourceCountUpTo`: `CountUpTo` over a handle.
public enum ResourceCountUpTo: Operation {
    public static let signature = Signature(
        ["resource": "resource"], to: ["output": "T"], types: ["T": DType.indices], required: ["limit"])
    public static var isStateful: Bool { true }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try CountUpTo.infer(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try countingKernel(Self.self, binding) }
}

private func countingKernel(_ operation: any Operation.Type, _ binding: KernelBinding) throws -> Kernel {
    let limit = try binding.attributes.int("limit")
    let (variable, out) = (binding.input(0), binding.output())
    func counting<Scalar: NumericScalar & FixedWidthInteger>(_ type: Scalar.Type) -> Kernel {
        return { memory in
            let (counter, output) = (memory.pointer(variable, type), memory.pointer(out, type))
            guard Int(counter.pointee) < limit else {
                throw GraphError("OutOfRange: the counter is \(counter.pointee) and has reached its limit of \(limit)")
            }
            output.pointee = counter.pointee
            counter.pointee &+= 1
        }
    }
    return binding.outputs[0].dtype == .int32 ? counting(Int32.self) : counting(Int64.self)
}
