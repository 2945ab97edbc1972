/// `LeakyRelu`: x above 0, alpha x below.
public enum LeakyRelu: ElementwiseOperation {
    public static let signature = Signature(
        ["features": "T"], to: ["activations": "T"], types: ["T": DType.floats], defaults: ["alpha": .float(0.2)])
    public static func expression(_ x: [Expression], _ attributes: Attributes) throws -> Expression {
        .where_(x[0] > 0, x[0], x[0] * .constant(Double(try attributes.float("alpha"))))
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(LeakyReluGrad.self, [node.upstream(), node.input(0)], try alpha(node))]
    }
}

/// `LeakyReluGrad`: the gradient where the feature is above 0, else alpha times it.
public enum LeakyReluGrad: ElementwiseOperation {
    public static let signature = Signature(
        ["gradients": "T", "features": "T"], to: ["backprops": "T"], types: ["T": DType.floats],
        defaults: ["alpha": .float(0.2)])
    public static func expression(_ x: [Expression], _ attributes: Attributes) throws -> Expression {
        .where_(x[1] > 0, x[0], x[0] * .constant(Double(try attributes.float("alpha"))))
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let features = node.input(1)
        return [apply(LeakyReluGrad.self, [node.upstream(), features], try alpha(node)), zerosLike(features)]
    }
}

private func alpha(_ node: GradientContext) throws -> Attributes {
    ["alpha": .float(try node.attributes.float("alpha"))]
}

/// x above 0, `alpha` x below, element by element; TensorFlow's `tf.nn.leaky_relu`.
public func leakyRelu(
    _ x: any Operand, alpha: Float = 0.2, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(LeakyRelu.self, [x], ["alpha": .float(alpha)], name, file, line) }
