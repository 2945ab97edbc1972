/// `Sinh`: the hyperbolic sine.
public enum Sinh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.sinh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * cosh(node.input(0))] }
}

/// `Cosh`: the hyperbolic cosine.
public enum Cosh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.cosh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * sinh(node.input(0))] }
}

/// `Asinh`: the inverse hyperbolic sine.
public enum Asinh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.asinh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() / cosh(node.output())] }
}

/// `Acosh`: the inverse hyperbolic cosine; NaN below 1.
public enum Acosh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.acosh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() / sinh(node.output())] }
}

/// `Atanh`: the inverse hyperbolic tangent; NaN beyond ±1.
public enum Atanh: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.atanh, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * reciprocal(1 - square(node.input(0)))]
    }
}

/// The hyperbolic sine element by element; TensorFlow's `tf.sinh`.
public func sinh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Sinh.self, [x], [:], name, file, line) }

/// The hyperbolic cosine element by element; TensorFlow's `tf.cosh`.
public func cosh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Cosh.self, [x], [:], name, file, line) }

/// The inverse hyperbolic sine element by element; TensorFlow's `tf.asinh`.
public func asinh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Asinh.self, [x], [:], name, file, line) }

/// The inverse hyperbolic cosine element by element; TensorFlow's `tf.acosh`.
public func acosh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Acosh.self, [x], [:], name, file, line) }

/// The inverse hyperbolic tangent element by element; TensorFlow's `tf.atanh`.
public func atanh(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Atanh.self, [x], [:], name, file, line) }
