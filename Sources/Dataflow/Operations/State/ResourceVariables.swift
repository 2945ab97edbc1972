/// `VarHandleOp`: a handle of a Variable, TensorFlow's `tf.get_variable(…, use_resource=True)`.
///
/// The shape of the handle, as far as this graph is concerned, is that of what it stands for.
public enum VarHandleOp: Operation {
    public static let signature = Signature(
        [:], to: ["resource": "resource"], types: ["dtype": DType.moved],
        defaults: [
            "container": .string(""), "shared_name": .string(""), "debug_name": .string(""),
            "allowed_devices": .strings([]),
        ], required: ["shape"])
    public static var isStateful: Bool { true }
    public static var isVariable: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try node.attributes.shape("shape")] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("a Variable's memory is bound by the plan")
    }
}

/// `ReadVariableOp`: the value of a Variable.
public enum ReadVariableOp: Operation {
    public static let signature = Signature(
        ["resource": "resource"], to: ["value": "dtype"], types: ["dtype": DType.moved])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    /// As TensorFlow's, the gradient by a handle is that by its value.
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [node.upstream()] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// `VariableShape`: the extents of a Variable.
public enum VariableShape: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["input": "resource"], to: ["output": "out_type"], types: ["out_type": DType.indices],
        defaults: ["out_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try ShapeOperation.infer(node) }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { try ShapeOperation.fold(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `VarIsInitializedOp`: whether a Variable has a value.
public enum VarIsInitializedOp: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(["resource": "resource"], to: ["is_initialized": "bool"])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try IsVariableInitialized.kernel(binding) }
}

/// `DisableCopyOnRead`: says in TensorFlow that reads need no copy, as its savers do. Here it does nothing.
public enum DisableCopyOnRead: Operation {
    public static let signature = Signature(["resource": "resource"], to: [:])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { { _ in } }
}

/// `AssignVariableOp`: gives a Variable a value of its dtype and shape.
public enum AssignVariableOp: Operation {
    public static let signature = Signature(
        ["resource": "resource", "value": "dtype"], to: [:], types: ["dtype": DType.moved],
        defaults: ["validate_shape": .bool(false)])
    public static var isStateful: Bool { true }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try Assign.infer(node)
        return []
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try Assign.kernel(binding) }
}

/// `AssignAddVariableOp`: adds to a Variable in place.
public enum AssignAddVariableOp: ElementwiseUpdate {
    public static let signature = Signature(
        ["resource": "resource", "value": "dtype"], to: [:], types: ["dtype": DType.numbers])
    public static var aliases: [Int: Int] { [:] }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try AssignVariableOp.infer(node) }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] { [x[0] + x[1]] }
}

/// `AssignSubVariableOp`: subtracts from a Variable in place.
public enum AssignSubVariableOp: ElementwiseUpdate {
    public static let signature = AssignAddVariableOp.signature
    public static var aliases: [Int: Int] { [:] }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try AssignVariableOp.infer(node) }
    public static func update(_ x: [Expression], _ attributes: Attributes) -> [Expression] { [x[0] - x[1]] }
}

extension AssignVariableOp: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try Assign.gpu(binding) }
}
