/// `Tanh`: the hyperbolic tangent.
public enum Tanh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.tanh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(TanhGrad.self, [node.output(), node.upstream()])]
    }
}

/// `TanhGrad`: dy (1 − y²), where y is the hyperbolic tangent.
public enum TanhGrad: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[1] * (1 - x[0] * x[0])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (y, dy, upstream) = (node.input(0), node.input(1), node.upstream())
        return [-2 * upstream * dy * y, apply(TanhGrad.self, [y, upstream])]
    }
}

/// The hyperbolic tangent element by element; TensorFlow's `tf.tanh`.
public func tanh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Tanh.self, [x], [:], name, file, line) }
