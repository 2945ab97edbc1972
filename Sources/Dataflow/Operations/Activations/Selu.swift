/// The constants of Klambauer et al., "Self-Normalizing Neural Networks".
private let scale: Expression = 1.0507009873554804934193349852946
private let scaledAlpha: Expression = 1.7580993408473768599402175208123

/// `Selu`: x above 0, α (eˣ − 1) below, both scaled (Klambauer et al., 2017).
public enum Selu: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0] < 0, scaledAlpha * .apply(.expm1, x[0]), scale * x[0])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(SeluGrad.self, [node.upstream(), node.output()])]
    }
}

/// `SeluGrad`: the gradient times y + scaled α where the activation y is below 0, else times the scale.
public enum SeluGrad: ElementwiseOperation {
    public static let signature = Signature.activationGradient("gradients", "outputs", output: "backprops")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[1] < 0, x[0] * (x[1] + scaledAlpha), x[0] * scale)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (gradients, y, upstream) = (node.input(0), node.input(1), node.upstream())
        return [
            apply(SeluGrad.self, [upstream, y]),
            select(less(y, scalar(0, like: y)), upstream * gradients, scalar(0, like: y)),
        ]
    }
}

/// Scaled exponential linear units (Klambauer et al., 2017); TensorFlow's `tf.nn.selu`.
public func selu(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Selu.self, [x], [:], name, file, line) }
