/// `SquaredDifference`: (x − y)², broadcast.
public enum SquaredDifference: ElementwiseOperation {
    public static let signature = Signature.binary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        (x[0] - x[1]) * (x[0] - x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let slope = 2 * node.upstream() * (node.input(0) - node.input(1))
        return unbroadcast((slope, -slope), to: node)
    }
}

/// `FloorDiv`: x / y rounded down, broadcast; an integer over 0 is 0. No gradient flows.
public enum FloorDiv: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.floorDiv, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `FloorMod`: x − y ⌊x / y⌋, broadcast: the remainder with the sign of y.
public enum FloorMod: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.floorMod, x[0], x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let quotient = floorDiv(node.input(0), node.input(1))
        return unbroadcast((node.upstream(), node.upstream() * -quotient), to: node)
    }
}

/// `DivNoNan`: x / y, but 0 where y is 0, broadcast.
public enum DivNoNan: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[1] == 0, 0, x[0] / x[1])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (x, y, dz) = (node.input(0), node.input(1), node.upstream())
        return unbroadcast((divNoNan(dz, y), dz * divNoNan(divNoNan(-x, y), y)), to: node)
    }
}

/// (x − y)² element by element, broadcast; TensorFlow's `tf.math.squared_difference`.
@_disfavoredOverload
public func squaredDifference(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(SquaredDifference.self, [x, y], name, file, line) }

/// x / y rounded down, element by element, broadcast; TensorFlow's `tf.math.floordiv`.
@_disfavoredOverload
public func floorDiv(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(FloorDiv.self, [x, y], name, file, line) }

/// The remainder of x / y with the sign of y, broadcast; TensorFlow's `tf.math.floormod`.
@_disfavoredOverload
public func floorMod(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(FloorMod.self, [x, y], name, file, line) }

/// x / y, but 0 where y is 0, element by element, broadcast; TensorFlow's `tf.math.divide_no_nan`.
@_disfavoredOverload
public func divNoNan(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(DivNoNan.self, [x, y], name, file, line) }
