/// The types that have bits to look at.
private let integers: [DType] = [.int32, .int64, .uint8]

/// `BitwiseAnd`: the bits that are set in both x and y; broadcast.
public enum BitwiseAnd: ElementwiseOperation {
    public static let signature = Signature.binary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.bitAnd, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `BitwiseOr`: the bits that are set in x or y; broadcast.
public enum BitwiseOr: ElementwiseOperation {
    public static let signature = Signature.binary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.bitOr, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `BitwiseXor`: the bits that are set in one of x and y; broadcast.
public enum BitwiseXor: ElementwiseOperation {
    public static let signature = Signature.binary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.bitXor, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `LeftShift`: the bits of x moved up by y places; y counts as at least 0 and at most all bits but one;
/// broadcast.
public enum LeftShift: ElementwiseOperation {
    public static let signature = Signature.binary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.shiftLeft, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `RightShift`: the bits of x moved down by y places; y counts as at least 0 and at most all bits but one; the
/// sign stays; broadcast.
public enum RightShift: ElementwiseOperation {
    public static let signature = Signature.binary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.shiftRight, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `Invert`: every bit the other way.
public enum Invert: ElementwiseOperation {
    public static let signature = Signature.unary(integers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.bitNot, x[0]) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// The bits that are set in both, integers, broadcast; TensorFlow's `tf.bitwise.bitwise_and`.
@_disfavoredOverload
public func bitwiseAnd(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(BitwiseAnd.self, [x, y], name, file, line) }

/// The bits that are set in either, integers, broadcast; TensorFlow's `tf.bitwise.bitwise_or`.
@_disfavoredOverload
public func bitwiseOr(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(BitwiseOr.self, [x, y], name, file, line) }

/// The bits that are set in one but not the other, integers, broadcast; TensorFlow's `tf.bitwise.bitwise_xor`.
@_disfavoredOverload
public func bitwiseXor(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(BitwiseXor.self, [x, y], name, file, line) }

/// The bits of x moved up by y places, integers, broadcast; TensorFlow's `tf.bitwise.left_shift`.
@_disfavoredOverload
public func leftShift(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(LeftShift.self, [x, y], name, file, line) }

/// The bits of x moved down by y places, integers, broadcast; TensorFlow's `tf.bitwise.right_shift`.
@_disfavoredOverload
public func rightShift(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(RightShift.self, [x, y], name, file, line) }

/// Every bit of an integer tensor the other way; TensorFlow's `tf.bitwise.invert`.
public func invert(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Invert.self, [x], [:], name, file, line) }
