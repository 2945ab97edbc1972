/// `Softplus`: log(1 + eˣ), as max(x, 0) + log(1 + e^−|x|), which cannot overflow.
public enum Softplus: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.max, x[0], 0) + .apply(.log1p, .apply(.exp, -.apply(.abs, x[0])))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(SoftplusGrad.self, [node.upstream(), node.input(0)])]
    }
}

/// `SoftplusGrad`: the gradient times the sigmoid of the feature.
public enum SoftplusGrad: ElementwiseOperation {
    public static let signature = Signature.activationGradient("gradients", "features", output: "backprops")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[0] / (.apply(.exp, -x[1]) + 1)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (dy, x, upstream) = (node.input(0), node.input(1), node.upstream())
        return [apply(SoftplusGrad.self, [upstream, x]), upstream * dy / (exp(-x) + 2 + exp(x))]
    }
}

/// log(1 + eˣ) element by element; TensorFlow's `tf.nn.softplus`.
public func softplus(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Softplus.self, [x], [:], name, file, line) }
