/// `Abs`: |x|. Its derivative at 0 is 0.
public enum Abs: ElementwiseOperation {
    public static let signature = Signature.unary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.abs, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * sign(node.input(0))] }
}

/// `Sign`: −1, 0 or 1. Its derivative is 0.
public enum Sign: ElementwiseOperation {
    public static let signature = Signature.unary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.sign, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [zerosLike(node.input(0))] }
}

/// `Maximum`: the larger of x and y, broadcast. Where they are equal the gradient goes to x.
public enum Maximum: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.max, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let first = greaterEqual(node.input(0), node.input(1))
        let zeros = scalar(0, like: node.upstream())
        return unbroadcast((select(first, node.upstream(), zeros), select(first, zeros, node.upstream())), to: node)
    }
}

/// `Minimum`: the smaller of x and y, broadcast. Where they are equal the gradient goes to x.
public enum Minimum: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.min, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let first = lessEqual(node.input(0), node.input(1))
        let zeros = scalar(0, like: node.upstream())
        return unbroadcast((select(first, node.upstream(), zeros), select(first, zeros, node.upstream())), to: node)
    }
}

/// `ClipByValue`: t held between two bounds, each a scalar or of t's shape. A bound gets the gradient where it is passed.
public enum ClipByValue: ElementwiseOperation {
    public static let signature = Signature(
        ["t": "T", "clip_value_min": "T", "clip_value_max": "T"], to: ["output": "T"], types: ["T": DType.numbers])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        // A NaN stays, one as a limit limits nothing.
        let clipped = Expression.where_(x[2] < x[0], x[2], x[0])
        return .where_(clipped < x[1], x[1], clipped)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (t, low, high, upstream) = (node.input(0), node.input(1), node.input(2), node.upstream())
        let (below, above, zeros) = (less(t, low), greater(t, high), scalar(0, like: upstream))
        return [
            select(logicalOr(below, above), zeros, upstream),
            unbroadcast(select(below, upstream, zeros), to: low, from: node.output()),
            unbroadcast(select(above, upstream, zeros), to: high, from: node.output()),
        ]
    }
}

/// |x| element by element; TensorFlow's `tf.abs`.
public func abs(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Abs.self, [x], [:], name, file, line) }

/// −1, 0 or 1 element by element; TensorFlow's `tf.sign`.
public func sign(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Sign.self, [x], [:], name, file, line) }

/// The larger of x and y element by element, broadcast; TensorFlow's `tf.maximum`.
@_disfavoredOverload
public func maximum(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Maximum.self, [x, y], name, file, line) }

/// The smaller of x and y element by element, broadcast; TensorFlow's `tf.minimum`.
@_disfavoredOverload
public func minimum(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Minimum.self, [x, y], name, file, line) }

/// `x` held between `min` and `max`, each a scalar or of the shape of `x`; TensorFlow's `tf.clip_by_value`.
@_disfavoredOverload
public func clip(
    _ x: any Operand, _ min: any TensorOperand, _ max: any TensorOperand, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { applyAlike(ClipByValue.self, [x, min, max], name, file, line) }
