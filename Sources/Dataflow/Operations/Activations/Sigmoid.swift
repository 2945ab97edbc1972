/// `Sigmoid`: 1 / (1 + e^−x).
public enum Sigmoid: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.sigmoid, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(SigmoidGrad.self, [node.output(), node.upstream()])]
    }
}

/// `SigmoidGrad`: dy · y · (1 − y), where y is the sigmoid.
public enum SigmoidGrad: ElementwiseOperation {
    public static let signature = Signature(
        ["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        x[1] * (x[0] * (1 - x[0]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (y, dy, upstream) = (node.input(0), node.input(1), node.upstream())
        return [upstream * dy * (1 - 2 * y), apply(SigmoidGrad.self, [y, upstream])]
    }
}

/// 1 / (1 + e^−x) element by element; TensorFlow's `tf.sigmoid`.
public func sigmoid(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Sigmoid.self, [x], [:], name, file, line) }
