/// `EnsureShape`: the same value, whose shape must fit the attribute `shape`; a run whose value's does not throws.
public enum EnsureShape: Operation {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "T"], types: ["T": DType.moved], required: ["shape"])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = try node.attributes.shape("shape")
        guard let both = shape.merged(with: node.shape(0)) else {
            throw GraphError("the input must have the shape \(shape), got \(node.shape(0))")
        }
        return [both]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// `PreventGradient`: the same value; that it is differentiated is a mistake, told in the words of `message`.
public enum PreventGradient: Operation {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "T"], types: ["T": DType.moved], defaults: ["message": .string("")])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let message = try node.attributes.string("message")
        throw GraphError("its input must not be differentiated" + (message.isEmpty ? "" : ": \(message)"))
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// `CheckNumerics`: the same value; a run in which it holds an infinity or a NaN throws, with the attribute `message`.
public enum CheckNumerics: Operation {
    public static var hostReason: String? { HostReason.check }
    public static let signature = Signature(
        ["tensor": "T"], to: ["output": "T"], types: ["T": DType.floating], required: ["message"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let message = try node.attributes.string("message")
        return [
            checkNumerics(
                node.upstream(), message: "Not a number (NaN) or infinity (Inf) values detected in gradient. \(message)"
            )
        ]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try checkingKernel(Self.self, binding) }
}

/// `CheckNumericsV2`: as `CheckNumerics`; the error also tells −infinity from infinity, as all of ours do.
public enum CheckNumericsV2: Operation {
    public static var hostReason: String? { HostReason.check }
    public static let signature = CheckNumerics.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try CheckNumerics.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try checkingKernel(Self.self, binding) }
}

private func checkingKernel(_ operation: any Operation.Type, _ binding: KernelBinding) throws -> Kernel {
    let message = try binding.attributes.string("message")
    let (copy, input, count) = (Copy.kernel(binding), binding.input(0), binding.count(0))
    // Where the first such element is, and what it is.
    let find: (RunMemory) -> (index: Int, value: Double)? =
        switch binding.inputs[0].dtype {
        case .float64: { first($0.pointer(input, Double.self), count) { $0 } }
        case .bfloat16: { first($0.pointer(input, BFloat16.self), count) { Double($0.float) } }
        default: { first($0.pointer(input, Float.self), count) { Double($0) } }
        }
    return { memory in
        if let found = find(memory) {
            throw GraphError("\(message): element \(found.index) is \(found.value)")
        }
        try copy(memory)
    }
}

@inline(__always)
private func first<Element>(
    _ x: UnsafeMutablePointer<Element>, _ count: Int, _ number: (Element) -> Double
) -> (index: Int, value: Double)? {
    for i in 0..<count where !number(x[i]).isFinite { return (i, number(x[i])) }
    return nil
}

/// The same value, whose shape must fit `shape`; TensorFlow's `tf.ensure_shape`.
public func ensureShape(
    _ x: any Operand, _ shape: Shape, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(EnsureShape.self, [x], ["shape": .shape(shape)], name, file, line) }

/// The same value; a run in which it holds an infinity or a NaN throws an error with `message`; TensorFlow's
/// `tf.debugging.check_numerics`.
public func checkNumerics(
    _ x: any Operand, message: String, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(CheckNumerics.self, [x], ["message": .string(message)], name, file, line) }
