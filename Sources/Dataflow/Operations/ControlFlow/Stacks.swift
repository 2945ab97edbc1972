/// `StackV2`: a stack of tensors that lives for one run; TensorFlow's loop gradients keep the forward pass's values in them.
public enum StackV2: DynamicOperation {
    public static let signature = Signature(
        ["max_size": "int32"], to: ["handle": "resource"], types: ["elem_type": DType.any],
        defaults: ["stack_name": .string("")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [call.resources.makeStack()] }
}

/// `StackPushV2`: puts a tensor on a stack, and yields it.
public enum StackPushV2: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource", "elem": "T"], to: ["output": "T"], types: ["T": DType.any],
        defaults: ["swap_memory": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(1)] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try call.resources.push(call.inputs[1], on: call.inputs[0])
        return [call.inputs[1]]
    }
}

/// `StackPopV2`: takes the topmost tensor from a stack.
public enum StackPopV2: DynamicOperation {
    public static let signature = Signature(
        ["handle": "resource"], to: ["elem": "elem_type"], types: ["elem_type": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [try call.resources.pop(call.inputs[0])] }
}

/// `StackCloseV2`: forgets a stack.
public enum StackCloseV2: DynamicOperation {
    public static let signature = Signature(["handle": "resource"], to: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        call.resources.closeStack(call.inputs[0])
        return []
    }
}
