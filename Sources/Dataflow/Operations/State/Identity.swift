/// `Identity`: the same value under another name; of a Variable, its value.
public enum Identity: Operation {
    public static let signature = Signature.unary(DType.any, input: "input", output: "output")
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// `StopGradient`: the same value, through which no gradient flows.
public enum StopGradient: Operation {
    public static let signature = Identity.signature
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// `NoOp`: does nothing, after its control inputs.
public enum NoOp: Operation {
    public static var hostReason: String? { HostReason.nothing }
    public static let signature = Signature([:], to: [:])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { { _ in } }
}

/// `IdentityN`: the same values, of any dtypes, together under another name.
public enum IdentityN: Operation {
    public static let signature = Signature(
        ["input": "list T"], to: ["output": "list T"], types: ["T": DType.moved + [.variant]])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard !node.inputs.isEmpty else { throw GraphError("takes at least one input") }
        return node.inputs.map(\.shape)
    }
    /// Lists are passed on as values: copies of their memory would stand for nothing.
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs.contains(where: { $0.dtype == .variant }) else { return nil }
        let values = node.inputs.indices.compactMap { node.constant($0) }
        return values.count == node.inputs.count ? values.map { $0.kept() } : nil
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        node.inputs.indices.map { node.hasUpstream($0) ? node.upstream($0) : nil }
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let copies = binding.inputs.indices.map { i in
            (
                from: binding.input(i), to: binding.output(i), bytes: binding.count(i) * binding.inputs[i].dtype.size
            )
        }
        return { memory in
            for copy in copies where copy.bytes > 0 {
                memory.raw(copy.to).copyMemory(from: memory.raw(copy.from), byteCount: copy.bytes)
            }
        }
    }
}

/// `Snapshot`: the same value, as graph optimizers write it.
public enum Snapshot: Operation {
    public static let signature = Identity.signature
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// The same value under another name; TensorFlow's `tf.identity`.
public func identity(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Identity.self, [x], [:], name, file, line) }

/// The same value, through which no gradient flows; TensorFlow's `tf.stop_gradient`.
public func stopGradient(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(StopGradient.self, [x], [:], name, file, line) }
