/// `EmptyTensorList`: a list without elements; loops keep what their gradients need in lists.
public enum EmptyTensorList: ValueOperation {
    public static let signature = Signature(
        ["element_shape": "shape_type", "max_num_elements": "int32"], to: ["handle": "variant"],
        types: ["shape_type": DType.indices, "element_dtype": DType.any])
    public static func infer(_ node: Inference) throws -> [Shape] { [[]] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [TensorLists.empty] }
}

/// `TensorListPushBack`: the list with one more element at its end.
public enum TensorListPushBack: ValueOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "tensor": "element_dtype"], to: ["output_handle": "variant"],
        types: ["element_dtype": DType.any])
    public static func infer(_ node: Inference) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [try call.functions.lists.push(call.inputs[1], on: call.inputs[0])]
    }
}

/// `TensorListPopBack`: the list without its last element, and that element.
public enum TensorListPopBack: ValueOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "element_shape": "int32"],
        to: ["output_handle": "variant", "tensor": "element_dtype"], types: ["element_dtype": DType.any])
    public static func infer(_ node: Inference) throws -> [Shape] { [[], elementShape(node.integers(1))] }

    /// The shape that an `element_shape` says: −1 is unknown, a scalar −1 a wholly unknown shape.
    private static func elementShape(_ extents: [Int]?) -> Shape {
        guard let extents, extents.allSatisfy({ $0 >= 0 }) else { return .unknown }
        return Shape(extents)
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (rest, last) = try call.functions.lists.pop(call.inputs[0])
        guard last.dtype == (try call.attributes.type("element_dtype")) else {
            throw GraphError("the list holds \(last.dtype)")
        }
        // A scalar's shape has no elements either, but is a vector of none.
        let told = call.inputs[1].shape.rank == 0 ? Shape.unknown : elementShape(call.inputs[1].integers)
        guard told.isCompatible(with: last.shape) else {
            throw GraphError("the list's last element has the shape \(last.shape), expected \(told)")
        }
        return [rest, last]
    }
}

/// `TensorListLength`: how many elements a list has.
public enum TensorListLength: ValueOperation {
    public static let signature = Signature(["input_handle": "variant"], to: ["length": "int32"])
    public static func infer(_ node: Inference) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [Tensor(Int32(clamping: try call.functions.lists.length(call.inputs[0])))]
    }
}
