/// `AddN`: the sum of tensors of one shape.
public enum AddN: ElementwiseOperation {
    public static let signature = Signature(
        ["inputs": "N * T"], to: ["sum": "T"], types: ["T": DType.numbers])
    public static func infer(_ node: Inference) throws -> [Shape] {
        guard var shape = node.inputs.first?.shape else { throw GraphError("takes at least one input") }
        for i in node.inputs.indices {
            guard let merged = shape.merged(with: node.shape(i)) else {
                throw GraphError("its inputs must have one shape, got \(shape) and, as input \(i), \(node.shape(i))")
            }
            shape = merged
        }
        return [shape]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { node.inputs.map { _ in node.upstream() } }
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x.dropFirst().reduce(x[0]) { $0 + $1 }
    }
}

/// `AccumulateNV2`: the sum of tensors of the shape that the attribute `shape` tells.
public enum AccumulateNV2: ElementwiseOperation {
    public static let signature = Signature(
        ["inputs": "N * T"], to: ["sum": "T"], types: ["T": DType.numbers], required: ["shape"])
    public static func infer(_ node: Inference) throws -> [Shape] {
        let (sum, told) = (try AddN.infer(node)[0], try node.attributes.shape("shape"))
        guard let shape = sum.merged(with: told) else {
            throw GraphError("its inputs must have the shape \(told) of its attribute 'shape', got \(sum)")
        }
        return [shape]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { AddN.gradient(node) }
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        AddN.expression(x, attributes)
    }
}

/// The sum of nodes of one shape; TensorFlow's `tf.add_n`. Traps on an empty list.
public func addN(
    _ terms: [any Operand], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(AddN.self, terms, [:], name, file, line) }
