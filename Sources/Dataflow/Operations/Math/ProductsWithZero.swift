/// `MulNoNan`: x · y, but 0 where y is 0, even if x is infinite or NaN; broadcast.
public enum MulNoNan: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[1] == 0, 0, x[0] * x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, dz) = (node.input(0), node.input(1), node.upstream())
        return unbroadcast((mulNoNan(dz, y), mulNoNan(x, dz)), to: node)
    }
}

/// `Xlogy`: x · log(y), but 0 where x is 0; broadcast.
public enum Xlogy: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0] == 0, 0, x[0] * .apply(.log, x[1]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, dz) = (node.input(0), node.input(1), node.upstream())
        return unbroadcast((xlogy(isNotZero(x), y) * dz, xdivy(x, y) * dz), to: node)
    }
}

/// `Xlog1py`: x · log(1 + y), but 0 where x is 0; broadcast.
public enum Xlog1py: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0] == 0, 0, x[0] * .apply(.log1p, x[1]))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, dz) = (node.input(0), node.input(1), node.upstream())
        return unbroadcast((xlog1py(isNotZero(x), y) * dz, xdivy(x, y + 1) * dz), to: node)
    }
}

/// `Xdivy`: x / y, but 0 where x is 0; broadcast.
public enum Xdivy: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0] == 0, 0, x[0] / x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, dz) = (node.input(0), node.input(1), node.upstream())
        return unbroadcast((xdivy(isNotZero(x), y) * dz, xdivy(-x, square(y)) * dz), to: node)
    }
}

/// 1 where x is not 0, else 0.
private func isNotZero(_ x: Node) -> Node { cast(notEqual(x, scalar(0, like: x)), to: x.dtype) }

/// x · y, but 0 where y is 0, element by element, broadcast; TensorFlow's `tf.math.multiply_no_nan`.
@_disfavoredOverload
public func mulNoNan(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(MulNoNan.self, [x, y], name, file, line) }

/// x · log(y), but 0 where x is 0, element by element, broadcast; TensorFlow's `tf.math.xlogy`.
@_disfavoredOverload
public func xlogy(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Xlogy.self, [x, y], name, file, line) }

/// x · log(1 + y), but 0 where x is 0, element by element, broadcast; TensorFlow's `tf.math.xlog1py`.
@_disfavoredOverload
public func xlog1py(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Xlog1py.self, [x, y], name, file, line) }

/// x / y, but 0 where x is 0, element by element, broadcast; TensorFlow's `tf.math.xdivy`.
@_disfavoredOverload
public func xdivy(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Xdivy.self, [x, y], name, file, line) }
