/// `OptionalFromValue`: tensors as one value; TensorFlow's branches hand them to their gradients so.
public enum OptionalFromValue: ValueOperation {
    public static let signature = Signature(["components": "list Toutput_types"], to: ["optional": "variant"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let components = node.graph.add(
            OptionalGetValue.self, [node.upstream()],
            [
                "output_types": .types(node.inputs.map(\.dtype)), "output_shapes": .shapes(node.inputs.map(\.shape)),
            ])
        return node.inputs.indices.map(components.output)
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [Tensor(.optional(call.inputs.map(KeptTensor.init)))]
    }
}

/// `OptionalNone`: no tensors, from the branch that was not taken.
public enum OptionalNone: ValueOperation {
    public static let signature = Signature([:], to: ["optional": "variant"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [Tensor(.optional(nil))] }
}

/// `OptionalGetValue`: the tensors of an optional value.
public enum OptionalGetValue: ValueOperation {
    public static let signature = Signature(
        ["optional": "variant"], to: ["components": "list output_types"], required: ["output_shapes"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.types("output_types").count
        guard case .shapes(let shapes)? = node.attributes["output_shapes"], shapes.count == count else {
            return [Shape](repeating: .unknown, count: count)
        }
        return shapes
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.graph.add(OptionalFromValue.self, node.vertex.outputs.indices.map { node.upstream($0) }).node]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let types = try call.attributes.types("output_types")
        guard case .optional(let kept) = try call.inputs[0].variant() else {
            throw GraphError("its input is \(try call.inputs[0].variant().kind), not an optional value")
        }
        guard let components = kept?.map(\.tensor) else {
            throw GraphError("the optional value has no components")
        }
        guard components.map(\.dtype) == types else {
            throw GraphError("the optional value has \(components.map(\.dtype)), expected \(types)")
        }
        if case .shapes(let shapes)? = call.attributes["output_shapes"], shapes.count == types.count {
            for (component, shape) in zip(components, shapes) where !shape.isCompatible(with: component.shape) {
                throw GraphError("the optional value has a component \(component.shape), expected \(shape)")
            }
        }
        return components
    }
}
