/// `AddN`: the sum of tensors of one shape, or of lists of tensors of one length.
public enum AddN: ElementwiseOperation {
    public static let signature = Signature(
        ["inputs": "N * T"], to: ["sum": "T"], types: ["T": DType.numbers + [.variant]])
    /// Lists are added up as values: they have no memory for a kernel to work on.
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs.first?.dtype == .variant else { return nil }
        let terms = node.inputs.indices.compactMap { node.constant($0) }
        guard terms.count == node.inputs.count, let first = terms.first else { return nil }
        return [try terms.dropFirst().reduce(first) { try Tensor.sum($0, $1) }]
    }
    public static func isElementwise(_ attributes: Attributes) -> Bool { attributes["T"] != .type(.variant) }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
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
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
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

/// The sum of nodes of one shape; TensorFlow's `tf.add_n`. An empty list is a mistake of what uses the sum.
public func addN(
    _ terms: [any Operand], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(AddN.self, terms, [:], name, file, line) }
