/// `OptionalFromValue`: tensors as one value; TensorFlow's branches hand them to their gradients so.
public enum OptionalFromValue: ValueOperation {
    public static let signature = Signature(["components": "list Toutput_types"], to: ["optional": "variant"])
    public static func infer(_ node: Inference) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [call.functions.lists.make(call.inputs)] }
}

/// `OptionalNone`: no tensors, from the branch that was not taken.
public enum OptionalNone: ValueOperation {
    public static let signature = Signature([:], to: ["optional": "variant"])
    public static func infer(_ node: Inference) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [TensorLists.empty] }
}

/// `OptionalGetValue`: the tensors of an optional value.
public enum OptionalGetValue: ValueOperation {
    public static let signature = Signature(
        ["optional": "variant"], to: ["components": "list output_types"], required: ["output_shapes"])

    public static func infer(_ node: Inference) throws -> [Shape] {
        let count = try node.attributes.types("output_types").count
        guard case .shapes(let shapes)? = node.attributes["output_shapes"], shapes.count == count else {
            return [Shape](repeating: .unknown, count: count)
        }
        return shapes
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (types, values) = (
            try call.attributes.types("output_types"), try call.functions.lists.all(call.inputs[0])
        )
        guard values.map(\.dtype) == types else {
            throw GraphError("the optional value has \(values.map(\.dtype)), expected \(types)")
        }
        return values
    }
}
