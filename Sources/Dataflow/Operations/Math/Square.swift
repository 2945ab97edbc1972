/// `Square`: x².
public enum Square: ElementwiseOperation {
    public static let signature = Signature.unary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] * x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [node.upstream() * (node.input(0) * 2)] }
}

/// x² element by element; TensorFlow's `tf.square`.
public func square(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Square.self, [x], [:], name, file, line) }
