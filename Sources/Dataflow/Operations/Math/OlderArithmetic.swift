/// `Add`: x + y, broadcast, as graphs of TensorFlow 1 name it.
public enum Add: ElementwiseOperation {
    public static let signature = AddV2.signature
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] + x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { AddV2.gradient(node) }
}

/// `Div`: x / y, broadcast; of integers rounded toward zero, and 0 where y is 0.
public enum Div: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] / x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { RealDiv.gradient(node) }
}

/// `TruncateDiv`: x / y rounded toward zero, broadcast; an integer over 0 is 0. No gradient flows.
public enum TruncateDiv: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        let quotient = x[0] / x[1]
        return .where_(quotient < 0, .apply(.ceil, quotient), .apply(.floor, quotient))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `TruncateMod`: what x / y rounded toward zero leaves over, broadcast: the remainder with the sign of x.
/// Of integers 0 where y is 0. TensorFlow gives it no gradient.
public enum TruncateMod: ElementwiseOperation {
    public static let signature = Signature.binary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.truncatedMod, x[0], x[1])
    }
}

/// `Mod`: the remainder of x / y with the sign of x, as graphs of TensorFlow 1 name it. It has no gradient there.
public enum Mod: ElementwiseOperation {
    public static let signature = TruncateMod.signature
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.truncatedMod, x[0], x[1])
    }
}

/// x / y rounded toward zero, element by element, broadcast; TensorFlow's `tf.truncatediv`.
@_disfavoredOverload
public func truncateDiv(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(TruncateDiv.self, [x, y], name, file, line) }

/// The remainder of x / y with the sign of x, broadcast; TensorFlow's `tf.truncatemod`.
@_disfavoredOverload
public func truncateMod(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(TruncateMod.self, [x, y], name, file, line) }
