/// `IsVariableInitialized`: whether a Variable has a value.
public enum IsVariableInitialized: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["ref": "ref dtype"], to: ["is_initialized": "bool"], types: ["dtype": DType.moved])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (variable, out) = (binding.variable, binding.output())
        return { memory in memory.pointer(out, Bool.self).pointee = variable?.isInitialized ?? false }
    }
}
