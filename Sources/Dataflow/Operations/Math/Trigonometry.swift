/// `Sin`: the sine of an angle in radians.
public enum Sin: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.sin, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * cos(node.input(0))] }
}

/// `Cos`: the cosine of an angle in radians.
public enum Cos: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.cos, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [-node.upstream() * sin(node.input(0))] }
}

/// `Tan`: the tangent of an angle in radians.
public enum Tan: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.tan, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * square(reciprocal(cos(node.input(0))))]
    }
}

/// `Asin`: the inverse sine in radians.
public enum Asin: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.asin, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * reciprocal(sqrt(1 - square(node.input(0))))]
    }
}

/// `Acos`: the inverse cosine in radians.
public enum Acos: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.acos, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [-node.upstream() * reciprocal(sqrt(1 - square(node.input(0))))]
    }
}

/// `Atan`: the inverse tangent in radians.
public enum Atan: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.atan, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * reciprocal(1 + square(node.input(0)))]
    }
}

/// `Atan2`: the angle of the point (x, y) in radians, broadcast. Its first input is y.
public enum Atan2: ElementwiseOperation {
    public static let signature = Signature(["y": "T", "x": "T"], to: ["z": "T"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.atan2, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (y, x) = (node.input(0), node.input(1))
        let scaled = node.upstream() / (square(x) + square(y))
        return unbroadcast((x * scaled, -y * scaled), to: node)
    }
}

/// The sine element by element; TensorFlow's `tf.sin`.
public func sin(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Sin.self, [x], [:], name, file, line) }

/// The cosine element by element; TensorFlow's `tf.cos`.
public func cos(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Cos.self, [x], [:], name, file, line) }

/// The tangent element by element; TensorFlow's `tf.tan`.
public func tan(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Tan.self, [x], [:], name, file, line) }

/// The inverse sine element by element; TensorFlow's `tf.asin`.
public func asin(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Asin.self, [x], [:], name, file, line) }

/// The inverse cosine element by element; TensorFlow's `tf.acos`.
public func acos(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Acos.self, [x], [:], name, file, line) }

/// The inverse tangent element by element; TensorFlow's `tf.atan`.
public func atan(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Atan.self, [x], [:], name, file, line) }

/// The angle of the point (x, y), element by element, broadcast; TensorFlow's `tf.atan2`.
@_disfavoredOverload
public func atan2(
    _ y: any TensorOperand, _ x: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Atan2.self, [y, x], name, file, line) }
