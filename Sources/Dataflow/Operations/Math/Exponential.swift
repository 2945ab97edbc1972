/// `Exp`: eˣ.
public enum Exp: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.exp, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * node.output()] }
}

/// `Expm1`: eˣ − 1, exact near 0.
public enum Expm1: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.expm1, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * exp(node.input(0))] }
}

/// `Log`: the natural logarithm; −infinity at 0, NaN below.
public enum Log: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.log, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * reciprocal(node.input(0))] }
}

/// `Log1p`: log(1 + x), exact near 0.
public enum Log1p: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.log1p, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * reciprocal(1 + node.input(0))]
    }
}

/// `Pow`: xʸ, broadcast. The gradient by y is 0 where x is not above 0.
public enum Pow: ElementwiseOperation {
    public static let signature = Signature.binary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.pow, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, z, dz) = (node.input(0), node.input(1), node.output(), node.upstream())
        // Where x is not positive its logarithm is not asked for, so that no NaN gets into the sum.
        let positive = greater(x, scalar(0, like: x))
        let logarithm = select(positive, log(select(positive, x, scalar(1, like: x))), scalar(0, like: x))
        return unbroadcast((dz * y * pow(x, y - 1), dz * z * logarithm), to: node)
    }
}

/// eˣ element by element; TensorFlow's `tf.exp`.
public func exp(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Exp.self, [x], [:], name, file, line) }

/// eˣ − 1 element by element; TensorFlow's `tf.math.expm1`.
public func expm1(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Expm1.self, [x], [:], name, file, line) }

/// The natural logarithm element by element; TensorFlow's `tf.math.log`.
public func log(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Log.self, [x], [:], name, file, line) }

/// log(1 + x) element by element; TensorFlow's `tf.math.log1p`.
public func log1p(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Log1p.self, [x], [:], name, file, line) }

/// xʸ element by element, broadcast; TensorFlow's `tf.pow`.
@_disfavoredOverload
public func pow(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Pow.self, [x, y], name, file, line) }
