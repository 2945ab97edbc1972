/// `Erfc`: 1 − erf(x), exact for large x.
public enum Erfc: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.erfc, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * (-2 / Double.pi.squareRoot() * exp(-square(node.input(0))))]
    }
}

/// `Erfinv`: the inverse of the error function; infinite at ±1, NaN beyond.
public enum Erfinv: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.erfinv, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * (Double.pi.squareRoot() / 2 * exp(square(node.output())))]
    }
}

/// `Ndtri`: the number below which a standard normal variable lies with the probability x; NaN outside [0, 1].
public enum Ndtri: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.ndtri, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * ((2 * Double.pi).squareRoot() * exp(0.5 * square(node.output())))]
    }
}

/// 1 − erf(x) element by element; TensorFlow's `tf.math.erfc`.
public func erfc(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Erfc.self, [x], [:], name, file, line) }

/// The inverse of the error function element by element; TensorFlow's `tf.math.erfinv`.
public func erfinv(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Erfinv.self, [x], [:], name, file, line) }

/// The quantile function of the standard normal distribution element by element; TensorFlow's `tf.math.ndtri`.
public func ndtri(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Ndtri.self, [x], [:], name, file, line) }
