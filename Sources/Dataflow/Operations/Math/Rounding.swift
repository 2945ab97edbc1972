/// `Floor`: the largest integer not above x. No gradient flows.
public enum Floor: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.floor, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `Ceil`: the smallest integer not below x. No gradient flows.
public enum Ceil: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.ceil, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `Round`: the nearest integer, halves to the even one. No gradient flows.
public enum Round: ElementwiseOperation {
    public static let signature = Signature.unary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.rint, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `Rint`: the nearest integer, halves to the even one. No gradient flows.
public enum Rint: ElementwiseOperation {
    public static let signature = Signature.unary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.rint, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// The largest integer not above x; TensorFlow's `tf.floor`.
public func floor(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Floor.self, [x], [:], name, file, line) }

/// The smallest integer not below x; TensorFlow's `tf.math.ceil`.
public func ceil(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Ceil.self, [x], [:], name, file, line) }

/// The nearest integer, halves to the even one; TensorFlow's `tf.round`.
public func round(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Round.self, [x], [:], name, file, line) }

/// The nearest integer, halves to the even one; TensorFlow's `tf.math.rint`.
public func rint(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Rint.self, [x], [:], name, file, line) }
