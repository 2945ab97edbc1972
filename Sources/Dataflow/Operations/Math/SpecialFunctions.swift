/// `Erf`: the error function.
public enum Erf: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.erf, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * (2 / Double.pi.squareRoot() * exp(-square(node.input(0))))]
    }
}

/// `Lgamma`: the logarithm of the absolute value of the gamma function.
public enum Lgamma: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.lgamma, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * digamma(node.input(0))] }
}

/// `Digamma`: the derivative of the logarithm of the gamma function.
public enum Digamma: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.digamma, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let x = node.input(0)
        return [node.upstream() * apply(Polygamma.self, [onesLike(x), x])]
    }
}

/// `Polygamma`: the derivative of order `a` of digamma at x, broadcast.
public enum Polygamma: ElementwiseOperation {
    public static let signature = Signature(["a": "T", "x": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.polygamma, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (order, x) = (node.input(0), node.input(1))
        return unbroadcast((nil, node.upstream() * apply(Polygamma.self, [order + 1, x])), to: node)
    }
}

/// `Zeta`: the Hurwitz zeta function, the sum of (k + q)^−x over k ≥ 0, broadcast. No gradient flows to x.
public enum Zeta: ElementwiseOperation {
    public static let signature = Signature(["x": "T", "q": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.zeta, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, q) = (node.input(0), node.input(1))
        return unbroadcast((nil, node.upstream() * (-x * zeta(x + 1, q))), to: node)
    }
}

/// The error function element by element; TensorFlow's `tf.math.erf`.
public func erf(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Erf.self, [x], [:], name, file, line) }

/// log |Γ(x)| element by element; TensorFlow's `tf.math.lgamma`.
public func lgamma(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Lgamma.self, [x], [:], name, file, line) }

/// The derivative of log Γ(x) element by element; TensorFlow's `tf.math.digamma`.
public func digamma(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Digamma.self, [x], [:], name, file, line) }

/// The sum of (k + q)^−x over k ≥ 0, element by element, broadcast; TensorFlow's `tf.math.zeta`.
@_disfavoredOverload
public func zeta(
    _ x: any TensorOperand, _ q: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Zeta.self, [x, q], name, file, line) }
