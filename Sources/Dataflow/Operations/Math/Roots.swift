/// `Sqrt`: the square root; NaN below 0.
public enum Sqrt: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.sqrt, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(SqrtGrad.self, [node.output(), node.upstream()])]
    }
}

/// `SqrtGrad`: dy / (2 y), where y is the square root.
public enum SqrtGrad: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        nothing(of: x[1], x[1] * 0.5 / x[0])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let quotient = node.upstream() / node.input(0)
        return [-(quotient * node.output()), 0.5 * quotient]
    }
}

/// `Rsqrt`: 1 / √x.
public enum Rsqrt: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { 1 / .apply(.sqrt, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(RsqrtGrad.self, [node.output(), node.upstream()])]
    }
}

/// `RsqrtGrad`: −dy y³ / 2, where y is the reciprocal of the square root.
public enum RsqrtGrad: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        nothing(of: x[1], x[1] * -0.5 * (x[0] * x[0] * x[0]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (y, dy, upstream) = (node.input(0), node.input(1), node.upstream())
        return [-1.5 * upstream * dy * square(y), apply(RsqrtGrad.self, [y, upstream])]
    }
}

/// `Reciprocal`: 1 / x.
public enum Reciprocal: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { 1 / x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(ReciprocalGrad.self, [node.output(), node.upstream()])]
    }
}

/// `ReciprocalGrad`: −dy y², where y is the reciprocal.
public enum ReciprocalGrad: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        nothing(of: x[1], -x[1] * (x[0] * x[0]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { reciprocalGradient(node) }
}

/// `Inv`: 1 / x, as older graphs name it.
public enum Inv: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { 1 / x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [apply(InvGrad.self, [node.output(), node.upstream()])]
    }
}

/// `InvGrad`: −dy y², where y is the reciprocal.
public enum InvGrad: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "dy": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        nothing(of: x[1], -x[1] * (x[0] * x[0]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { reciprocalGradient(node) }
}

/// As in TensorFlow, a gradient of 0 stays 0 even where the derivative is none.
private func nothing(of gradient: Expression, _ product: Expression) -> Expression {
    .where_(gradient == 0, 0, product)
}

private func reciprocalGradient(_ node: GradientContext) -> [Node?] {
    let (y, dy, upstream) = (node.input(0), node.input(1), node.upstream())
    return [-2 * upstream * dy * y, apply(ReciprocalGrad.self, [y, upstream])]
}

/// The square root element by element; TensorFlow's `tf.sqrt`.
public func sqrt(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Sqrt.self, [x], [:], name, file, line) }

/// 1 / √x element by element; TensorFlow's `tf.math.rsqrt`.
public func rsqrt(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Rsqrt.self, [x], [:], name, file, line) }

/// 1 / x element by element; TensorFlow's `tf.math.reciprocal`.
public func reciprocal(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Reciprocal.self, [x], [:], name, file, line) }
