/// `Relu`: max(x, 0); NaN stays NaN. Its derivative at 0 is 0.
public enum Relu: ElementwiseOperation {
    public static let signature = Signature.unary(DType.numbers, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.max, x[0], 0) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(ReluGrad.self, [node.upstream(), node.output()])]
    }
}

/// `ReluGrad`: the gradient where the feature (or the activation) is above 0, else 0.
public enum ReluGrad: ElementwiseOperation {
    public static let signature = Signature(
        ["gradients": "T", "features": "T"], to: ["backprops": "T"], types: ["T": DType.numbers])
    /// A product, in which a NaN stays one.
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[0] * .where_(x[1] > 0, 1, 0)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(ReluGrad.self, [node.upstream(), node.input(1)]), zerosLike(node.input(1))]
    }
}

/// max(x, 0) element by element; TensorFlow's `tf.nn.relu`.
public func relu(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Relu.self, [x], [:], name, file, line) }
