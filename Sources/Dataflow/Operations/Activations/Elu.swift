/// `Elu`: x above 0, eˣ − 1 below.
public enum Elu: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0] < 0, .apply(.expm1, x[0]), x[0])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(EluGrad.self, [node.upstream(), node.output()])]
    }
}

/// `EluGrad`: the gradient times y + 1 where the activation y is below 0.
public enum EluGrad: ElementwiseOperation {
    public static let signature = Signature.activationGradient("gradients", "outputs", output: "backprops")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[1] < 0, x[0] * (x[1] + 1), x[0])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (gradients, y, upstream) = (node.input(0), node.input(1), node.upstream())
        return [
            apply(EluGrad.self, [upstream, y]),
            select(less(y, scalar(0, like: y)), upstream * gradients, scalar(0, like: y)),
        ]
    }
}

/// x above 0, eˣ − 1 below, element by element; TensorFlow's `tf.nn.elu`.
public func elu(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Elu.self, [x], [:], name, file, line) }
