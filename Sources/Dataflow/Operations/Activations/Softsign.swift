/// `Softsign`: x / (1 + |x|).
public enum Softsign: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats, input: "features", output: "activations")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[0] / (.apply(.abs, x[0]) + 1)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(SoftsignGrad.self, [node.upstream(), node.input(0)])]
    }
}

/// `SoftsignGrad`: the gradient over (1 + |x|)².
public enum SoftsignGrad: ElementwiseOperation {
    public static let signature = Signature.activationGradient("gradients", "features", output: "backprops")
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[0] / ((.apply(.abs, x[1]) + 1) * (.apply(.abs, x[1]) + 1))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (dy, x, upstream) = (node.input(0), node.input(1), node.upstream())
        let slope = apply(SoftsignGrad.self, [upstream, x])
        return [slope, -2 * slope * dy * sign(x) / (abs(x) + 1)]
    }
}

/// x / (1 + |x|) element by element; TensorFlow's `tf.nn.softsign`.
public func softsign(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Softsign.self, [x], [:], name, file, line) }
