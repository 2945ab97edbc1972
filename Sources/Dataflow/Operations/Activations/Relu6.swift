/// `Relu6`: x held between 0 and 6. Its derivative at both is 0.
public enum Relu6: ElementwiseOperation {
    public static let signature = Signature.unary(DType.numbers, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.min, .apply(.max, x[0], 0), 6)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(Relu6Grad.self, [node.upstream(), node.output()])]
    }
}

/// `Relu6Grad`: the gradient where the feature (or the activation) is between 0 and 6, else 0.
public enum Relu6Grad: ElementwiseOperation {
    public static let signature = ReluGrad.signature
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[0] * .where_(x[1] > 0 && x[1] < 6, 1, 0)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(Relu6Grad.self, [node.upstream(), node.input(1)]), zerosLike(node.input(1))]
    }
}

/// x held between 0 and 6, element by element; TensorFlow's `tf.nn.relu6`.
public func relu6(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Relu6.self, [x], [:], name, file, line) }
